"""What a tree's large nodes remember of their search, shared between a tree and those made from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.numerics.tree_histograms import Histograms, make_histograms

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class Memory:
    """The histograms of a tree's nodes: those it shares with the trees it was made from, and its own."""

    names: Ints
    shared: Histograms
    own: Histograms

    @classmethod
    def of(cls, names: Ints, lines: Ints, shared: Histograms | None = None) -> Memory:
        """Return what stands in these lines, copied; without anything shared it is there to share."""
        lines = lines.copy()
        if shared is None:
            return cls(names.copy(), make_histograms(lines, len(lines), 0), make_histograms(lines[:0], 0, len(lines)))
        return cls(names.copy(), shared, make_histograms(lines, len(lines), len(shared.lines)))

    @property
    def to_share(self) -> Histograms | None:
        """What a tree made from this one is to share.

        Where the own have grown to more than half of the shared ones, nothing: all are copied, and those are let go.
        """
        return None if 2 * len(self.own.lines) > len(self.shared.lines) else self.shared
