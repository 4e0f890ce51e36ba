"""What a tree's large nodes remember of their search, shared between a tree and those made from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.numerics.tree_histograms import Histograms, make_histograms
from core.numerics.tree_update import Stores

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Memory:
    """The histograms of a tree's nodes: those it shares with the trees it was made from, and its own."""

    names: Ints
    shared: Ints
    own: Ints

    @classmethod
    def of(cls, names: Ints, out: Histograms, shared: Ints | None = None) -> Memory:
        """Return what stands in `out`, copied; without anything shared it is there to share."""
        lines = out.lines[: out.used[0]].copy()
        return cls(names.copy(), lines, lines[:0]) if shared is None else cls(names.copy(), shared, lines)

    def stores(self, room: Ints) -> tuple[Stores, Ints | None]:
        """Return the histograms as an update reads and writes them (to `room`), and what the new tree is to share.

        Where a tree's own have grown to more than half of the shared ones, all are copied, and those are let go.
        """
        used = len(self.shared)
        together = 2 * len(self.own) > used
        stores = Stores(
            make_histograms(self.shared, used, 0),
            make_histograms(self.own, len(self.own), used),
            make_histograms(room, 0, 0 if together else used),
        )
        return stores, None if together else self.shared
