"""A rule on its way from the search to being measured, and its bounds.

These are moved to where they do most for their records' number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.rules.binning import short_cuts
from core.rules.conditions import Condition, Held
from core.rules.tracing import Trace
from core.typing import Floats, Positions

FURTHER = 0.97
"""What each condition after the first leaves of a rule's worth."""
BRIEF = 0.03
"""Each condition after the first, and each further twentieth of the records, counts so much against a rule's merit."""
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
    gain, lift : float
        Sums of the records' single gains, and of what they do for the worse-off group.
    oddity : float
        How odd its records' labels are to the model, beyond what the rule takes to name; 0 where nothing is known.
    predicted : float
        Predicted change of the metric without the records together.
    closes : float
        By how much that closes the gap, by the steady measure.
    looked_at : bool
        Whether it is among the best-scored rules, whose records are removed from some of a forest's trees where that is possible.
    stands_for : float
        Worth of the best rule about the same cause, over its own: above 1 where its labels make it the one to show.
    """

    conditions: tuple[Condition, ...]
    rows: Positions
    gain: float
    lift: float
    oddity: float = 0.0
    predicted: float = float("nan")
    closes: float = float("nan")
    looked_at: bool = False
    stands_for: float = 1.0

    @classmethod
    def of(cls, conditions: tuple[Condition, ...], rows: Positions, trace: Trace) -> Rule:
        """Return a rule with its sums."""
        return cls(conditions, rows, float(trace.gain[rows].sum()), float(trace.lift[rows].sum()))

    def merit(self, n_rows: int) -> float:
        """Return how much its records do for the worse-off group one by one.

        Less what its length and size count against it.
        """
        return self.lift * (1.0 - BRIEF * (len(self.conditions) - 1) - 20.0 * BRIEF * len(self.rows) / n_rows)

    def worth(self, n_rows: int) -> float:
        """Return what it closes, for its size and length."""
        return float(worth(self.closes, len(self.rows) / n_rows, len(self.conditions)))

    def common(self, other: Rule) -> Positions:
        """Return the records that two rules share."""
        return np.intersect1d(self.rows, other.rows, assume_unique=True)

    def likeness(self, other: Rule) -> float:
        """Return the Jaccard similarity of two rules' records."""
        common = len(self.common(other))
        return common / max(len(self.rows) + len(other.rows) - common, 1)


def worth(closes: npt.ArrayLike, support: npt.ArrayLike, length: npt.ArrayLike) -> Floats:
    """Return what rules close over the root of their support.

    Each condition after the first counts 3% against them.

    Chance closes a gap by the root of the number of records that go, so that this is how far beyond it a rule is.
    """
    return np.asarray(closes / np.sqrt(support) * FURTHER ** (np.asarray(length) - 1))


def refine(rule: Rule, table: Held, trace: Trace, fixed: Callable[[str], bool], counts: tuple[int, int]) -> Rule:
    """Return the rule with its intervals moved to where they do most.

    One after the other, for the worse-off group.

    Parameters
    ----------
    rule : Rule
    table : Held
        The retained training rows.
    trace : Trace
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
        moved = _best_interval(one.column, numbers, trace.lift[rows], counts)
        if moved is not None:
            conditions = (*rule.conditions[:place], moved, *rule.conditions[place + 1 :])
            found = Rule.of(conditions, rows[moved.among(numbers)], trace)
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
