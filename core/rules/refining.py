"""Moving the bounds of a rule's intervals from the edges of bins to where they do most for their records' number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.rules.binning import short_cuts
from core.rules.conditions import Condition, Held
from core.rules.evidence import LIFT, Evidence
from core.rules.rule import Rule
from core.typing import Floats

CUTS = 64
"""Bounds tried on either side."""
NEARLY = 0.99
"""Of intervals that do this share of what the best does, the one of fewest records is taken."""


def refine(rule: Rule, table: Held, evidence: Evidence, fixed: Callable[[str], bool], counts: tuple[int, int]) -> Rule:
    """Return the rule with its intervals, one after the other, as they do most for the worse-off group.

    Parameters
    ----------
    rule : Rule
    table : Held
        The retained training rows.
    evidence : Evidence
    fixed : callable
        Says of a column whether its edges were chosen by the user and stay.
    counts : tuple of int
        Fewest and most records.
    """
    n_rows = len(table.table)
    for place, one in enumerate(rule.conditions):
        if not one.is_interval or fixed(one.column):
            continue
        rows = table.by_all(rule.conditions[:place] + rule.conditions[place + 1 :])
        numbers = table.numbers(one.column)[rows]
        moved = _best_interval(one.column, numbers, evidence.terms[rows, LIFT], counts)
        if moved is not None:
            conditions = (*rule.conditions[:place], moved, *rule.conditions[place + 1 :])
            found = Rule.of(conditions, rows[moved.among(numbers)], evidence, rule.cause)
            if found.merit(n_rows) > rule.merit(n_rows):
                rule = found
    return rule


def _best_interval(column: str, numbers: Floats, gains: Floats, counts: tuple[int, int]) -> Condition | None:
    known = ~np.isnan(numbers)
    numbers, gains = numbers[known], gains[known]
    cuts = np.unique(np.quantile(numbers, np.arange(1, CUTS) / CUTS, method="higher")) if len(numbers) else np.empty(0)
    cuts = cuts[cuts > numbers.min()] if len(cuts) else cuts
    if not len(cuts):
        return None
    cell = np.searchsorted(cuts, numbers, side="right")
    cells = len(cuts) + 1
    totals = np.bincount(cell, minlength=cells), np.bincount(cell, gains, minlength=cells)
    size, lift = (np.concatenate([[0.0], np.cumsum(total)]) for total in totals)
    count, value = size[None, :] - size[:, None], lift[None, :] - lift[:, None]
    value[(count < counts[0]) | (count > counts[1])] = -np.inf
    value[0, cells] = -np.inf
    best = float(value.max())
    if not 0.0 < best < np.inf:
        return None
    low, high = np.unravel_index(int(np.argmin(np.where(value >= NEARLY * best, count, np.inf))), count.shape)
    present = np.unique(numbers)
    bounds = [
        float(short_cuts(cuts[at - 1 : at], present)[0]) if 0 < at < cells else None for at in (int(low), int(high))
    ]
    return Condition(column, low=bounds[0], high=bounds[1])
