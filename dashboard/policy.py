"""Thresholds that gaps are held against: a convention to look by, never a verdict on what is allowed."""

from __future__ import annotations

import math

from core.metrics import METRICS

DIFFERENCE = 0.05
CHANCE = 0.05
PROFILES = {
    "Differences up to 0.05, ratios from 0.9": (0.05, 0.9),
    "Differences up to 0.10, ratios from 0.8": (0.10, 0.8),
    "Four-fifths rule: ratios from 0.8": (0.20, 0.8),
}
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
    difference, ratio = PROFILES[profile]
    return ratio if METRICS[metric].better == "higher" else difference


def verdict(metric: str, low: float, high: float, limit: float, *, unsure: bool, p_value: float = 1.0) -> str:
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
    p_value : float
        How often groups that do not matter look as different.

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
        return OUTSIDE if outside and p_value < CHANCE else UNSURE
    return INSIDE if inside else OUTSIDE if outside else OPEN
