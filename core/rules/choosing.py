"""Which rule to show of those that are about one cause.

Rules are about one cause where their records are much the same, or where they share most of what their helpful records add up to: two
rules may have few records in common and still be about the same ones that matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.rules.rule import Rule
from core.typing import Floats

SAME = 0.4
"""Jaccard similarity of records from which on two rules are about one cause."""
SHARED = 0.8
"""Share of the smaller rule's records, or of what its helpful records add up to, from which on they are."""
ALIKE = 0.5
"""Rules about a cause that close the gap by this share of what the best does: labels decide between them, where they say anything."""
AS_ODD, SURE = 0.8, 3.0
"""A rule's labels count as odd as the oddest ones' with this share of their evidence, or with so many nats less: a likelihood ratio of 20."""
MOST = 50


def shown_first(rules: Sequence[Rule], gain: Floats, most: int = MOST) -> list[Rule]:
    """Return up to `most` rules, one for every cause, by their worth.

    Parameters
    ----------
    rules : sequence of Rule
        Scored, by their worth.
    gain : ndarray, shape (n_retained,)
        What every record's going does to the gap, positive where it helps.
    most : int
    """
    helpful = np.maximum(gain, 0.0)
    left, chosen = list(rules), list[Rule]()
    while left and len(chosen) < most:
        near = [one for one in left if one is left[0] or _same_cause(left[0], one, helpful)]
        shown = _to_show(near, len(gain))
        chosen.append(replace(shown, stands_for=near[0].worth(len(gain)) / shown.worth(len(gain))))
        left = [one for one in left if one not in near and not _same_cause(shown, one, helpful)]
    return chosen


def _to_show(near: list[Rule], n_rows: int) -> Rule:
    """Return the one to show of rules about one cause.

    The best, or of those that do half as much the one of oddest labels.
    """
    alike = [one for one in near if one.closes >= ALIKE * near[0].closes]
    oddest = max(one.oddity for one in alike)
    if oddest <= 0.0:
        return near[0]
    odd = [one for one in alike if one.oddity >= min(AS_ODD * oddest, oddest - SURE)]
    return min(odd, key=lambda one: (len(one.conditions), -one.worth(n_rows)))


def _same_cause(one: Rule, other: Rule, helpful: Floats) -> bool:
    common = one.common(other)
    smaller, union = min(len(one.rows), len(other.rows)), len(one.rows) + len(other.rows) - len(common)
    if len(common) >= SAME * union or len(common) >= SHARED * smaller:
        return True
    least = min(helpful[one.rows].sum(), helpful[other.rows].sum())
    return bool(least > 0.0 and helpful[common].sum() >= SHARED * least)
