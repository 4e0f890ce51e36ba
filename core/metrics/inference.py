"""Intervals and tests of what compares groups: gaps, ratios and extremes.

A gap is the largest of all differences between two groups (`core.numerics.statistics.resampling_gaps`); a ratio is that on logarithms, an
extreme the largest of the rates or their negatives.
"""

from __future__ import annotations

import numpy as np

from core.metrics.catalog import METRICS, Metric
from core.metrics.gaps import combine
from core.metrics.rates import RATES, group_rate, terms_of
from core.metrics.samples import GroupSample, RateDraws
from core.numerics.statistics.counts import BoolArray, FloatArray
from core.numerics.statistics.resampling import upper_p_value
from core.numerics.statistics.resampling_gaps import (
    Contrasts,
    all_pairs,
    join,
    largest_interval,
    largest_studentised,
)

LEAST_SHARE = 0.05
"""Resampled rates are kept above this share of their centre before logarithms are taken."""


def scaled_columns(metric: Metric, draws: RateDraws) -> tuple[FloatArray, FloatArray]:
    """Return estimates and deviations on the scale a metric compares on."""
    if metric.kind != "ratio":
        return draws.estimate, draws.draws - draws.centre
    centre = np.maximum(draws.centre, 1e-12)
    return np.log(centre), np.log(np.maximum(draws.draws, LEAST_SHARE * centre)) - np.log(centre)


def contrasts_of(metric: Metric, defined: list[BoolArray]) -> Contrasts:
    """Return the contrasts of which the metric is the largest.

    Rate r of group g is column r * G + g.
    """
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


def zero_filled(columns: FloatArray) -> FloatArray:
    """Return columns with 0 where a group has no rate."""
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
    contrasts = contrasts_of(metric, defined)
    if len(contrasts) == 0:
        return float("nan"), float("nan")
    scaled = [scaled_columns(metric, rate._replace(estimate=rate.centre)) for rate in rates]
    values = zero_filled(np.concatenate([s[0] for s in scaled]))
    low, high = largest_interval(values, zero_filled(np.hstack([s[1] for s in scaled])), contrasts, level)
    if contrasts.signed_pair:
        low, high = _turned(
            low, high, values, zero_filled(np.concatenate([rate.estimate for rate in rates])), contrasts
        )
    return _on_scale(
        metric, low, high, signed=contrasts.signed_pair, value=float(combine(metric, [r.estimate for r in rates]))
    )


def _turned(
    low: float, high: float, centre: FloatArray, estimate: FloatArray, contrasts: Contrasts
) -> tuple[float, float]:
    """Return the interval of a signed difference, turned the way of its estimate.

    Smoothing may turn it the other way.
    """
    same = contrasts.of(centre).argmax() == contrasts.of(estimate).argmax()
    return (low, high) if same else (-high, -low)


def _on_scale(metric: Metric, low: float, high: float, *, signed: bool, value: float) -> tuple[float, float]:
    if np.isnan(value):
        return float("nan"), float("nan")
    top = metric.most
    if metric.kind == "ratio":
        low, high = np.exp(-high), np.exp(-low) if signed else min(float(np.exp(-low)), 1.0)
        return float(min(low, value)), float(max(high, value))
    if metric.kind == "group_min":
        low, high = -high, -low
    least = 0.0 if not signed else -top
    return float(np.clip(min(low, value), least, top)), float(np.clip(max(high, value), least, top))


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
        null = zero_filled(np.hstack([_null_rate(rate, sample) for rate in metric.rates]))
        sample.p_values[metric.rates] = upper_p_value(
            *largest_studentised(zero_filled(np.concatenate(values)), null, contrasts)
        )
    return sample.p_values[metric.rates]


def _null_rate(rate: str, sample: GroupSample) -> FloatArray:
    if METRICS[rate].uses == "scores":
        error = sample.score_errors(rate)[1]
        noise = sample.streams.of(f"{rate} without a gap").normal(size=(sample.n_resamples, len(error)))
        return np.asarray(noise * error)
    stratum = RATES[rate].stratum
    drawn = group_rate(rate, sample.null(stratum))
    pooled = group_rate(rate, sample.exchangeable(stratum).sum(axis=0, keepdims=True))
    return np.where(np.isnan(drawn), 0.0, drawn - pooled) * _stretch(rate, sample)


def _stretch(rate: str, sample: GroupSample) -> FloatArray | float:
    """Return by how much more a rate scatters than permuting says.

    Weights that go along with what is counted make it do so.
    """
    if not sample.weighted or not RATES[rate].proportion:
        return 1.0
    ((top, bottom),) = terms_of(rate, pos_is_favorable=sample.sample.pos_is_favorable)
    own, kish = sample.share_size(top, bottom), sample.share_size(bottom, bottom)
    return np.sqrt(np.divide(kish, own, out=np.ones_like(own), where=own > 0))
