"""A rule on its way from the search to being measured, and its bounds: moved to where they do most for their records' number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.rules.binning import short_cuts
from core.rules.conditions import Condition, Held
from core.rules.evidence import LIFT, Evidence, merit
from core.typing import Floats, Positions

CUTS = 64
"""Bounds tried on either side."""
NEARLY = 0.99
"""Of intervals that do this share of what the best does, the one of fewest records is taken."""


@dataclass(frozen=True, eq=False)
class Rule:
    """A conjunction, the records it describes, and what is known of them.

    Parameters
    ----------
    conditions : tuple of Condition
    rows : ndarray of int
        Its records, counted among the retained ones.
    sums : ndarray, shape (n_sums,)
        Sums of the evidence over them.
    cause : int
        Which cause it is about.
    p_value : float
    oddity : float
        How odd its records' labels are to the model, beyond what the rule takes to name; 0 where nothing is known.
    q_value : float
        False discovery rate over all rules tried.
    predicted : float
        Predicted change of the metric without the records together.
    closes : float
        By how much that closes the gap, by the steady measure.
    looked_at : bool
        Whether it is among the best-scored rules, whose records are removed from some of a forest's trees where that is possible.
    """

    conditions: tuple[Condition, ...]
    rows: Positions
    sums: Floats
    cause: int
    p_value: float
    oddity: float = 0.0
    q_value: float = float("nan")
    predicted: float = float("nan")
    closes: float = float("nan")
    looked_at: bool = False

    @classmethod
    def of(cls, conditions: tuple[Condition, ...], rows: Positions, evidence: Evidence, cause: int) -> Rule:
        """Return a rule with its sums and p-value."""
        sums = evidence.terms[rows].sum(axis=0)
        return cls(conditions, rows, sums, cause, float(evidence.p_values(sums[None])[0]))

    def merit(self, n_rows: int) -> float:
        """Return how much it does for the worse-off group, less what its length and size count against it."""
        return float(merit(self.sums, np.array(len(self.conditions)), n_rows))

    def shares_cause(self, other: Rule, helpful: Floats, share: float) -> bool:
        """Return whether two rules have `share` of what the helpful records of the smaller one add up to in common."""
        common = helpful[np.intersect1d(self.rows, other.rows, assume_unique=True)].sum()
        return bool(common >= share * min(helpful[self.rows].sum(), helpful[other.rows].sum()))


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
