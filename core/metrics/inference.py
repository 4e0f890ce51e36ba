"""Intervals and tests of what compares groups: gaps, ratios and extremes, and their changes.

A gap is the largest of all differences between two groups (`core.numerics.statistics.resampling_gaps`); a ratio is that on logarithms, an
extreme the largest of the rates or their negatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from core.metrics.catalog import METRICS, Metric
from core.metrics.gaps import combine, rate_weights
from core.metrics.rates import RATES, group_rate
from core.metrics.samples import GroupSample, PairedSample, RateDraws
from core.numerics.statistics.counts import BoolArray, FloatArray
from core.numerics.statistics.resampling import upper_p_value
from core.numerics.statistics.resampling_gaps import (
    Contrasts,
    all_pairs,
    change_interval,
    join,
    largest_change_interval,
    largest_interval,
    largest_studentised,
)

LEAST_SHARE = 0.05
"""Resampled rates are kept above this share of their centre before logarithms are taken."""

UNBOUNDED = frozenset({"log_loss"})


def _columns(metric: Metric, draws: RateDraws) -> tuple[FloatArray, FloatArray]:
    """Return estimates and deviations on the scale a metric compares on."""
    if metric.kind != "ratio":
        return draws.estimate, draws.draws - draws.centre
    centre = np.maximum(draws.centre, 1e-12)
    return np.log(centre), np.log(np.maximum(draws.draws, LEAST_SHARE * centre)) - np.log(centre)


def _contrasts(metric: Metric, defined: list[BoolArray]) -> Contrasts:
    """Return the contrasts of which the metric is the largest; rate r of group g is column r * G + g."""
    parts = []
    for which, present in enumerate(defined):
        columns = np.flatnonzero(present) + which * len(present)
        none = np.full((len(columns), 1), -1)
        if metric.kind == "group_min":
            parts.append(Contrasts(none, columns[:, np.newaxis]))
        elif metric.kind == "group_max" or not metric.compares_groups:
            parts.append(Contrasts(columns[:, np.newaxis], none))
        else:
            parts.append(all_pairs(columns))
    return join(parts)


def _filled(columns: FloatArray) -> FloatArray:
    return np.where(np.isnan(columns), 0.0, columns)


def gap_interval(metric: Metric, rates: list[RateDraws], level: float) -> tuple[float, float]:
    """Return the interval of a metric that compares groups.

    Parameters
    ----------
    metric : Metric
        A difference, ratio or extreme.
    rates : list of RateDraws
        One per rate of the metric.
    level : float
        Coverage.

    Returns
    -------
    low, high : float
        NaN if fewer than two groups have the rate. With two groups and one rate this is the interval of the signed
        difference (ratio): below 0 (above 1) the groups change places.
    """
    defined = [~np.isnan(rate.estimate) for rate in rates]
    contrasts = _contrasts(metric, defined)
    if len(contrasts) == 0:
        return float("nan"), float("nan")
    scaled = [_columns(metric, rate) for rate in rates]
    values = _filled(np.concatenate([s[0] for s in scaled]))
    low, high = largest_interval(values, _filled(np.hstack([s[1] for s in scaled])), contrasts, level)
    return _on_scale(
        metric, low, high, signed=contrasts.signed_pair, value=float(combine(metric, [r.estimate for r in rates]))
    )


def _on_scale(metric: Metric, low: float, high: float, *, signed: bool, value: float) -> tuple[float, float]:
    if np.isnan(value):
        return float("nan"), float("nan")
    top = np.inf if metric.rate in UNBOUNDED else 1.0
    if metric.kind == "ratio":
        low, high = np.exp(-high), np.exp(-low) if signed else min(float(np.exp(-low)), 1.0)
        return float(min(low, value)), float(max(high, value))
    if metric.kind == "group_min":
        low, high = -high, -low
    least = 0.0 if not signed else -top
    return float(np.clip(low, least, top)), float(np.clip(high, least, top))


def gap_p_value(metric: Metric, sample: GroupSample) -> float:
    """Return how often groups that do not matter would look as different.

    Group labels are permuted within the stratum the rate conditions on; for scores, groups are drawn from normal errors. The
    statistic is the largest difference between two groups in units of its own error, so a ratio's p-value is its difference's.
    """
    values = [sample.values(rate) for rate in metric.rates]
    if metric.kind not in ("difference", "ratio") or np.isnan(combine(metric, values)):
        return float("nan")
    if metric.rates not in sample.p_values:
        contrasts = join([all_pairs(np.flatnonzero(~np.isnan(v)) + k * len(v)) for k, v in enumerate(values)])
        null = _filled(np.hstack([_null_rate(rate, sample) for rate in metric.rates]))
        sample.p_values[metric.rates] = upper_p_value(
            *largest_studentised(_filled(np.concatenate(values)), null, contrasts)
        )
    return sample.p_values[metric.rates]


def _null_rate(rate: str, sample: GroupSample) -> FloatArray:
    if METRICS[rate].uses == "scores":
        error = sample.score_errors(rate)[1]
        noise = sample.streams.of(f"{rate} without a gap").normal(size=(sample.n_resamples, len(error)))
        return np.asarray(noise * error)
    drawn = group_rate(rate, sample.null(RATES[rate].stratum))
    pooled = group_rate(rate, sample.counts.sum(axis=0, keepdims=True))
    return np.where(np.isnan(drawn), 0.0, drawn - pooled)


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
    contrasts = _contrasts(metric, defined)
    before, after = (_value(metric, [pair[side].estimate for pair in pairs]) for side in (0, 1))
    if len(contrasts) == 0 or np.isnan(before) or np.isnan(after):
        nan = float("nan")
        return Change(before, after, nan, nan, nan, nan, reversed=False)
    two = TwoGroups.of(contrasts, len(defined[0])) if contrasts.signed_pair else None
    gaps = None if two is None else [two.gap([side.estimate for side in sides]) for sides in zip(*pairs, strict=True)]
    turned = gaps is not None and float(gaps[0]) * float(gaps[1]) < 0
    scaled = [[_columns(metric, pair[side]) for pair in pairs] for side in (0, 1)]
    values = _filled(np.concatenate([s[0] for side in scaled for s in side]))
    deviations = _filled(np.hstack([s[1] for side in scaled for s in side]))
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
    if two is None and metric.rate not in UNBOUNDED:
        low, high = max(low, -1.0), min(high, 1.0)
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
    variance = float(np.einsum("ag,bg,abg->", signs, signs, _filled(covariance)))
    if variance <= 0.0:
        return 1.0 if change == 0.0 else 0.0
    return float(2.0 * ndtr(-abs(change) / np.sqrt(variance)))
