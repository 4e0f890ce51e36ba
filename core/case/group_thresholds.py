"""Models that decide by thresholds of each group.

That is fairlearn's ThresholdOptimizer, around the estimator that scores.

Its decisions are drawn at random between two thresholds, so a record has the probability of a decision, and counts by it.

References
----------
Hardt, M., Price, E. and Srebro, N. (2016). Equality of opportunity in supervised learning. NeurIPS.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from core.case.groups import Groups
from core.errors import InputError, listed, said
from core.typing import Floats

GroupsOf = Callable[[Sequence[str], pd.DataFrame], Groups]

PREDICT_METHODS = ("auto", "predict_proba", "decision_function", "predict")
KEPT = "_predict_method"


@dataclass(frozen=True)
class GroupSource:
    """Where the groups come from that the thresholds were fitted for.

    Parameters
    ----------
    features : tuple of str
        Sensitive features; several are an intersection.
    raw : bool
        Whether groups are the cells themselves, or the case's names of groups.
    """

    features: tuple[str, ...]
    raw: bool

    def values(self, table: pd.DataFrame, groups_of: GroupsOf) -> npt.NDArray[Any]:
        """Return the group of every row, named as the thresholds name it."""
        if self.raw:
            return _cells(table, self.features)
        groups = groups_of(self.features, table)
        return np.array(groups.names, dtype=object)[groups.codes]


def decides_by_group(model: Any) -> bool:
    """Return whether the model has thresholds of each group."""
    fairlearn = sys.modules.get("fairlearn.postprocessing")  # else there is no such model; importing it takes long
    return fairlearn is not None and isinstance(model, fairlearn.ThresholdOptimizer)


def scorer(model: Any) -> Any:
    """Return what scores: the estimator inside a ThresholdOptimizer, any other model itself."""
    return getattr(model, "estimator_", model) if decides_by_group(model) else model


def lean(model: Any) -> Any:
    """Return the model without what its decisions do not need.

    That is a ThresholdOptimizer's curves, which tell training scores.

    Examples
    --------
    >>> from fairlearn.postprocessing import ThresholdOptimizer
    >>> fitted = ThresholdOptimizer(estimator=None)
    >>> fitted._tradeoff_curve = {"f": "a row per training score"}
    >>> vars(lean(fitted)).get("_tradeoff_curve") is None
    True
    """
    if not decides_by_group(model):
        return model
    made = copy.copy(model)
    for name in [name for name in vars(made) if name.startswith("_") and name != KEPT]:
        delattr(made, name)
    if not made.prefit and made.estimator is not None:
        made.estimator = clone(made.estimator)
    return made


def soft_predictions(model: Any, X: Any) -> Floats:
    """Return what the scoring estimator says of each row, as the thresholds want it."""
    estimator, method = model.estimator_, getattr(model, KEPT, model.predict_method)
    if method == "auto":
        method = next(name for name in PREDICT_METHODS[1:] if hasattr(estimator, name))
    found = np.asarray(getattr(estimator, method)(X), dtype=np.float64)
    return found[:, 1] if method == "predict_proba" else found


def expected_decisions(thresholds: Any, soft: Floats, groups: npt.NDArray[Any]) -> Floats:
    """Return the probability of the decision 1 for every row.

    0 for rows of groups without thresholds, as fairlearn has it.

    Parameters
    ----------
    thresholds : InterpolatedThresholder
        fairlearn's, fitted.
    soft : ndarray, shape (n_rows,)
        What the scoring estimator says of each row.
    groups : ndarray, shape (n_rows,)
        The group of each row, as it was named when the thresholds were fitted.

    Returns
    -------
    ndarray, shape (n_rows,)
    """
    expected = np.zeros(len(soft))
    for group, rule in thresholds.interpolation_dict.items():
        rows = groups == group
        mixed = rule["p0"] * rule["operation0"](soft[rows]) + rule["p1"] * rule["operation1"](soft[rows])
        ignored = rule.get("p_ignore", 0.0)
        expected[rows] = ignored * rule.get("prediction_constant", 0.0) + (1.0 - ignored) * mixed
    return np.clip(expected, 0.0, 1.0)


def chances(model: Any, X: Any, groups: npt.NDArray[Any]) -> Floats:
    """Return the probabilities of the decisions 0 and 1 for every row, shape (n_rows, 2)."""
    expected = expected_decisions(model.interpolated_thresholder_, soft_predictions(model, X), groups)
    return np.column_stack([1.0 - expected, expected])


def with_thresholds(model: Any, estimator: Any, X: Any, y: npt.NDArray[Any], groups: npt.NDArray[Any]) -> Any:
    """Return the model around another fitted estimator, its thresholds chosen on these rows.

    O(n log n).

    Raises
    ------
    InputError
        If a group has records of one label only.
    """
    settings = {**model.get_params(deep=False), "estimator": estimator, "prefit": True}
    try:
        fitted = type(model)(**settings).fit(X, y, sensitive_features=groups)
    except ValueError as error:
        raise InputError(
            f"Every group must have training records of both labels, or no thresholds can be chosen. fairlearn says: {said(error)}; "
            "forget fewer."
        ) from error
    fitted.prefit = model.prefit
    fitted.estimator = estimator if model.prefit else clone(model.estimator)
    return lean(fitted)


def group_source(
    model: Any,
    train: pd.DataFrame,
    test: pd.DataFrame,
    features: Sequence[str],
    groups_of: GroupsOf,
    rows: Callable[[], tuple[Any, npt.NDArray[Any]]],
) -> GroupSource:
    """Find which sensitive features the thresholds of a ThresholdOptimizer are for.

    The names of its groups tell.

    Where several have such groups, it is the one for which the training rows give the nearest thresholds.

    Parameters
    ----------
    model : ThresholdOptimizer
    train, test : DataFrame
    features : sequence of str
        The case's sensitive features.
    groups_of : callable
        Gives the case's groups of some features in a table.
    rows : callable
        Gives the training rows as the estimator takes them, and their labels 0 and 1.

    Raises
    ------
    InputError
        If no feature, nor all of them together, has groups of these names, or test rows belong to others.
    """
    known = list(model.interpolated_thresholder_.interpolation_dict)
    found: dict[tuple[str, ...], GroupSource] = {}
    for chosen in [*((name,) for name in features), tuple(features)]:
        for raw in (False, True):
            source = GroupSource(chosen, raw)
            if chosen not in found and _among(known, source.values(train, groups_of)):
                found[chosen] = source
    if not found:
        raise InputError(
            f"The groups of a ThresholdOptimizer must be those of a sensitive feature. It knows {listed(known)}; got "
            f"{listed(features)}. Name the column it was fitted with, or fit it with the names of its groups."
        )
    sources = list(found.values())
    if len(sources) > 1:
        X, y = rows()
        sources.sort(key=lambda one: _distance(model, X, y, one.values(train, groups_of)))
    extra = sorted(set(sources[0].values(test, groups_of)) - set(known), key=str)
    if extra:
        raise InputError(
            f"Every test row must belong to a group the thresholds were fitted for. {' & '.join(sources[0].features)} = "
            f"{listed(extra)} has none, and ThresholdOptimizer would always decide 0; fit it on rows of every group."
        )
    return sources[0]


def _distance(model: Any, X: Any, y: npt.NDArray[Any], groups: npt.NDArray[Any]) -> float:
    """Return how far decisions by thresholds for these groups are from the model's own."""
    try:
        again = with_thresholds(model, model.estimator_, X, y, groups)
    except InputError:
        return float("inf")
    return float(np.abs(chances(model, X, groups) - chances(again, X, groups)).mean())


def _among(known: list[Any], values: npt.NDArray[Any]) -> bool:
    try:
        return set(known) <= set(values)
    except TypeError:
        return False


def _cells(table: pd.DataFrame, features: Sequence[str]) -> npt.NDArray[Any]:
    """Return raw cells; of several columns joined as fairlearn joins them."""
    columns = [table[name].to_numpy() for name in features]
    if len(columns) == 1:
        return np.asarray(columns[0], dtype=object)
    texts = [[str(cell).replace("\\", "\\\\").replace(",", "\\,") for cell in column] for column in columns]
    return np.array([",".join(row) for row in zip(*texts, strict=True)], dtype=object)
