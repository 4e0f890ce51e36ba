"""Gaps pooled over strata: the rates of all groups standardised to the same mix of strata.

The mix is that of all audited records a rate is taken over (direct standardisation), so that what differs is not who stands in which
stratum. Permutations stay within strata.

References
----------
Simpson (1951), The interpretation of interaction in contingency tables, JRSS B 13. Rothman, Greenland & Lash (2008), Modern Epidemiology,
chapter 15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.metrics.catalog import METRICS, Metric
from core.metrics.gaps import combine, deciding_rate
from core.metrics.group_evidence import RateEvidence
from core.metrics.inference import gap_interval, largest_p_value, null_rate
from core.metrics.rates import RATES, terms_of
from core.metrics.samples import GroupSample, RateDraws
from core.numerics.statistics.counts import BoolArray, FloatArray
from core.words import listing, number

COVERED = 0.8
"""Groups that are missing in strata are left out of pooled figures until strata of this share of the records have all others."""
SAME = 1e-9
CHANCE = 0.05
POOLED = (
    "value",
    "low",
    "high",
    "p_value",
    "worst_group",
    "best_group",
    "over_all",
    "stratum",
    "share",
    "reversed",
    "reversed_in",
    "n_strata",
    "covered",
    "left_out",
    "q_value",
)


class StratumView(NamedTuple):
    """A stratum as one sensitive feature's groups see it."""

    name: str
    view: GroupSample
    evidence: dict[str, RateEvidence]


def _mix(rate: str, strata: Sequence[StratumView]) -> FloatArray:
    """Return the records of every stratum that a rate is taken over."""
    if METRICS[rate].uses == "scores" or len(RATES[rate].terms) > 1:
        return np.array([float(one.view.counts.sum()) for one in strata])
    ((_, bottom),) = terms_of(rate, pos_is_favorable=strata[0].view.sample.pos_is_favorable)
    return np.array([float((one.view.counts * bottom).sum()) for one in strata])


class _Standardised(NamedTuple):
    """A rate of every group with strata mixed alike; NaN for groups left out."""

    draws: RateDraws
    null: FloatArray
    by_stratum: FloatArray
    mix: FloatArray
    covered: float


def _standardised(rate: str, strata: Sequence[StratumView]) -> _Standardised:
    drawn = [one.view.rate(rate) for one in strata]
    found = np.array([one.estimate for one in drawn])
    mix = _mix(rate, strata)
    whole = max(float(mix.sum()), 1e-300)
    kept, used = _comparable(~np.isnan(found), mix / whole)
    covered = float(mix[used].sum()) / whole
    mix = np.where(used, mix, 0.0)
    mix = mix / max(float(mix.sum()), 1e-300)
    out = np.where(kept, 0.0, np.nan)

    def standard(values: Sequence[FloatArray]) -> FloatArray:
        parts = [share * np.where(kept, value, 0.0) for share, value, use in zip(mix, values, used, strict=True) if use]
        return np.asarray(np.sum(parts, axis=0) + out if parts else out + np.zeros_like(values[0]) * np.nan)

    null = [null_rate(rate, one.view) for one in strata]
    draws = RateDraws(*(standard([getattr(one, name) for one in drawn]) for name in RateDraws._fields))
    return _Standardised(draws, standard(null), found, mix, covered)


def _comparable(has: BoolArray, share: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return which groups are compared, and the strata that have all of these."""
    kept: BoolArray = np.asarray(has.any(axis=0))
    while True:
        used = has[:, kept].all(axis=1) & (share > 0)
        if share[used].sum() >= COVERED or kept.sum() <= 2:
            return kept, used
        lacking = np.where(kept, share @ ~has, -1.0)
        kept = np.asarray(kept & (np.arange(len(kept)) != int(np.argmax(lacking))))


def pooled_row(
    metric: Metric, strata: Sequence[StratumView], names: Sequence[str], level: float, over_all: Mapping[Any, Any]
) -> tuple[Any, ...]:
    """Return what POOLED names for one metric and feature."""
    parts = [_standardised(rate, strata) for rate in metric.rates]
    values = [part.draws.estimate for part in parts]
    value = float(combine(metric, values))
    low, high = gap_interval(metric, [part.draws for part in parts], level)
    place = deciding_rate(metric, values)
    part, rate = parts[place], METRICS[metric.rates[place]]
    left_out = ", ".join(names[group] for group in np.flatnonzero(np.isnan(values[place])).tolist())
    p_value, turned = np.nan, (False, "")
    ends: tuple[str | None, str | None] = (None, None)
    lives: tuple[str | None, float] = (None, np.nan)
    if not np.isnan(value):
        if metric.kind in ("difference", "ratio"):
            p_value = largest_p_value(values, [one.null for one in parts])
        bottom, top = int(np.nanargmin(values[place])), int(np.nanargmax(values[place]))
        lowest = rate.worst_end(pos_is_favorable=strata[0].view.sample.pos_is_favorable) == "low"
        ends = (names[bottom], names[top]) if lowest else (names[top], names[bottom])
        lives = _home(part, bottom, top, strata)
        turned = _turned(part, names, over_all, strata, lowest=lowest)
    n_strata = int(np.count_nonzero(part.mix))
    return (
        value,
        low,
        high,
        p_value,
        *ends,
        over_all["value"],
        *lives,
        *turned,
        n_strata,
        part.covered,
        left_out,
        np.nan,
    )


def _home(part: _Standardised, bottom: int, top: int, strata: Sequence[StratumView]) -> tuple[str | None, float]:
    """Return the stratum that makes most of a difference, and its share of that."""
    adds = part.mix * np.nan_to_num(part.by_stratum[:, top] - part.by_stratum[:, bottom])
    total = float(adds.sum())
    place = int(np.argmax(adds))
    return (strata[place].name, float(adds[place]) / total) if total > SAME else (None, np.nan)


def _turned(
    part: _Standardised,
    names: Sequence[str],
    over_all: Mapping[Any, Any],
    strata: Sequence[StratumView],
    *,
    lowest: bool,
) -> tuple[bool, str]:
    """Return whether the groups at the ends change places with strata mixed alike.

    And in which strata they do.
    """
    if over_all["worst_group"] is None or over_all["worst_group"] == over_all["best_group"]:
        return False, ""
    worst, best = names.index(over_all["worst_group"]), names.index(over_all["best_group"])
    sign = 1.0 if lowest else -1.0
    standard = sign * (part.draws.estimate[best] - part.draws.estimate[worst])
    within = sign * (part.by_stratum[:, best] - part.by_stratum[:, worst])
    inside = [one.name for one, ahead in zip(strata, within, strict=True) if ahead < -SAME]
    return bool(standard < -SAME), "; ".join(inside)


def reversals(
    pooled: Mapping[tuple[str, ...], tuple[Any, ...]],
    compared: Sequence[Metric],
    feature: str,
    strata: Sequence[StratumView],
    names: Sequence[str],
    control: str,
    over_all: pd.DataFrame,
) -> list[str]:
    """Point out where groups stand the other way round within strata, once for each rate."""
    sentences = {}
    for metric in compared:
        row = dict(zip(POOLED, pooled[metric.name, feature], strict=True))
        if metric.kind != "difference" or len(metric.rates) > 1 or not row["reversed"] or metric.rate in sentences:
            continue
        whole = over_all.xs((metric.name, feature)).to_dict()
        if not min(whole["p_value"], row["p_value"]) < CHANCE:
            continue
        worst, best = (names.index(whole[end]) for end in ("worst_group", "best_group"))
        standard = _standardised(metric.rate, strata).draws.estimate
        label = METRICS[metric.rate].words
        inside = str(row["reversed_in"]).split("; ")
        chance = "" if row["p_value"] < CHANCE else " (not beyond chance)"
        sentences[metric.rate] = (
            f"Simpson's reversal: over all rows {names[worst]} is worse off than {names[best]} by {label} ({feature}: gap "
            f"{number(whole['value'])}), but with {control} mixed alike better off, {number(standard[worst])} against "
            f"{number(standard[best])}{chance}; so it is in {listing(inside)}."
        )
    return list(sentences.values())
