"""The two groups that a gap is between, and the rate that sets it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.case.case import Case
from core.metrics.audit import sample_of
from core.metrics.catalog import metric_of
from core.metrics.gaps import rate_weights
from core.metrics.samples import GroupSample, generator


class Extremes(NamedTuple):
    """Between which groups a metric's value lies.

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
    feature: str | tuple[str, ...]
    rate: str
    worse: int
    weights: dict[int, float]

    @property
    def rises(self) -> float:
        """1.0 where a higher rate is better, else -1.0."""
        return -1.0 if metric_of(self.rate).better == "lower" else 1.0


def extremes_of(case: Case, metric: str, feature: str | tuple[str, ...], on: str) -> Extremes:
    """Return which groups set a metric, as it is now on the rows of `on`."""
    found, groups = metric_of(metric), case.groups(feature, on)
    view = GroupSample(sample_of(case, on), groups.codes, len(groups), 1, generator(0, ""))
    which, weights = rate_weights(found, [view.values(rate) for rate in found.rates])
    at = {int(code): float(weights[code]) for code in np.flatnonzero(weights)}
    rate = found.rates[which]
    rises = -1.0 if metric_of(rate).better == "lower" else 1.0
    values = view.values(rate)
    return Extremes(metric, feature, rate, min(at, key=lambda code: rises * values[code]), at)
