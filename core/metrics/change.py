"""The change of one metric between two models on the same records, its interval, and a test of no change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from core.metrics.catalog import Metric
from core.metrics.gaps import combine, rate_weights
from core.metrics.inference import contrasts_of, filled, scaled_columns
from core.metrics.samples import PairedSample
from core.numerics.statistics.counts import FloatArray
from core.numerics.statistics.resampling import upper_p_value
from core.numerics.statistics.resampling_gaps import Contrasts, change_interval, largest_change_interval


class Change(NamedTuple):
    """A metric before and after, and its paired change.

    With two groups and one rate ``change`` is that of the signed difference (ratio), turned the way it was before; where
    ``reversed``, the groups have changed places and it is not ``after - before``.
    """

    before: float
    after: float
    change: float
    low: float
    high: float
    p_value: float
    reversed: bool


def paired_change(metric: Metric, sample: PairedSample, level: float) -> Change:
    """Return a metric before and after on the same records, the interval of its change, and a test of no change.

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
    defined = [~(np.isnan(before.estimate) | np.isnan(after.estimate)) for before, after in pairs]
    contrasts = contrasts_of(metric, defined)
    before, after = (_value(metric, [pair[side].estimate for pair in pairs]) for side in (0, 1))
    if len(contrasts) == 0 or np.isnan(before) or np.isnan(after):
        nan = float("nan")
        return Change(before, after, nan, nan, nan, nan, reversed=False)
    two = TwoGroups.of(contrasts, len(defined[0])) if contrasts.signed_pair else None
    gaps = None if two is None else [two.gap([side.estimate for side in sides]) for sides in zip(*pairs, strict=True)]
    turned = gaps is not None and float(gaps[0]) * float(gaps[1]) < 0
    scaled = [[scaled_columns(metric, pair[side]) for pair in pairs] for side in (0, 1)]
    values = filled(np.concatenate([s[0] for side in scaled for s in side]))
    deviations = filled(np.hstack([s[1] for side in scaled for s in side]))
    if gaps is None:
        low, high = largest_change_interval(values, deviations, contrasts, level)
    else:
        contrasts = _gap_as_it_was(contrasts, *map(float, gaps))
        low, high = change_interval(values, deviations, contrasts, level)
    if metric.kind == "group_min":
        low, high = -high, -low
    change = after - before
    if metric.kind == "ratio":
        base = float(np.exp(-contrasts.of(values).max()))
        low, high = base * float(np.expm1(-high)), base * float(np.expm1(-low))
        change = (1.0 / after if after > 0 else np.inf) - before if turned else change
    elif turned:
        change = -after - before
    if two is None:
        low, high = max(low, -metric.most), min(high, metric.most)
    p_value = change_p_value(metric, sample, two)
    return Change(before, after, change, min(low, change), max(high, change), p_value, turned)


def _value(metric: Metric, rates: list[FloatArray]) -> float:
    return float(combine(metric, rates)) if metric.compares_groups else float(rates[0][0])


def _gap_as_it_was(contrasts: Contrasts, before: float, after: float) -> Contrasts:
    """Return the difference of two groups in the direction in which it was not negative before; if there was none, after."""
    return contrasts.take(np.array([int((before or after) > 0)]))


class TwoGroups(NamedTuple):
    """The only two groups that a metric compares, and the rate on which."""

    rate: int
    first: int
    second: int

    @classmethod
    def of(cls, contrasts: Contrasts, n_groups: int) -> TwoGroups:
        """Return those of a signed pair of contrasts; rate r of group g is column r * n_groups + g."""
        first, second = (int(side[0, 0]) for side in (contrasts.plus, contrasts.minus))
        return cls(first // n_groups, first % n_groups, second % n_groups)

    def gap(self, rates: Sequence[FloatArray]) -> FloatArray:
        """Return the second group's rate less the first one's, for rates of shape (..., G)."""
        values = rates[self.rate]
        return np.asarray(values[..., self.second] - values[..., self.first])


def change_p_value(metric: Metric, sample: PairedSample, two: TwoGroups | None = None) -> float:
    """Return how often swapping before and after at random, record by record, would change the metric as much.

    For scores: the two-sided normal test of the change, linearised at the groups that are extreme. With `two` groups: of the
    signed difference between them.
    """
    if metric.uses == "scores":
        return _score_change_p_value(metric, sample, two)
    seen = [sample.rate(rate) for rate in metric.rates]
    observed = _cell_change(metric, [(before.estimate, after.estimate) for before, after in seen], two)
    null = _cell_change(metric, [sample.swapped_rate(rate) for rate in metric.rates], two)
    return upper_p_value(abs(float(observed)), np.where(np.isnan(null), -np.inf, np.abs(null)))


def _cell_change(metric: Metric, rates: list[tuple[FloatArray, FloatArray]], two: TwoGroups | None) -> FloatArray:
    before, after = ([pair[side] for pair in rates] for side in (0, 1))
    if not metric.compares_groups:
        return np.asarray(after[0][..., 0] - before[0][..., 0])
    if two is not None:
        return two.gap(after) - two.gap(before)
    return combine(metric, after) - combine(metric, before)


def _score_change_p_value(metric: Metric, sample: PairedSample, two: TwoGroups | None) -> float:
    values, _, covariance = sample.score_moments(metric.rate)
    weights = np.ones((2, 1))
    change = float(values[1, 0] - values[0, 0])
    if two is not None:
        weights = np.zeros((2, values.shape[1]))
        weights[:, [two.first, two.second]] = [-1.0, 1.0]
        change = float(two.gap([values[1]]) - two.gap([values[0]]))
    elif metric.compares_groups:
        weights = np.array([rate_weights(metric, [side])[1] for side in values])
        change = float(combine(metric, [values[1]]) - combine(metric, [values[0]]))
    signs = weights * np.array([[-1.0], [1.0]])
    variance = float(np.einsum("ag,bg,abg->", signs, signs, filled(covariance)))
    if variance <= 0.0:
        return 1.0 if change == 0.0 else 0.0
    return float(2.0 * ndtr(-abs(change) / np.sqrt(variance)))
