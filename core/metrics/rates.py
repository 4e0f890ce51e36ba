"""Group rates as ratios of cell counts: one row per rate.

A rate is ``sum(top * counts) / sum(bottom * counts)`` over the cells ``[label, decision]`` of a group, index 1 being favourable.
A column holding only zeros below has no rate: NaN, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from core.numerics.statistics.counts import FloatArray
from core.numerics.statistics.resampling import Stratum

Cells = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Rate:
    """One term of a rate, and which records are exchangeable if groups' rates are equal.

    Parameters
    ----------
    terms : tuple of (top, bottom)
        Weights of the cells ``((label 0, decision 0), (label 0, decision 1)), ...``; the rate is the mean of the terms.
    stratum : {"label", "decision", "all"}
        Conditioning of the permutation test.
    proportion : bool
        Whether it is a share of records (Wilson intervals apply).
    of_pos_label : bool
        Whether the positive class is pos_label instead of favorable_label.
    """

    terms: tuple[tuple[Cells, Cells], ...]
    stratum: Stratum
    proportion: bool = True
    of_pos_label: bool = False


ALL: Cells = ((1, 1), (1, 1))
LABEL_0: Cells = ((1, 1), (0, 0))
LABEL_1: Cells = ((0, 0), (1, 1))
DECISION_1: Cells = ((0, 1), (0, 1))
TN: Cells = ((1, 0), (0, 0))
FP: Cells = ((0, 1), (0, 0))
FN: Cells = ((0, 0), (1, 0))
TP: Cells = ((0, 0), (0, 1))
RIGHT: Cells = ((1, 0), (0, 1))
WRONG: Cells = ((0, 1), (1, 0))
TWICE_TP: Cells = ((0, 0), (0, 2))
F1_BOTTOM: Cells = ((0, 1), (1, 2))

_ROWS = {
    "base_rate": Rate(((LABEL_1, ALL),), "all"),
    "selection_rate": Rate(((DECISION_1, ALL),), "all"),
    "true_positive_rate": Rate(((TP, LABEL_1),), "label"),
    "false_positive_rate": Rate(((FP, LABEL_0),), "label"),
    "true_negative_rate": Rate(((TN, LABEL_0),), "label"),
    "false_negative_rate": Rate(((FN, LABEL_1),), "label"),
    "accuracy": Rate(((RIGHT, ALL),), "all"),
    "zero_one_loss": Rate(((WRONG, ALL),), "all"),
    "precision": Rate(((TP, DECISION_1),), "decision"),
    "balanced_accuracy": Rate(((TP, LABEL_1), (TN, LABEL_0)), "label", proportion=False),
    "f1_score": Rate(((TWICE_TP, F1_BOTTOM),), "all", proportion=False),
    "flagged_rate": Rate(((DECISION_1, ALL),), "all", of_pos_label=True),
    "recall": Rate(((TP, LABEL_1),), "label", of_pos_label=True),
    "detection_precision": Rate(((TP, DECISION_1),), "decision", of_pos_label=True),
    "detection_f1_score": Rate(((TWICE_TP, F1_BOTTOM),), "all", proportion=False, of_pos_label=True),
}
RATES: Mapping[str, Rate] = MappingProxyType(_ROWS)


def terms_of(name: str, *, pos_is_favorable: bool = True) -> list[tuple[FloatArray, FloatArray]]:
    """Return the cell weights (top, bottom) of each term of a rate.

    They are on cells indexed by favourable.
    """
    rate = RATES[name]
    turn = rate.of_pos_label and not pos_is_favorable
    pairs = [(np.array(top, dtype=np.float64), np.array(bottom, dtype=np.float64)) for top, bottom in rate.terms]
    return [(top[::-1, ::-1], bottom[::-1, ::-1]) for top, bottom in pairs] if turn else pairs


def group_rate(name: str, counts: FloatArray, *, pos_is_favorable: bool = True) -> FloatArray:
    """Return a rate of every group, O(cells).

    Parameters
    ----------
    name : str
        A key of `RATES`, or "count".
    counts : float array, shape (..., G, 2, 2)
        Cell counts ``[group, label, decision]``, index 1 favourable.
    pos_is_favorable : bool
        Whether pos_label is favorable_label; matters to detection metrics only.

    Returns
    -------
    float array, shape (..., G)
        NaN where a group has no records the rate is a share of.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[[6.0, 2.0], [1.0, 3.0]], [[5.0, 0.0], [0.0, 0.0]]])
    >>> group_rate("true_positive_rate", counts)
    array([0.75,  nan])
    >>> group_rate("recall", counts, pos_is_favorable=False)
    array([0.75, 1.  ])
    """
    if name == "count":
        return np.asarray(counts.sum(axis=(-2, -1)))
    terms = terms_of(name, pos_is_favorable=pos_is_favorable)
    flat = counts.reshape(*counts.shape[:-2], 4)
    values = [_ratio(flat @ top.ravel(), flat @ bottom.ravel()) for top, bottom in terms]
    return values[0] if len(values) == 1 else np.asarray(np.mean(values, axis=0))


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    result = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=result, where=bottom > 0)
    return result


def group_rate_gradient(name: str, counts: FloatArray, *, pos_is_favorable: bool = True) -> FloatArray:
    """Return the derivative of every group's rate by its own cell counts.

    Parameters
    ----------
    name : str
        A key of `RATES`.
    counts : float array, shape (G, 2, 2)
        Cell counts.
    pos_is_favorable : bool
        Whether pos_label is favorable_label.

    Returns
    -------
    float array, shape (G, 2, 2)
        NaN where the rate is undefined.

    Examples
    --------
    >>> import numpy as np
    >>> group_rate_gradient("selection_rate", np.array([[[6.0, 2.0], [1.0, 1.0]]]))[0]
    array([[-0.03,  0.07],
           [-0.03,  0.07]])
    """
    terms = terms_of(name, pos_is_favorable=pos_is_favorable)
    parts = []
    for top, bottom in terms:
        below = (counts * bottom).sum(axis=(1, 2))[:, np.newaxis, np.newaxis]
        above = (counts * top).sum(axis=(1, 2))[:, np.newaxis, np.newaxis]
        with np.errstate(divide="ignore", invalid="ignore"):
            gradient = np.asarray(top / below - bottom * above / below**2)
        parts.append(np.where(below > 0, gradient, np.nan))
    return np.asarray(np.mean(parts, axis=0))
