"""Slices judged by their counts, and those to show.

One for every cause, of conditions that earn their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from core.case.case import Case
from core.metrics.catalog import Metric
from core.metrics.policy import CHANCE
from core.numerics.statistics.false_discovery import discovery_rates
from core.rules.asked import Asked
from core.rules.binning import Binned, bin_table
from core.rules.slices.counting import SliceCounts, rows_of_conditions
from core.rules.slices.legible import without_unreadable
from core.rules.slices.outcomes import Outcomes, SliceVerdicts
from core.rules.slices.result import Slice, WorstSlices
from core.rules.slices.tree import Growing
from core.typing import Bools, Feature, Longs, Positions

LOOKED_AT = 400
"""Best slices among which one is chosen for every cause."""
SAME, INSIDE = 0.4, 0.8
"""Jaccard similarity of two slices' rows, and share of the smaller one's rows in the other, from which on they are about one cause."""
HALF = 0.5
"""P-value above which a slice is no worse than the others."""
FEWEST = 20
"""Rows that a slice must have, whatever share was asked for."""


class SliceSearch:
    """One search: the rows as conditions, and slices made of their counts."""

    def __init__(
        self,
        case: Case,
        metric: Metric,
        asked: Asked,
        rows: Positions,
        outcomes: Outcomes,
        names: tuple[str, ...],
        feature: Feature | None,
    ) -> None:
        self.case, self.metric, self.outcomes, self.names, self.feature = case, metric, outcomes, names, feature
        self.asked, self.n_rows = asked, len(rows)
        self.fewest = max(FEWEST, asked.counts(len(rows))[0])
        table = case.test.iloc[rows]
        own = (feature,) if isinstance(feature, str) else feature or ()
        self.binned, unread = without_unreadable(_binned(table, case, asked, self.fewest, own), table)
        self.notes = (*self.binned.notes, *unread)
        self.holds = rows_of_conditions(self.binned)
        self.masks = np.asarray(outcomes.masks)
        self.whole = self.masks.sum(axis=1)
        self.tried: dict[tuple[int, ...], tuple[float, float]] = {}

    def slice_at(self, places: tuple[int, ...], found: SliceVerdicts, at: int, n: int, p: float, q: float) -> Slice:
        """Return a slice from its place among those judged."""
        ends = (
            (None, None)
            if found.ends is None or np.isnan(found.value[at])
            else tuple(self.names[end] for end in found.ends[at])
        )
        if self.metric.worst_end(pos_is_favorable=self.case.favorable_is_positive) == "high":
            ends = ends[::-1]
        ordered = tuple(self.binned.conditions[place] for place in places)
        value, low, high, rest = (float(getattr(found, name)[at]) for name in ("value", "low", "high", "rest"))
        return Slice(
            ordered,
            self.metric.name,
            n,
            n / self.n_rows,
            value,
            low,
            high,
            rest,
            p,
            q,
            ends[0],
            ends[1],
            self.case.where,
        )

    def slice_of(self, places: tuple[int, ...], counts: Longs) -> Slice:
        """Return the slice of some conditions, with the p- and q-value that the search gave it."""
        found = self.outcomes.judge(counts[None, :], self.whole)
        p, q = self.tried.get(tuple(sorted(places)), (float("nan"), float("nan")))
        return self.slice_at(places, found, 0, int(counts[0]), p, q)

    def result(self, slices: SliceCounts, on: str, notes: tuple[str, ...]) -> WorstSlices:
        """Return the slices to show, and the tree."""
        found = self.outcomes.judge(slices.counts, self.whole)
        p = np.nan_to_num(found.p_value, nan=1.0)
        q = discovery_rates(p, p)
        for places, one_p, one_q in zip(slices.places.tolist(), p.tolist(), q.tolist(), strict=True):
            self.tried[tuple(place for place in places if place >= 0)] = (one_p, one_q)
        order = np.lexsort((-np.nan_to_num(found.sure, nan=-np.inf), q > CHANCE))
        order = order[p[order] < 1.0][:LOOKED_AT]
        candidates = (tuple(place for place in slices.places[at].tolist() if place >= 0) for at in order)
        chosen = [self.slice_of(places, self._counts(places)) for places in self._one_for_every_cause(candidates)]
        growing = Growing(
            self.binned, self.holds, self.outcomes, self.masks, self.fewest, self.asked.max_predicates, self.slice_of
        )
        tree = growing.grow()
        beyond = int((q <= CHANCE).sum())
        return WorstSlices(
            tuple(chosen),
            tree,
            self.metric.name,
            self.feature,
            on,
            self.n_rows,
            tree.slice.value,
            len(slices),
            beyond,
            self.case.where,
            notes,
        )

    def _one_for_every_cause(self, candidates: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Return the slices to show, one for every cause.

        Without conditions that do not earn their place.
        """
        chosen: list[tuple[int, ...]] = []
        known: list[Bools] = []
        for places in candidates:
            if len(chosen) == self.asked.top_k:
                break
            if any(_alike(self._rows(places), rows) for rows in known):
                continue
            short = self._earned(places)
            rows = self._rows(short)
            if not any(_alike(rows, other) for other in known):
                chosen.append(short)
            known += [rows, self._rows(places)]
        return chosen

    def _earned(self, places: tuple[int, ...]) -> tuple[int, ...]:
        """Return the conditions of a slice that earn their place, with bounds as wide as can be.

        Each must leave out rows that are better beyond chance, whichever of all conditions had been taken.
        """
        sure = self.tried[places][1] <= CHANCE
        own, found = self._counts(places), []
        for wider in self._wider(places):
            p, q = self.tried.get(wider, (1.0, 1.0))
            if q <= CHANCE or (p < HALF and not sure):
                within = self.outcomes.judge(own[None, :], self._counts(wider)).p_value[0]
                found.append((float(np.nan_to_num(within, nan=1.0)), wider))
        weakest, wider = max(found, default=(0.0, places))
        return self._earned(wider) if weakest * len(self.binned.conditions) > CHANCE else places

    def _wider(self, places: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Yield the slices without one of the conditions, and with wider bounds in one."""
        binned = self.binned
        for one in places:
            others = [place for place in places if place != one]
            yield tuple(others)
            around = (binned.starts <= binned.starts[one]) & (binned.stops >= binned.stops[one])
            for place in np.flatnonzero(around & (binned.columns == binned.columns[one])).tolist():
                if place != one:
                    yield tuple(sorted([*others, place]))

    def _rows(self, places: tuple[int, ...]) -> Bools:
        return np.asarray(self.holds[list(places)].all(axis=0))

    def _counts(self, places: tuple[int, ...]) -> Longs:
        return np.asarray((self.masks & self._rows(places)).sum(axis=1))


def _alike(one: Bools, other: Bools) -> bool:
    common, first, second = int((one & other).sum()), int(one.sum()), int(other.sum())
    return common >= SAME * (first + second - common) or common >= INSIDE * min(first, second)


def _binned(table: pd.DataFrame, case: Case, asked: Asked, fewest: int, without: Sequence[str]) -> Binned:
    return bin_table(
        table,
        case.roles,
        asked.n_bins,
        fewest,
        asked.edges,
        asked.columns,
        called="test table",
        without=without,
    )
