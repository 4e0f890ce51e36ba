"""Whether a rule's records push a gap further than chance would have it, on rows that the search did not see.

Two questions, of which the less favourable answer counts. Do these records help more than random ones, as many of every group
and label? And do they help at all: summed over a rule, influence is how far the labels lie from what the model says of these
records, along the direction that moves the gap, and where nothing is wrong with the labels that is noise around 0.

References
----------
Hoeffding, W. (1963). Probability inequalities for sums of bounded random variables. JASA 58.
de la Pena, V. H. (1999). A general class of exponential inequalities for martingales and ratios. Annals of Probability 27.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.numerics.statistics.false_discovery import bernstein_bound
from core.rules.tracing import Trace
from core.typing import Codes, Floats

CLIPPED = 6.0
"""Gains are cut off at so many root mean squares, or one record would set the bound for all."""
LIFT = 3
"""Sum of a rule's lift; the three before it are the search's own."""
BRIEF = 0.03
"""Each condition after the first, and each further twentieth of the records, counts so much against a rule."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is summed over the records of every rule, and what the sums say.

    Parameters
    ----------
    terms : ndarray, shape (n_rows, n_sums)
        1, the gain, its positive part and the lift, on the rows searched on; then, on the rows kept back, the gain, its square, the
        mean square of the record's group, the gain less the mean of its group and label, and the variance there.
    largest : float
        No gain lies farther than this from the mean of its group and label.
    tested : bool
        Whether rows were kept back.
    """

    terms: Floats
    largest: float
    tested: bool

    @classmethod
    def of(cls, trace: Trace, group: Codes, label: Codes) -> Evidence:
        """Return the evidence in the records' gains, their groups and labels, each of shape (n_rows,)."""
        gain, lift, kept_back = trace.gain, trace.lift, trace.kept_back
        first = [np.ones(len(gain)), gain, np.maximum(gain, 0.0), lift]
        if kept_back is None:
            return cls(np.column_stack(first), 0.0, tested=False)
        limit = CLIPPED * float(np.sqrt(np.mean(kept_back**2)))
        cut = np.clip(kept_back, -limit, limit)
        stratum = np.unique(group * (int(label.max()) + 1) + label, return_inverse=True)[1]
        centred = cut - _means(cut, stratum)
        rest = [cut, cut**2, _means(cut**2, group), centred, _means(centred**2, stratum)]
        return cls(np.column_stack([*first, *rest]), float(np.abs(centred).max()), tested=True)

    def p_values(self, sums: Floats) -> Floats:
        """Return the p-value of every rule from its sums, shape (n_rules, n_sums); NaN where no rows were kept back."""
        if not self.tested:
            return np.full(len(sums), np.nan)
        gain, squares, usual, beyond, variance = sums[:, LIFT + 1 :].T
        against_none = bernstein_bound(gain, np.maximum(squares, usual), 0.0)
        against_random = bernstein_bound(beyond, variance, self.largest)
        return np.asarray(np.maximum(against_none, against_random))


def merit(sums: Floats, length: Codes, n_rows: int) -> Floats:
    """Return how much rules do for the worse-off group, less what their length and their size count against them.

    Parameters
    ----------
    sums : ndarray, shape (..., n_sums)
    length : ndarray of int
        Conditions of every rule.
    n_rows : int
        Retained records.
    """
    cost = BRIEF * (np.asarray(length) - 1) + 20.0 * BRIEF * sums[..., 0] / n_rows
    return np.asarray(sums[..., LIFT] * (1.0 - cost))


def _means(values: Floats, codes: Codes) -> Floats:
    """Return for every row the mean of its kind."""
    count = np.maximum(np.bincount(codes), 1)
    return np.asarray((np.bincount(codes, values) / count)[codes])
