"""The verdict: whether it is fairer, and who pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from core.metrics.catalog import METRICS, Metric
from core.metrics.compared import ALL_RECORDS, Compared
from core.metrics.gaps import deciding_rate
from core.metrics.guardrails.levels import FEWEST, Levels, row_of

Verdict = Literal["fairer", "fairer_by_levelling_down", "mixed", "less_fair", "no_clear_change"]
SIZES = ("difference", "ratio")


@dataclass(frozen=True)
class Ends:
    """The groups worst and best off before, and how the level of each moved.

    Levels are of the rate that decides the chosen gap.

    Parameters
    ----------
    rate : str
        The rate.
    worst, best : str
        Names of groups; empty where fewer than two are large enough.
    rise : float
        How much better the worst-off level is after, whichever group has it.
    fall : float
        How much worse the best-off level is.
    """

    rate: str
    worst: str
    best: str
    rise: float
    fall: float


@dataclass(frozen=True)
class Findings:
    """The findings that the verdict follows from.

    Parameters
    ----------
    gap : {"better", "worse", ""}
        Which way the chosen gap went; empty where that may be chance, or is too little to count.
    ends : Ends
        Its two ends.
    worst_falls : bool
        Whether the level of the group that was worst off fell.
    widened : tuple of str
        Other sensitive features by which the same gap widened.
    accuracy_drop : float
        How much of all decisions is right no longer.
    over_budget : bool
        Whether that is more than allowed.
    level_falls : bool
        Whether any group's level fell.
    """

    gap: str
    ends: Ends
    worst_falls: bool
    widened: tuple[str, ...]
    accuracy_drop: float
    over_budget: bool
    level_falls: bool


def findings_of(compared: Compared, levels: Levels, metric: Metric, feature: str, max_utility_drop: float) -> Findings:
    """Return what the verdict follows from."""
    ends = _ends(compared, metric, feature)
    groups, metrics = levels.groups, levels.metrics
    chosen = row_of(metrics, (metric.name, feature))
    worst = (ends.rate, feature, ends.worst)
    widened = [
        str(of)
        for (name, of), clear, way in zip(metrics.index, metrics["clear"], metrics["direction"], strict=True)
        if name == metric.name and of != feature and clear and way == "worse"
    ]
    accuracy = row_of(metrics, ("accuracy", ALL_RECORDS))
    drop = float(accuracy["before"] - accuracy["after"])
    return Findings(
        gap=_way(chosen),
        ends=ends,
        worst_falls=_falls(compared, groups, worst),
        widened=tuple(widened),
        accuracy_drop=drop,
        over_budget=drop > max_utility_drop,
        level_falls=bool((groups["clear"].to_numpy() & (groups["direction"].to_numpy() == "worse")).any()),
    )


def verdict_of(findings: Findings) -> Verdict:
    """Return the first verdict that holds.

    Examples
    --------
    >>> ends = Ends("true_positive_rate", "women", "men", rise=-0.17, fall=0.38)
    >>> verdict_of(Findings("better", ends, True, (), 0.09, True, True))
    'fairer_by_levelling_down'
    """
    if findings.gap == "better" and findings.ends.fall > findings.ends.rise:
        return "fairer_by_levelling_down"
    if findings.gap == "worse" or findings.worst_falls:
        return "less_fair"
    if findings.gap == "better":
        return "mixed" if findings.widened or findings.over_budget else "fairer"
    return "mixed" if findings.level_falls else "no_clear_change"


def _way(gap: dict[str, Any]) -> str:
    """Return which way the chosen gap clearly went.

    One turned round has to be smaller in the population too to count as better.
    """
    sure = not gap["reversed"] or gap["low"] > 0 or gap["high"] < 0
    return str(gap["direction"]) if gap["clear"] and (sure or gap["direction"] == "worse") else ""


def _ends(compared: Compared, metric: Metric, feature: str) -> Ends:
    view, names = compared.views[feature], compared.names[feature]
    before, after = ([view.rate(rate)[side].estimate for rate in metric.rates] for side in (0, 1))
    which = deciding_rate(metric, before)
    rate = METRICS[metric.rates[which]]
    good = 1.0 if rate.worst_end(pos_is_favorable=compared.before.pos_is_favorable) == "low" else -1.0
    levels = good * before[which], good * after[which]
    known = ~(np.isnan(levels[0]) | np.isnan(levels[1]))
    large = known & (compared.rows(rate.name, feature) >= FEWEST)
    counted = large if large.sum() >= 2 else known
    if counted.sum() < 2:
        return Ends(rate.name, "", "", np.nan, np.nan)
    old, new = (np.where(counted, side, np.nan) for side in levels)
    rise, fall = float(np.nanmin(new) - np.nanmin(old)), float(np.nanmax(old) - np.nanmax(new))
    return Ends(rate.name, names[int(np.nanargmin(old))], names[int(np.nanargmax(old))], rise, fall)


def _falls(compared: Compared, groups: pd.DataFrame, key: tuple[str, str, str]) -> bool:
    """Return whether a level is clearly worse for the group.

    The end of the rate that is bad for the group tells.
    """
    if key not in groups.index:
        return False
    row = row_of(groups, key)
    low_is_bad = METRICS[key[0]].worst_end(pos_is_favorable=compared.before.pos_is_favorable) == "low"
    return bool(row["clear"] and (row["change"] < 0) == low_is_bad)
