"""All rules of one and two conditions within the support bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.rules.binning import Binned
from core.rules.conditions import Condition
from core.rules.tracing import Trace
from core.typing import Bools, Floats, Positions


@dataclass(frozen=True, eq=False)
class ShortRules:
    """Rules of one and two conditions, by the conditions' places.

    Parameters
    ----------
    binned : Binned
    holds : ndarray of bool, shape (n_conditions, n_rows)
        Which rows each condition holds for.
    places : ndarray of int, shape (n_rules, 2)
        Both conditions of every rule; the same one twice for a rule of one.
    counts : ndarray of int, shape (n_rules,)
        Records of every rule.
    """

    binned: Binned
    holds: Bools
    places: Positions
    counts: Positions

    def __len__(self) -> int:
        return len(self.places)

    def rows(self, rule: int) -> Positions:
        """Return the records of a rule."""
        first, second = self.places[rule]
        return np.flatnonzero(self.holds[first] & self.holds[second])

    def conditions(self, rule: int) -> tuple[Condition, ...]:
        """Return the conditions of a rule."""
        return tuple(self.binned.conditions[place] for place in dict.fromkeys(self.places[rule].tolist()))

    @property
    def lengths(self) -> Positions:
        """How many conditions every rule has."""
        return np.where(self.places[:, 0] == self.places[:, 1], 1, 2)

    def take(self, rules: Positions) -> ShortRules:
        """Return some of the rules."""
        return ShortRules(self.binned, self.holds, self.places[rules], self.counts[rules])

    def most_promising(self, trace: Trace, most: int) -> ShortRules:
        """Return up to `most` rules.

        Those of one condition first, then those whose records do most one by one, for their size.
        """
        if len(self) <= most:
            return self
        sums = _pair_sums(self.holds, trace.gain) + _pair_sums(self.holds, trace.lift)
        first, second = self.places.T
        value = np.where(self.lengths == 1, np.inf, sums[first, second] / np.sqrt(self.counts))
        return self.take(np.sort(np.argsort(-value, kind="stable")[:most]))


def short_rules(binned: Binned, counts: tuple[int, int], max_predicates: int) -> ShortRules:
    """Return the rules of one condition, and of two where these are allowed.

    Passed over are rules whose second condition leaves the records of the first as they are. One product of matrices,
    O(n_conditions^2 n_rows).

    Parameters
    ----------
    binned : Binned
    counts : tuple of int
        Fewest and most records of a rule.
    max_predicates : int
    """
    bins = binned.bins[:, binned.columns].T
    holds = (bins >= binned.starts[:, None]) & (bins < binned.stops[:, None])
    together = np.rint(_pair_sums(holds, np.ones(len(binned.bins)))).astype(np.intp)
    own = together.diagonal()
    first, second = np.triu_indices(len(holds))
    single = first == second
    size = together[first, second]
    narrower = size < np.minimum(own[first], own[second])
    apart = binned.columns[first] != binned.columns[second]
    wanted = single | (apart & narrower) if max_predicates > 1 else single
    fits = wanted & (size >= counts[0]) & (size <= counts[1])
    return ShortRules(binned, holds, np.column_stack([first, second])[fits], size[fits])


def _pair_sums(holds: Bools, values: Floats) -> Floats:
    """Return the sum of values over the rows that each two conditions both hold for."""
    narrow = holds.astype(np.float32)
    return np.asarray((narrow * values.astype(np.float32)) @ narrow.T, dtype=np.float64)
