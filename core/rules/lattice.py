"""The search for rules: conjunctions of conditions, level by level.

A rule is scored by the summed influence of its records, which costs one pass over the rows of the rule one condition shorter,
for all its extensions together. Passed over are, without losing anything: extensions of a rule that too few records meet
(no longer rule has more); conditions that leave a rule's records as they are (the shorter rule says the same); and, once enough
rules are known, extensions of a rule whose helpful records alone, all the others dropped, add up to less than the last of them.

References
----------
Webb, G. I. (1995). OPUS: an efficient admissible algorithm for unordered search. Journal of Artificial Intelligence Research 3.
Wrobel, S. (1997). An algorithm for multi-relational discovery of subgroups. PKDD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.numerics.statistics.patterns import bin_sums
from core.rules.binning import Binned
from core.typing import Floats, Ints, Progress
from core.unlearning.threads import on_threads

COUNT, GAIN, HELPFUL = 0, 1, 2
"""The first sums of a rule: its records, their summed gain, and that of the helpful ones."""
KEPT = 5_000
"""So many of the best rules are kept; none that belongs to them is missed, unless the work was limited."""
BATCH = 256
MOST_WORK = 3_000_000_000
"""Rows times columns that one level may pass over; the least promising rules are not extended beyond it."""


@dataclass(frozen=True, eq=False)
class Found:
    """The best rules of a search, and the sums of every rule tried.

    Parameters
    ----------
    rules : ndarray of int32, shape (n_kept, max_predicates)
        Conditions of every rule, -1 beyond its length; best first.
    sums : ndarray, shape (n_kept, n_sums)
        Sums of `values` over its rows.
    p_values : ndarray, shape (n_kept,)
    tried : ndarray, shape (n_tried,)
        The p-value of every rule within the support bounds.
    limited : tuple of int
        Levels that were not searched through, because that would have taken too long.
    complete : bool
        Whether the search came to its end.
    """

    rules: Ints
    sums: Floats
    p_values: Floats
    tried: Floats
    limited: tuple[int, ...]
    complete: bool


class Lattice:
    """A search under way; what it has found can be read at any time.

    Parameters
    ----------
    binned : Binned
    values : ndarray, shape (n_rows, n_sums)
        What is summed: 1, the gain, the positive part of the gain, then anything.
    counts : tuple of int
        Fewest and most records of a rule.
    max_predicates : int
    tail : callable
        Gives p-values from the sums of rules, shape (n_rules, n_sums).
    """

    def __init__(
        self,
        binned: Binned,
        values: Floats,
        counts: tuple[int, int],
        max_predicates: int,
        tail: Callable[[Floats], Floats],
    ) -> None:
        self.binned = binned
        self.values = np.ascontiguousarray(values)
        self.fewest, self.most = counts
        self.max_predicates = max_predicates
        self.tail = tail
        self._order = np.argsort(binned.bins, axis=0, kind="stable").T.astype(np.int32)
        sizes = np.array([np.bincount(column, minlength=binned.n_bins) for column in binned.bins.T])
        starts = np.cumsum(np.column_stack([np.zeros(len(sizes), dtype=np.int64), sizes]), axis=1)
        self._firsts = starts.astype(np.int32)
        self._rules = np.empty((0, max_predicates), dtype=np.int32)
        self._sums = np.empty((0, values.shape[1]))
        self._tried: list[Floats] = []
        self._limited: list[int] = []
        self._complete = False

    def found(self) -> Found:
        """Return what has been found so far."""
        order = np.lexsort(((self._rules >= 0).sum(axis=1), -self._sums[:, GAIN]))
        rules, sums = self._rules[order], self._sums[order]
        tried = np.concatenate(self._tried) if self._tried else np.empty(0)
        return Found(rules, sums, self.tail(sums), tried, tuple(self._limited), self._complete)

    def run(self, progress: Progress) -> None:
        """Search every level, shorter rules first."""
        parents, held = np.zeros((1, 0), dtype=np.int32), self.values.sum(axis=0)[None]
        for level in range(1, self.max_predicates + 1):
            longer = [
                self._extend(part, sums, level, progress)
                for part, sums in self._batches(parents, held, level, progress)
            ]
            if not longer or level == self.max_predicates:
                break
            parents = np.concatenate([rules for rules, _ in longer])
            held = np.concatenate([sums for _, sums in longer])
        self._complete = True

    def _batches(self, parents: Ints, held: Floats, level: int, progress: Progress) -> Iterator[tuple[Ints, Floats]]:
        """Yield rules to extend, the most promising first."""
        order = np.argsort(-held[:, HELPFUL], kind="stable")
        last = self.binned.columns[parents[order, -1]] + 1 if level > 1 else np.zeros(len(order))
        work = np.cumsum(held[order, COUNT] * (self.binned.bins.shape[1] - last))
        within = int(np.searchsorted(work, MOST_WORK)) + 1
        if within < len(order):
            self._limited.append(level)
        for start in range(0, min(within, len(order)), BATCH):
            share = 0.2 * min(level - 1, 2) + 0.6 * float(work[start] / work[-1]) if level > 1 else 0.0
            progress(min(share, 1.0), f"Trying rules of {level} condition{'s'[: level > 1]}")
            chosen = order[start : start + BATCH]
            chosen = chosen[held[chosen, HELPFUL] >= self._bar()]
            if not len(chosen):
                return
            yield parents[chosen], held[chosen]

    def _bar(self) -> float:
        """Return the gain that a rule must have to be kept."""
        return float(self._sums[:, GAIN].min()) if len(self._sums) >= KEPT else -np.inf

    def _extend(self, parents: Ints, held: Floats, level: int, progress: Progress) -> tuple[Ints, Floats]:  # noqa: ARG002
        one = self.binned
        halves = np.array_split(parents, 2) if len(parents) > 1 else [parents]
        work = [
            (half, one.columns, one.starts, one.stops, self._order, self._firsts, one.bins, self.values)
            for half in halves
        ]
        by_bin = np.concatenate(on_threads(bin_sums, work))
        total = np.zeros((len(parents), one.n_bins + 1, self.values.shape[1]))
        np.cumsum(by_bin, axis=1, out=total[:, 1:])
        counted = np.ascontiguousarray(total[..., COUNT])
        count = np.rint(counted[:, one.stops] - counted[:, one.starts])
        new = (count >= self.fewest) & (count < held[:, None, COUNT])
        parent, condition = np.nonzero(new)
        rules = np.column_stack([parents[parent], condition.astype(np.int32)])
        sums = total[parent, one.stops[condition]] - total[parent, one.starts[condition]]
        self._keep(rules, sums)
        return rules, sums

    def _keep(self, rules: Ints, sums: Floats) -> None:
        fits = np.rint(sums[:, COUNT]) <= self.most
        rules, sums = rules[fits], sums[fits]
        self._tried.append(self.tail(sums))
        better = sums[:, GAIN] > max(self._bar(), 0.0)
        padded = np.full((int(better.sum()), self.max_predicates), -1, dtype=np.int32)
        padded[:, : rules.shape[1]] = rules[better]
        both = np.concatenate([self._sums, sums[better]])
        order = np.argsort(-both[:, GAIN], kind="stable")[:KEPT]
        self._rules, self._sums = np.concatenate([self._rules, padded])[order], both[order]
