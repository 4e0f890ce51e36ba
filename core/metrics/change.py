"""The change of one metric between two models: its interval, and a test of no change.

Both models are measured on the same records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from core.metrics.catalog import METRICS, Metric
from core.metrics.gap_sizes import size_change_interval
from core.metrics.gaps import combine, deciding_rate, rate_weights
from core.metrics.inference import contrasts_of, scaled_columns, zero_filled
from core.metrics.samples import PairedSample
from core.numerics.statistics.counts import FloatArray
from core.numerics.statistics.resampling import upper_p_value
from core.numerics.statistics.resampling_gaps import Contrasts, change_interval, largest_change_interval


class MetricChange(NamedTuple):
    """A metric before and after, and its paired change.

    ``change`` is ``after - before``: of a gap, the change of its size. Where a metric compares two groups only, ``signed_change`` is
    that of the signed difference (ratio), turned the way it was before, and where ``reversed`` they have changed places. Who is
    ``ahead`` is the number of the group better off, None where nobody is.
    """

    before: float
    after: float
    change: float
    low: float
    high: float
    p_value: float
    reversed: bool = False
    ahead_before: int | None = None
    ahead_after: int | None = None
    signed_change: float = np.nan
    signed_low: float = np.nan
    signed_high: float = np.nan


def paired_change(metric: Metric, sample: PairedSample, level: float) -> MetricChange:
    """Return a metric before and after, the interval of its change, and a test of no change.

    Both are of the same records.

    Parameters
    ----------
    metric : Metric
        Any metric; a rate is taken over the single group of all records.
    sample : PairedSample
        The records.
    level : float
        Coverage.

    Returns
    -------
    Change
        NaN where undefined on either side.
    """
    pairs = [sample.rate(rate) for rate in metric.rates]
    sides = [[pair[side].estimate for pair in pairs] for side in (0, 1)]
    defined = [~(np.isnan(before.estimate) | np.isnan(after.estimate)) for before, after in pairs]
    contrasts = contrasts_of(metric, defined)
    before, after = (_value(metric, side) for side in sides)
    if len(contrasts) == 0 or np.isnan(before) or np.isnan(after):
        return MetricChange(before, after, np.nan, np.nan, np.nan, np.nan)
    scaled = [[scaled_columns(metric, pair[side]) for pair in pairs] for side in (0, 1)]
    values = zero_filled(np.concatenate([s[0] for side in scaled for s in side]))
    deviations = zero_filled(np.hstack([s[1] for side in scaled for s in side]))
    ahead = [group_ahead(metric, side, pos_is_favorable=sample.before.pos_is_favorable) for side in sides]
    if contrasts.signed_pair:
        two = TwoGroups.of(contrasts, len(defined[0]))
        gaps = [float(two.gap(side)) for side in sides]
        found = _change_of_two(metric, (before, after), gaps, (values, deviations, contrasts), level)
        p_value = change_p_value(metric, sample)
        return found._replace(p_value=p_value, ahead_before=ahead[0], ahead_after=ahead[1])
    low, high = largest_change_interval(values, deviations, contrasts, level)
    if metric.kind == "group_min":
        low, high = -high, -low
    if metric.kind == "ratio":
        low, high = _on_ratios(float(np.exp(-contrasts.of(values).max())), low, high)
    low, high = max(low, -metric.most), min(high, metric.most)
    p_value, change = change_p_value(metric, sample), after - before
    return MetricChange(before, after, change, min(low, change), max(high, change), p_value, False, ahead[0], ahead[1])


def _change_of_two(
    metric: Metric,
    ends: tuple[float, float],
    gaps: list[float],
    drawn: tuple[FloatArray, FloatArray, Contrasts],
    level: float,
) -> MetricChange:
    """Return the change of a gap between two groups, as yet untested.

    Of its size and of its signed value.
    """
    (before, after), (values, deviations, contrasts) = ends, drawn
    # The difference in the direction in which it was not negative before; if there was none, after.
    contrast = contrasts.take(np.array([int((gaps[0] or gaps[1]) > 0)]))
    signed = change_interval(values, deviations, contrast, level)
    mirror = np.repeat([-1.0, 1.0], len(values) // 2)  # Makes of "after less before" the sum of both.
    low, high = size_change_interval(signed, change_interval(values * mirror, deviations * mirror, contrast, level))
    change, turned = after - before, gaps[0] * gaps[1] < 0
    signed_change = -after - before if turned else change
    if metric.kind == "ratio":
        base = float(np.exp(-contrasts.of(values).max()))
        (low, high), signed = _on_ratios(base, low, high), _on_ratios(base, *signed)
        signed_change = (1.0 / after if after > 0 else np.inf) - before if turned else change
    return MetricChange(
        before,
        after,
        change,
        min(low, change),
        max(high, change),
        np.nan,
        turned,
        signed_change=signed_change,
        signed_low=min(signed[0], signed_change),
        signed_high=max(signed[1], signed_change),
    )


def _on_ratios(before: float, low: float, high: float) -> tuple[float, float]:
    """Return the interval of a ratio's change from that of the logarithm of its inverse.

    The ratio before is taken as known.
    """
    return before * float(np.expm1(-high)), before * float(np.expm1(-low))


def _value(metric: Metric, rates: list[FloatArray]) -> float:
    return float(combine(metric, rates)) if metric.compares_groups else float(rates[0][0])


def group_ahead(metric: Metric, rates: list[FloatArray], *, pos_is_favorable: bool) -> int | None:
    """Return the group that is better off by the rate that decides a difference or ratio.

    None where none is.

    Examples
    --------
    >>> from core.metrics.catalog import metric_of
    >>> group_ahead(metric_of("selection_rate_difference"), [np.array([0.2, np.nan, 0.4])], pos_is_favorable=True)
    2
    """
    if metric.kind not in ("difference", "ratio"):
        return None
    which = deciding_rate(metric, rates)
    values = rates[which]
    if np.count_nonzero(~np.isnan(values)) < 2 or np.nanmin(values) == np.nanmax(values):
        return None
    worst = METRICS[metric.rates[which]].worst_end(pos_is_favorable=pos_is_favorable)
    return int(np.nanargmax(values) if worst == "low" else np.nanargmin(values))


class TwoGroups(NamedTuple):
    """The only two groups that a metric compares, and the rate on which."""

    rate: int
    first: int
    second: int

    @classmethod
    def of(cls, contrasts: Contrasts, n_groups: int) -> TwoGroups:
        """Return the contrasts of a signed pair; rate r of group g is column r * n_groups + g."""
        first, second = (int(side[0, 0]) for side in (contrasts.plus, contrasts.minus))
        return cls(first // n_groups, first % n_groups, second % n_groups)

    def gap(self, rates: Sequence[FloatArray]) -> FloatArray:
        """Return the second group's rate less the first one's, for rates of shape (..., G)."""
        values = rates[self.rate]
        return np.asarray(values[..., self.second] - values[..., self.first])


def change_p_value(metric: Metric, sample: PairedSample) -> float:
    """Return how often swapping before and after at random changes the metric as much.

    Swaps are made record by record.

    For scores: the two-sided normal test of the change, linearised at the groups that are extreme.
    """
    if metric.uses == "scores":
        return _score_change_p_value(metric, sample)
    seen = [sample.rate(rate) for rate in metric.rates]
    observed = _cell_change(metric, [(before.estimate, after.estimate) for before, after in seen])
    null = _cell_change(metric, [sample.swapped_rate(rate) for rate in metric.rates])
    return upper_p_value(abs(float(observed)), np.where(np.isnan(null), -np.inf, np.abs(null)))


def _cell_change(metric: Metric, rates: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    before, after = ([pair[side] for pair in rates] for side in (0, 1))
    if not metric.compares_groups:
        return np.asarray(after[0][..., 0] - before[0][..., 0])
    return combine(metric, after) - combine(metric, before)


def _score_change_p_value(metric: Metric, sample: PairedSample) -> float:
    values, _, covariance = sample.score_moments(metric.rate)
    weights = np.ones((2, 1))
    change = float(values[1, 0] - values[0, 0])
    if metric.compares_groups:
        weights = np.array([rate_weights(metric, [side])[1] for side in values])
        change = float(combine(metric, [values[1]]) - combine(metric, [values[0]]))
    signs = weights * np.array([[-1.0], [1.0]])
    variance = float(np.einsum("ag,bg,abg->", signs, signs, zero_filled(covariance)))
    if variance <= 0.0:
        return 1.0 if change == 0.0 else 0.0
    return float(2.0 * ndtr(-abs(change) / np.sqrt(variance)))
