"""Thresholds that gaps are held against.

Conventions to look by, never a verdict on what is allowed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.errors import InputError, nearest
from core.metrics.catalog import METRICS

if TYPE_CHECKING:
    from core.metrics.report import AuditReport

DIFFERENCE = 0.05
CHANCE = 0.05
PROFILES = {
    "Differences up to 0.05, ratios from 0.9": (0.05, 0.9),
    "Differences up to 0.10, ratios from 0.8": (0.10, 0.8),
    "Four-fifths rule: ratios from 0.8": (0.20, 0.8),
}
USUAL = next(iter(PROFILES))
INSIDE, OUTSIDE, OPEN, UNSURE, UNDEFINED = "inside", "outside", "open", "insufficient evidence", "undefined"
MEANING = {
    INSIDE: "the whole interval lies within the threshold",
    OUTSIDE: "the whole interval lies beyond the threshold",
    OPEN: "the interval reaches over the threshold, so the data cannot tell",
    UNSURE: "a group is too small to say on which side of the threshold the gap lies",
    UNDEFINED: "fewer than two groups have the rate",
}


def threshold(metric: str, profile: str) -> float:
    """Return what a profile holds a gap against.

    Examples
    --------
    >>> threshold("demographic_parity_ratio", "Four-fifths rule: ratios from 0.8")
    0.8
    """
    if profile not in PROFILES:
        known = ", ".join(map(repr, PROFILES))
        raise InputError(f"The profile must be one of {known}. Got {profile!r}.{nearest(profile, PROFILES)}")
    difference, ratio = PROFILES[profile]
    return ratio if METRICS[metric].better == "higher" else difference


def verdict(metric: str, low: float, high: float, limit: float, *, unsure: bool, q_value: float = 1.0) -> str:
    """Return where a gap's interval lies.

    Parameters
    ----------
    metric : str
        Says which way is better.
    low, high : float
        The interval; for two groups that of the signed difference.
    limit : float
        The threshold.
    unsure : bool
        Whether one of its groups is too small. A gap that lies beyond the threshold all the same, and beyond chance, is outside.
    q_value : float
        How often groups that do not matter look as different, corrected over all gaps that are shown.

    Examples
    --------
    >>> verdict("equal_opportunity_difference", 0.06, 0.12, 0.05, unsure=False)
    'outside'
    >>> verdict("equal_opportunity_difference", -0.02, 0.04, 0.05, unsure=False)
    'inside'
    >>> verdict("demographic_parity_ratio", 0.75, 0.9, 0.8, unsure=False)
    'open'
    """
    if math.isnan(low) or math.isnan(high):
        return UNDEFINED
    if METRICS[metric].better == "higher":
        # A signed ratio above 1 means that the groups change places: its inverse is as far from 1.
        inside, outside = low >= limit and high <= 1 / limit, high < limit or low > 1 / limit
    else:
        inside, outside = max(abs(low), abs(high)) <= limit, low > limit or high < -limit
    if unsure:
        return OUTSIDE if outside and q_value < CHANCE else UNSURE
    return INSIDE if inside else OUTSIDE if outside else OPEN


def held_against(report: AuditReport, feature: str, profile: str = USUAL) -> pd.DataFrame:
    """Return the gaps of a sensitive feature with what a profile holds them against.

    As `core.figures.gaps` draws them.

    Parameters
    ----------
    report : AuditReport
    feature : str
        As the report names it.
    profile : str
        One of `PROFILES`.

    Returns
    -------
    DataFrame
        Indexed by what each gap is called: the report's columns, and ``metric``, ``threshold``, ``verdict``, ``formula`` and ``n``.
    """
    table = report.gaps.xs(feature, level=1).reset_index()
    found = [METRICS[name] for name in table["metric"]]
    table["threshold"] = [threshold(metric.name, profile) for metric in found]
    table["verdict"] = [verdict_on(row, row["threshold"]) for _, row in table.iterrows()]
    table["formula"] = [metric.formula for metric in found]
    table["n"] = report.n
    labels = [metric.heading(pos_is_favorable=report.pos_is_favorable) for metric in found]
    return table.set_axis(pd.Index(labels, name="gap"), axis="index")


def verdict_on(row: pd.Series[Any], limit: float) -> str:
    """Return where the interval of a gap lies, from its row in `held_against`."""
    return verdict(
        row["metric"], row["low"], row["high"], limit, unsure=bool(row["insufficient"]), q_value=row["q_value"]
    )
