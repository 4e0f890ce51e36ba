"""What removing groups of records would do: predicted scores of one, predicted changes of a metric for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.attribution.registry import attributor_of, not_on_confirm
from core.case.arguments import check_items
from core.case.case import Case, check_case
from core.errors import InputError, InputTypeError
from core.metrics.catalog import metric_of

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


def group_changes(
    case: Case,
    groups: Sequence[npt.NDArray[Any]],
    metric: str = "equal_opportunity_difference",
    sensitive_feature: str | Sequence[str] | None = None,
    on: str = "explore",
    *,
    closely: bool = False,
) -> Floats:
    """Predict what removing each of many groups of training records would do to a metric, all at once.

    Parameters
    ----------
    case : Case
        Prepared once for all groups where `core.prepare` was called.
    groups : sequence of ndarray
        Positions of rows in the training table, or masks over it. Removed rows are left out.
    metric, sensitive_feature, on
        As for `influence`.
    closely : bool
        Whether to spend more on each group: for the best of many. Forests then really remove it from ten trees, from more in
        small tables.

    Returns
    -------
    ndarray of float, shape (n_groups,)
        The signed change; NaN for a group that cannot go, being the last of a class, or without which the metric is undefined.

    Raises
    ------
    InputError
        If `on` is "confirm", or a group does not fit the training table.
    NotSupportedError
        If no attributor serves the model.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0, 5.0] * 8, "sex": ["f", "m"] * 20, "granted": [0, 1, 0, 1, 1] * 8})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> rich = (table["income"] > 4).to_numpy()
    >>> group_changes(case, [rich, ~rich & (table["sex"] == "f").to_numpy()], "selection_rate").shape
    (2,)
    """
    check_case(case)
    not_on_confirm(on)
    metric_of(metric)
    feature = case.sensitive_feature(sensitive_feature)
    check_items("groups", groups, "masks or arrays of positions")
    positions = [_retained(case, group) for group in groups]
    with attributor_of(case) as attributor:
        return attributor.group_changes(case, metric, feature, on, positions, closely=closely)


def predicted_scores(case: Case, forget: Iterable[Any], on: str = "explore") -> tuple[Floats, tuple[str, ...]]:
    """Predict the scores on a split without some training records.

    Parameters
    ----------
    case : Case
    forget : iterable
        Record ids.
    on : {"explore", "test"}
        "confirm" is refused.

    Returns
    -------
    scores : ndarray of float
        Of `pos_label`, for every row of the split.
    notes : tuple of str
        What to know before removing the records, a sentence each.

    Raises
    ------
    InputError
        If an id is unknown, repeated or removed already, or a whole class would go.
    NotSupportedError
        If no attributor serves the model.
    """
    check_case(case)
    not_on_confirm(on)
    positions = case.positions(forget)
    if not len(positions):
        return case.scores(on), ()
    with attributor_of(case) as attributor:
        return attributor.scores_without(case, positions, on)


def _retained(case: Case, group: npt.NDArray[Any]) -> Positions:
    n, group = len(case.retained), np.asarray(group)
    if group.ndim != 1:
        raise InputTypeError(f"Each group must be a mask or an array of positions. Got {group.tolist()!r} instead.")
    if group.dtype == bool:
        if group.shape != (n,):
            raise InputError(f"A mask over the training table must have shape ({n},). Got {group.shape} instead.")
        return np.flatnonzero(group & case.retained)
    if not np.issubdtype(group.dtype, np.integer):
        raise InputTypeError(
            f"A group must be positions in the training table, or a mask over it. Got an array of {group.dtype}."
        )
    positions: Positions = np.unique(group)
    if len(positions) and (positions[0] < 0 or positions[-1] >= n):
        raise InputError(
            f"Positions must be from 0 to {n - 1}. Got {positions[0] if positions[0] < 0 else positions[-1]}."
        )
    return positions[case.retained[positions]]
