"""What a tree's large nodes remember of their search, shared between a tree and those made from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.numerics.tree_histograms import Histograms, make_histograms
from core.numerics.tree_update import Stores

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class Memory:
    """The histograms of a tree's nodes: those it shares with the trees it was made from, and its own."""

    names: Ints
    shared: Histograms
    own: Histograms

    @classmethod
    def of(cls, names: Ints, out: Histograms, shared: Histograms | None = None) -> Memory:
        """Return what stands in `out`, copied; without anything shared it is there to share."""
        lines = out.lines[: out.used[0]].copy()
        if shared is None:
            return cls(names.copy(), make_histograms(lines, len(lines), 0), make_histograms(lines[:0], 0, len(lines)))
        return cls(names.copy(), shared, make_histograms(lines, len(lines), out.offset))

    def stores(self, room: Histograms) -> tuple[Stores, Histograms | None]:
        """Return the histograms as an update reads and writes them (to `room`), and what the new tree is to share.

        Where a tree's own have grown to more than half of the shared ones, all are copied, and those are let go.
        """
        used = len(self.shared.lines)
        together = 2 * len(self.own.lines) > used
        room.used[0] = 0
        out = Histograms(room.lines, room.bounds, room.used, 0 if together else used)
        return Stores(self.shared, self.own, out), None if together else self.shared
