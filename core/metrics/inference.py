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


def scaled_columns(
    metric: Metric, draws: RateDraws, *, logarithms: bool | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return estimates and deviations on the scale a metric compares on.

    Ratios are compared on logarithms.
    """
    if not (metric.kind == "ratio" if logarithms is None else logarithms):
        return draws.estimate, draws.draws - draws.centre
    centre = np.maximum(draws.centre, 1e-12)
    return np.log(centre), np.log(np.maximum(draws.draws, LEAST_SHARE * centre)) - np.log(centre)


def contrasts_of(metric: Metric, defined: list[BoolArray], reference: int | None = None) -> Contrasts:
    """Return the contrasts of which the metric is the largest.

    Rate r of group g is column r * G + g. With a `reference` group, those between it and another.
    """
    parts = []
    for which, present in enumerate(defined):
        columns = np.flatnonzero(present) + which * len(present)
        if reference is not None:
            parts.append(all_pairs(columns).between(reference + which * len(present)))
            continue
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


def gap_interval(
    metric: Metric, rates: list[RateDraws], level: float, reference: int | None = None
) -> tuple[float, float]:
    """Return the interval of a metric that compares groups.

    Parameters
    ----------
    metric : Metric
        A difference, ratio or extreme.
    rates : list of RateDraws
        One per rate of the metric.
    level : float
        Coverage.
    reference : int, optional
        The group the others are compared with; None compares all with one another.

    Returns
    -------
    low, high : float
        NaN if fewer than two groups have the rate. With two groups and one rate this is the interval of the signed
        difference (ratio): below 0 (above 1) the groups change places.
    """
    defined = [~np.isnan(rate.estimate) for rate in rates]
    contrasts = contrasts_of(metric, defined, reference)
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
        metric,
        low,
        high,
        signed=contrasts.signed_pair,
        value=float(combine(metric, [r.estimate for r in rates], reference)),
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


def gap_p_value(metric: Metric, sample: GroupSample, reference: int | None = None) -> float:
    """Return how often groups that do not matter would look as different.

    Group labels are permuted within the stratum the rate conditions on; for scores, groups are drawn from normal errors. The
    statistic is the largest difference between two groups, or to the `reference` group, in units of its own error, so a ratio's p-value
    is its difference's.
    """
    values = [sample.values(rate) for rate in metric.rates]
    if metric.kind not in ("difference", "ratio") or np.isnan(combine(metric, values, reference)):
        return float("nan")
    key = (*metric.rates, "" if reference is None else str(reference))
    if key not in sample.p_values:
        null = [null_rate(rate, sample) for rate in metric.rates]
        sample.p_values[key] = largest_p_value(values, null, reference)
    return sample.p_values[key]


def largest_p_value(values: list[FloatArray], null: list[FloatArray], reference: int | None = None) -> float:
    """Return how often groups that do not matter differ as much, in units of the error.

    Parameters
    ----------
    values : list of float array, shape (G,)
        One rate of every group each; NaN where it has none.
    null : list of float array, shape (n_resamples, G)
        The same where groups do not matter, less what all have in common.
    reference : int, optional
        The group the others are compared with; None compares all with one another.
    """
    pairs = [all_pairs(np.flatnonzero(~np.isnan(v)) + k * len(v)) for k, v in enumerate(values)]
    if reference is not None:
        pairs = [part.between(reference + k * len(values[k])) for k, part in enumerate(pairs)]
    drawn = zero_filled(np.hstack(null))
    return upper_p_value(*largest_studentised(zero_filled(np.concatenate(values)), drawn, join(pairs)))


def null_rate(rate: str, sample: GroupSample) -> FloatArray:
    """Return resamples of a rate where groups do not matter, less the rate of all."""
    if rate not in sample.null_rates:
        sample.null_rates[rate] = _null_rate(rate, sample)
    return sample.null_rates[rate]


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
