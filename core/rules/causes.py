"""Rules about the same records, taken together: many rules describe one cause, and one of them is to be shown.

Rules are about the same cause where they share most of what their helpful records add up to. That sees through bystanders: two
rules may have few records in common and still be about the same ones that matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.rules.binning import Binned
from core.rules.conditions import Held, rule_text
from core.rules.evidence import LIFT, Evidence, merit
from core.rules.labels import Labels
from core.rules.lattice import COUNT, GAIN, HELPFUL, Found
from core.rules.rule import Rule, refine
from core.typing import Bools, Floats, Positions

SAME = 0.8
"""Share of the smaller rule's helpful gain, from which on two rules are about one cause."""
ALIKE = 0.7
"""Jaccard similarity of records, from which on one of two rules stands for the other."""
CAUSES = 8
BLOCK = 20_000_000
"""Cells of rules times rows that are looked at together."""
FEWEST = 50
"""Rules to score, where there are so many that are not alike."""
UNLIKE = 6
BY_LENGTH = 2
"""Rules scored for every cause: the best that are not alike, and the best of every length."""
NEARLY = 0.6
"""Of the rules about a cause that close the gap by this share of what the best does, one is shown."""
LOOKED_AT, ODDEST = 400, 3
"""Of so many rules about a cause, so many that are not alike are scored for their labels."""


class Overlap:
    """Which records the rules found describe, and what they have in common.

    Parameters
    ----------
    binned : Binned
    found : Found
    helpful : ndarray, shape (n_rows,)
        The positive part of every row's gain.
    """

    def __init__(self, binned: Binned, found: Found, helpful: Floats) -> None:
        self.binned, self.found, self.helpful = binned, found, helpful

    def rows(self, place: int) -> Positions:
        """Return the rows that a rule describes."""
        return np.flatnonzero(self._inside(np.array([place]), self.binned.bins)[0])

    def common(self, rows: Positions, places: Positions) -> npt.NDArray[np.intp]:
        """Return how many of `rows` each rule describes."""
        return np.asarray(np.count_nonzero(self._inside(places, self.binned.bins[rows]), axis=1))

    def helped(self, rows: Positions, places: Positions) -> Floats:
        """Return what those of `rows` that each rule describes help."""
        rows = rows[self.helpful[rows] > 0.0]
        inside = self._inside(places, self.binned.bins[rows])
        return np.asarray(inside.astype(np.float32) @ self.helpful[rows].astype(np.float32), dtype=np.float64)

    def sums(self, places: Positions, values: Floats) -> Floats:
        """Return the sums of `values`, shape (n_rows, n_sums), over the rows of each rule."""
        narrow = values.astype(np.float32)
        blocks = np.array_split(places, max(1, len(places) * len(narrow) // BLOCK))
        return np.concatenate([self._inside(some, self.binned.bins).astype(np.float32) @ narrow for some in blocks])

    def _inside(self, places: Positions, bins: npt.NDArray[np.int32]) -> Bools:
        one = self.binned
        rules = self.found.rules[places]
        used, index = np.unique(rules, return_inverse=True)
        holds = np.ones((len(used), len(bins)), dtype=bool)
        for row, condition in zip(holds, used, strict=True):
            if condition >= 0:
                own = bins[:, one.columns[condition]]
                row[:] = (own >= one.starts[condition]) & (own < one.stops[condition])
        index = index.reshape(rules.shape)
        inside = holds[index[:, 0]]
        for column in index.T[1:]:
            inside &= holds[column]
        return inside


class Cause(NamedTuple):
    """Rules about one cause, by their places among those found.

    Parameters
    ----------
    chosen : tuple of int
        Those worth scoring.
    others : iterator of int
        More that are not alike, the best first.
    """

    chosen: tuple[int, ...]
    others: Iterator[int]


def causes(overlap: Overlap, labels: Labels | None = None) -> list[Cause]:
    """Return up to 8 causes.

    Parameters
    ----------
    overlap : Overlap
    labels : Labels, optional
        Where labels tell rules apart: the rules whose records' labels are oddest are chosen too.
    """
    found = overlap.found
    length = (found.rules >= 0).sum(axis=1)
    merits = merit(found.sums, length, len(overlap.helpful))
    left = np.argsort(-merits, kind="stable")
    listed: list[Cause] = []
    while len(left) and len(listed) < CAUSES:
        rows = overlap.rows(int(left[0]))
        helps = overlap.helped(rows, left)
        same = helps >= SAME * np.minimum(overlap.helpful[rows].sum(), found.sums[left, HELPFUL])
        same[0] = True
        about = left[same]
        others = _unlike(overlap, about)
        chosen = list(islice(others, UNLIKE))
        for size in np.unique(length[about]):
            own = about[length[about] == size]
            for value in (found.sums[own, GAIN], merits[own]):
                chosen += own[np.argsort(-value, kind="stable")][:BY_LENGTH].tolist()
        if labels is not None:
            chosen += islice(_unlike(overlap, _oddest(overlap, labels, about)), ODDEST)
        listed.append(Cause(tuple(dict.fromkeys(chosen)), others))
        left = left[~same]
    return listed


def _oddest(overlap: Overlap, labels: Labels, about: Positions) -> Positions:
    """Return rules about one cause by how odd the labels of their records are, of those that do nearly as much as the best."""
    lift = overlap.found.sums[about, LIFT]
    some = about[lift >= NEARLY * lift.max()][:LOOKED_AT]
    length = (overlap.found.rules[some] >= 0).sum(axis=1)
    oddity = overlap.sums(some, labels.terms).max(axis=1) - labels.cost(length)
    return np.asarray(some[np.argsort(-oddity, kind="stable")])


def _unlike(overlap: Overlap, places: Positions) -> Iterator[int]:
    """Yield the first of some rules of which no two are alike."""
    size = overlap.found.sums[places, COUNT]
    while len(places):
        rows = overlap.rows(int(places[0]))
        yield int(places[0])
        common = overlap.common(rows, places)
        stays = common < ALIKE * (size + len(rows) - common)
        stays[0] = False
        places, size = places[stays], size[stays]


def rules_to_score(
    overlap: Overlap, labels: Labels | None, table: Held, evidence: Evidence, counts: tuple[int, int]
) -> list[Rule]:
    """Return the rules of every cause that are worth scoring, and more that are not alike where these are fewer than 50.

    Parameters
    ----------
    overlap : Overlap
    labels : Labels, optional
        Where the model's own word on its training labels tells rules apart.
    table : Held
        The retained training rows.
    evidence : Evidence
    counts : tuple of int
        Fewest and most records of a rule.
    """
    binned, rules = overlap.binned, dict[str, Rule]()

    def add(place: int, cause: int) -> None:
        conditions = tuple(binned.conditions[one] for one in overlap.found.rules[place] if one >= 0)
        rule = Rule.of(conditions, overlap.rows(place), evidence, cause)
        rule = refine(rule, table, evidence, binned.chosen.__contains__, counts)
        if labels is not None:
            rule = replace(rule, oddity=labels.oddity(rule.rows, len(rule.conditions)))
        rules.setdefault(rule_text(rule.conditions), rule)

    listed = causes(overlap, labels)
    for cause, one in enumerate(listed):
        for place in one.chosen:
            add(place, cause)
    others = [(cause, one.others) for cause, one in enumerate(listed)]
    while others and len(rules) < FEWEST:
        cause, more = others.pop(0)
        for place in islice(more, 1):
            add(place, cause)
            others.append((cause, more))
    return list(rules.values())
