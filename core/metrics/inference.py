"""Intervals and tests of what compares groups: gaps, ratios and extremes, and their changes.

A gap is the largest of all differences between two groups (`core.numerics.resampling_gaps`); a ratio is that on logarithms, an
extreme the largest of the rates or their negatives.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from core.metrics.catalog import Metric
from core.metrics.gaps import combine, rate_weights
from core.metrics.rates import RATES, group_rate
from core.metrics.samples import GroupSample, PairedSample, RateDraws
from core.numerics.counts import FloatArray, before_and_after
from core.numerics.resampling import swapped_counts, upper_p_value
from core.numerics.resampling_gaps import (
    Contrasts,
    all_pairs,
    join,
    largest_change_interval,
    largest_interval,
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


def _contrasts(metric: Metric, defined: list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]) -> Contrasts:
    """Return the contrasts of which the metric is the largest; rate r of group g is column r * G + g."""
    parts = []
    for which, present in enumerate(defined):
        columns = np.flatnonzero(present) + which * len(present)
        none = np.full((len(columns), 1), -1)
        if metric.kind == "group_min":
            parts.append(Contrasts(none, columns[:, np.newaxis]))
        elif metric.kind == "group_max":
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
    top = np.inf if metric.rate in UNBOUNDED else 1.0
    if metric.kind == "ratio":
        low, high = np.exp(-high), np.exp(-low) if signed else min(float(np.exp(-low)), 1.0)
        return float(min(low, value)), float(max(high, value))
    if metric.kind == "group_min":
        low, high = -high, -low
    least = 0.0 if not signed else -top
    return float(np.clip(low, least, top)), float(np.clip(high, least, top))


def gap_p_value(metric: Metric, sample: GroupSample) -> float:
    """Return how often groups that do not matter would look as different: permutation test, or normal draws for scores."""
    values = float(combine(metric, [sample.values(rate) for rate in metric.rates]))
    if metric.kind not in ("difference", "ratio") or np.isnan(values):
        return float("nan")
    if metric.uses == "scores":
        rates, error = sample.score_errors(metric.rate)
        present = ~np.isnan(rates)
        noise = sample.rng.normal(size=(sample.n_resamples, int(present.sum()))) * error[present]
        return upper_p_value(float(np.ptp(rates[present])), np.ptp(noise, axis=1))
    stratum = RATES[metric.rate].stratum
    null = combine(metric, [group_rate(rate, sample.null(stratum)) for rate in metric.rates])
    sign = -1.0 if metric.kind == "ratio" else 1.0
    return upper_p_value(sign * values, np.where(np.isnan(null), -np.inf, sign * null))


def change_interval(metric: Metric, pairs: list[tuple[RateDraws, RateDraws]], level: float) -> tuple[float, float]:
    """Return the paired interval of a metric's change; an end beyond 0 on both sides means no change can be told.

    Parameters
    ----------
    metric : Metric
        Any metric; a rate is taken to have one column (all records).
    pairs : list of (before, after)
        One per rate of the metric.
    level : float
        Coverage.

    Returns
    -------
    low, high : float
    """
    defined = [~(np.isnan(before.estimate) | np.isnan(after.estimate)) for before, after in pairs]
    contrasts = _rate_contrast(defined) if not metric.compares_groups else _contrasts(metric, defined)
    if len(contrasts) == 0:
        return float("nan"), float("nan")
    scaled = [[_columns(metric, pair[side]) for pair in pairs] for side in (0, 1)]
    values = _filled(np.concatenate([s[0] for side in scaled for s in side]))
    deviations = _filled(np.hstack([s[1] for side in scaled for s in side]))
    low, high = largest_change_interval(values, deviations, contrasts, level)
    if metric.kind == "group_min":
        return -high, -low
    if metric.kind == "ratio":
        before = float(np.exp(-contrasts.of(values).max()))
        return before * float(np.expm1(-high)), before * float(np.expm1(-low))
    return low, high


def _rate_contrast(defined: list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]) -> Contrasts:
    columns = np.flatnonzero(defined[0])[:, np.newaxis]
    return Contrasts(columns, np.full_like(columns, -1))


def change_p_value(metric: Metric, sample: PairedSample) -> float:
    """Return how often swapping before and after at random, record by record, would change the metric as much.

    For scores: the two-sided normal test of the change, linearised at the groups that are extreme.
    """
    if metric.uses == "scores":
        return _score_change_p_value(metric, sample)
    flags = sample.before.pos_is_favorable
    observed = _cell_change(metric, sample.joint[np.newaxis], flags)
    null = _cell_change(metric, swapped_counts(sample.joint, sample.n_resamples, sample.rng), flags)
    return upper_p_value(float(np.abs(observed[0])), np.where(np.isnan(null), -np.inf, np.abs(null)))


def _cell_change(metric: Metric, joint: FloatArray, pos_is_favorable: bool) -> FloatArray:
    before, after = (
        [group_rate(rate, counts, pos_is_favorable=pos_is_favorable) for rate in metric.rates]
        for counts in before_and_after(joint)
    )
    if not metric.compares_groups:
        return np.asarray(after[0][..., 0] - before[0][..., 0])
    return combine(metric, after) - combine(metric, before)


def _score_change_p_value(metric: Metric, sample: PairedSample) -> float:
    values, _, covariance = sample.score_moments(metric.rate)
    if metric.compares_groups:
        weights = np.array([rate_weights(metric, [side])[1] for side in values])
        change = float(combine(metric, [values[1]]) - combine(metric, [values[0]]))
    else:
        weights, change = np.ones((2, 1)), float(values[1, 0] - values[0, 0])
    signed = weights * np.array([[-1.0], [1.0]])
    variance = float(np.nansum(np.einsum("ag,bg,abg->g", signed, signed, _filled(covariance))))
    if np.isnan(change):
        return float("nan")
    if variance <= 0.0:
        return 1.0 if change == 0.0 else 0.0
    return float(2.0 * ndtr(-abs(change) / np.sqrt(variance)))
