"""The tree of slices: all rows, parted by one column after another.

Each node is parted by the column among whose values the metric differs most surely: the smallest p-value of one value against the node's other
rows, times the number of values. It stops where that is above `ENOUGH`, or no value has enough rows. What the tree says of a node is what
the search says of that slice; its q-value counts all slices tried, so that choosing splits on the same rows claims nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.rules.binning import Binned
from core.rules.slices.outcomes import Outcomes
from core.rules.slices.result import Slice, SliceNode
from core.typing import Bools, Longs, Positions

ENOUGH = 0.05


@dataclass(frozen=True, eq=False)
class Growing:
    """The conditions, rows and counts that a tree is grown from.

    Parameters
    ----------
    binned : Binned
    holds : ndarray of bool, shape (n_conditions, n_rows)
    outcomes : Outcomes
    masks : ndarray of bool, shape (n_masks, n_rows)
    fewest : int
        Rows of a node.
    depth : int
        Most conditions.
    slice_of : callable
        Gives the slice of some conditions, by their places and the counts of its rows.
    """

    binned: Binned
    holds: Bools
    outcomes: Outcomes
    masks: Bools
    fewest: int
    depth: int
    slice_of: Callable[[tuple[int, ...], Longs], Slice]

    def grow(self) -> SliceNode:
        """Grow the tree from all rows."""
        return self._node((), np.ones(self.holds.shape[1], dtype=bool))

    def _node(self, places: tuple[int, ...], rows: Bools) -> SliceNode:
        whole = (self.masks & rows).sum(axis=1)
        own = self.slice_of(places, whole)
        split = self._split(places, rows, whole) if len(places) < self.depth else None
        if split is None:
            return SliceNode(own)
        children = [self._node((*places, place), rows & self.holds[place]) for place in split.tolist()]
        column = self.binned.conditions[split[0]].column
        return SliceNode(own, column, tuple(children), int(whole[0]) - sum(child.slice.n for child in children))

    def _split(self, places: tuple[int, ...], rows: Bools, whole: Longs) -> Positions | None:
        """Return the values of the column to part a node by, the worst first.

        None where no column tells.
        """
        single = self.binned.stops - self.binned.starts == 1
        taken = {int(self.binned.columns[place]) for place in places}
        best: tuple[float, Positions] | None = None
        for column in sorted(set(self.binned.columns.tolist()) - taken):
            able = np.flatnonzero(single & (self.binned.columns == column))
            counts = (self.holds[able][:, None, :] & (self.masks & rows)[None, :, :]).sum(axis=2)
            enough = (counts[:, 0] >= self.fewest) & (counts[:, 0] < whole[0])
            if not enough.any():
                continue
            found = self.outcomes.judge(counts[enough], whole)
            p = np.nan_to_num(found.p_value, nan=1.0)
            least = float(p.min()) * len(p)
            if least <= ENOUGH and (best is None or least < best[0]):
                best = least, able[enough][np.argsort(-np.nan_to_num(found.sure, nan=-np.inf), kind="stable")]
        return None if best is None else best[1]
