"""Which rule to show of those that are about one cause, and which cause first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.rules.causes import NEARLY, SAME
from core.rules.rule import Rule
from core.typing import Floats

ALIKE = 0.8
"""Rules about a cause that close the gap by this share of what the best does: labels decide between them, where they say anything."""
AS_ODD, SURE = 0.8, 3.0
"""A rule's labels count as odd as the oddest ones' with this share of their evidence, or with so many nats less: a likelihood ratio of 20."""


def shown_first(rules: Sequence[Rule], helpful: Floats, n_rows: int) -> list[Rule]:
    """Return the scored rules, the one to show of every cause before all others, each part by how far it closes the gap.

    Parameters
    ----------
    rules : sequence of Rule
        Those whose closing is NaN are left out.
    helpful : ndarray, shape (n_rows,)
        The helpful part of every retained record's gain.
    n_rows : int
        Retained records.
    """
    able = sorted((one for one in rules if not np.isnan(one.closes)), key=lambda one: -one.closes)
    causes = dict.fromkeys(one.cause for one in able)
    best = [_to_show([one for one in able if one.cause == cause], n_rows) for cause in causes]
    apart: list[Rule] = []
    for one in sorted(best, key=lambda one: -one.merit(n_rows)):
        same = [other for other in apart if one.shares_cause(other, helpful, SAME)]
        if not any(other in _as_odd([*same, one]) for other in same):
            apart = [other for other in apart if other not in same] + [one]
    best = sorted(apart, key=lambda one: -one.closes)
    return best + [one for one in able if one not in best]


def _to_show(rules: list[Rule], n_rows: int) -> Rule:
    """Return the one to show of rules about one cause: among those that do much the same, labels decide, where they say anything."""
    most = rules[0].closes
    alike = [one for one in rules if one.closes >= ALIKE * most] or rules[:1]
    if max(one.oddity for one in alike) > 0.0:
        return min(_as_odd(alike), key=lambda one: (len(one.conditions), -one.merit(n_rows)))
    enough = [one for one in rules if one.closes >= NEARLY * most] or rules[:1]
    return max(enough, key=lambda one: one.merit(n_rows))


def _as_odd(rules: list[Rule]) -> list[Rule]:
    """Return the rules whose records' labels are nearly as odd as the oddest ones'."""
    oddest = max(one.oddity for one in rules)
    return [one for one in rules if one.oddity >= min(AS_ODD * oddest, oddest - SURE)]
