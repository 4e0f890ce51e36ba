"""Rules about the same records, taken together: many rules describe one cause, and one of them is to be shown.

Rules are about the same cause where they share most of what their helpful records add up to. That sees through bystanders: two
rules may have few records in common and still be about the same ones that matter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.attribution.binning import Binned
from core.attribution.evidence import merit
from core.attribution.lattice import COUNT, GAIN, HELPFUL, Found

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

SAME = 0.8
"""Share of the smaller rule's helpful gain, from which on two rules are about one cause."""
ALIKE = 0.7
"""Jaccard similarity of records, from which on one of two rules stands for the other."""
CAUSES = 8
UNLIKE = 6
BY_LENGTH = 2
"""Rules scored for every cause: the best that are not alike, and the best of every length."""


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

    def common(self, rows: Positions, places: Positions) -> tuple[Floats, Floats]:
        """Return how many of `rows` each rule describes, and what these help."""
        inside = self._inside(places, self.binned.bins[rows]).astype(np.float32)
        both = inside @ np.column_stack([np.ones(len(rows)), self.helpful[rows]]).astype(np.float32)
        return both[:, 0].astype(np.float64), both[:, 1].astype(np.float64)

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


def causes(overlap: Overlap) -> list[list[int]]:
    """Return, for up to 8 causes, the places of the rules about it that are worth scoring."""
    found = overlap.found
    length = (found.rules >= 0).sum(axis=1)
    merits = merit(found.sums, length, len(overlap.helpful))
    left = np.argsort(-merits, kind="stable")
    listed: list[list[int]] = []
    while len(left) and len(listed) < CAUSES:
        rows = overlap.rows(int(left[0]))
        helps = overlap.common(rows, left)[1]
        same = helps >= SAME * np.minimum(overlap.helpful[rows].sum(), found.sums[left, HELPFUL])
        same[0] = True
        about = left[same]
        chosen = _unlike(overlap, about)
        for size in np.unique(length[about]):
            own = about[length[about] == size]
            for value in (found.sums[own, GAIN], merits[own]):
                chosen += own[np.argsort(-value, kind="stable")][:BY_LENGTH].tolist()
        listed.append(list(dict.fromkeys(chosen)))
        left = left[~same]
    return listed


def _unlike(overlap: Overlap, places: Positions) -> list[int]:
    """Return the first of some rules of which no two are alike."""
    size = overlap.found.sums[places, COUNT]
    chosen: list[int] = []
    while len(places) and len(chosen) < UNLIKE:
        rows = overlap.rows(int(places[0]))
        chosen.append(int(places[0]))
        common = overlap.common(rows, places)[0]
        stays = common < ALIKE * (size + len(rows) - common)
        stays[0] = False
        places, size = places[stays], size[stays]
    return chosen
