"""A rule on its way from the search to being confirmed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.rules.conditions import Condition
from core.rules.evidence import Evidence, merit
from core.typing import Floats, Positions


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
