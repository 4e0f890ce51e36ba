"""The gap to explain.

Whether there is one, whether it is more than chance, and between which groups it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.case.case import Case
from core.errors import InputError
from core.metrics.audit import audit, described_on, sample_of
from core.metrics.catalog import metric_of
from core.metrics.gaps import rate_weights
from core.metrics.guardrails.sentence import ROWS_IN_WORDS
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


class GapTest(NamedTuple):
    """The permutation test that a gap is more than chance.

    Of a model as opened on all test rows, which no search has seen yet; else on the rows searched.

    Parameters
    ----------
    on : str
        The rows.
    n : int
        How many they are.
    value, p_value : float
        The metric there, and the p-value.
    """

    on: str
    n: int
    value: float
    p_value: float

    @property
    def rows(self) -> str:
        """The rows in words."""
        return f"{'all ' if self.on == 'test' else ''}{self.n:,} {ROWS_IN_WORDS[self.on]}"


@dataclass(frozen=True)
class Gap:
    """A metric that differs between groups.

    Parameters
    ----------
    extremes : Extremes
        Between which groups.
    on : str
        The rows it is taken on, which are searched.
    value : float
        The metric there.
    tested : GapTest
        Whether there is one, asked on the rows that describe the model.
    notes : tuple of str
        What to know about it.
    """

    extremes: Extremes
    on: str
    value: float
    tested: GapTest
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
    row = audit(case, [metric], on=on, sensitive_feature=[feature], n_resamples=1).gaps.iloc[0]
    value, left_out = float(row["value"]), str(row["left_out"])
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
    tested = gap_test(case, metric, feature, on, seed=seed)
    if tested.p_value > BEYOND_CHANCE:
        notes.append(
            f"The gap itself may be chance (p = {tested.p_value:.4f} on {tested.rows}{where_said(case.where)})."
        )
    return Gap(extremes_of(case, metric, feature, on), on, value, tested, tuple(notes))


def gap_test(case: Case, metric: str, feature: Feature, on: str, *, seed: int) -> GapTest:
    """Return the test of a gap that is searched on the rows of `on`."""
    rows = on if on == "test" else described_on(case)
    report = audit(case, [metric], on=rows, sensitive_feature=[feature], seed=seed)
    row = report.gaps.iloc[0]
    return GapTest(rows, report.n, float(row["value"]), float(row["p_value"]))


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
