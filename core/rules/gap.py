"""The gap to explain.

Whether there is one, whether it is more than chance, and between which groups it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.case.case import Case
from core.errors import InputError
from core.metrics.audit import audit, sample_of
from core.metrics.catalog import metric_of
from core.metrics.gaps import rate_weights
from core.metrics.samples import GroupSample, feature_name, generator
from core.typing import Feature
from core.words import where_said

NO_GAP = 1e-12
"""A gap no larger is none."""
BEYOND_CHANCE = 0.05
"""A gap of a larger p-value may be chance."""


class Extremes(NamedTuple):
    """The two groups that a metric's value lies between, and the rate that sets it.

    Parameters
    ----------
    metric : str
    feature : str or tuple of str
    rate : str
        The rate that sets the metric's value.
    worse : int
        Code of the group that is worse off by it.
    weights : dict of int to float
        Derivative of the metric by the rate of either group; a metric of one group's rate has one.
    """

    metric: str
    feature: Feature
    rate: str
    worse: int
    weights: dict[int, float]

    @property
    def rises(self) -> float:
        """1.0 where a higher rate is better, else -1.0."""
        return -1.0 if metric_of(self.rate).better == "lower" else 1.0


@dataclass(frozen=True)
class Gap:
    """A metric that differs between groups.

    Parameters
    ----------
    extremes : Extremes
        Between which groups.
    on : str
        The rows it is taken on.
    value, p_value : float
        The metric, and the p-value of its permutation test.
    notes : tuple of str
        What to know about it.
    """

    extremes: Extremes
    on: str
    value: float
    p_value: float
    notes: tuple[str, ...]

    @property
    def metric(self) -> str:
        """The metric's name."""
        return self.extremes.metric

    @property
    def feature(self) -> Feature:
        """Whose groups it compares."""
        return self.extremes.feature


def gap_to_explain(case: Case, metric: str, feature: Feature, on: str, *, seed: int) -> Gap:
    """Return the gap.

    Raises
    ------
    InputError
        If it is undefined, or zero.
    """
    name = feature_name(feature)
    row = audit(case, [metric], on=on, sensitive_feature=[feature], seed=seed).gaps.iloc[0]
    value, p_value, left_out = float(row["value"]), float(row["p_value"]), str(row["left_out"])
    if not np.isfinite(value):
        raise InputError(
            f"There must be a gap to explain. {metric!r} of {name!r} is undefined on the {on} rows{where_said(case.where)}: it is taken over records that too "
            f"few groups have{f' (not: {left_out})' if left_out else ''}; choose another metric or feature."
        )
    if metric_of(metric).short_of_best(value) <= NO_GAP:
        raise InputError(
            f"There must be a gap to explain. {metric!r} of {name!r} is {value:.3g} on the {on} rows{where_said(case.where)}, which is none; choose another "
            "metric or feature."
        )
    notes = [f"The gap leaves out groups without the records it is taken over: {left_out}."] if left_out else []
    if p_value > BEYOND_CHANCE:
        notes.append(f"The gap itself may be chance (p = {p_value:.4f}).")
    return Gap(extremes_of(case, metric, feature, on), on, value, p_value, tuple(notes))


def extremes_of(case: Case, metric: str, feature: Feature, on: str) -> Extremes:
    """Return which groups set a metric, as it is now on the rows of `on`."""
    found, groups = metric_of(metric), case.groups(feature, on)
    view = GroupSample(sample_of(case, on), groups.codes, len(groups), 1, generator(0, ""))
    which, weights = rate_weights(found, [view.values(rate) for rate in found.rates])
    at = {int(code): float(weights[code]) for code in np.flatnonzero(weights)}
    rate = found.rates[which]
    rises = -1.0 if metric_of(rate).better == "lower" else 1.0
    values = view.values(rate)
    return Extremes(metric, feature, rate, min(at, key=lambda code: rises * values[code]), at)
