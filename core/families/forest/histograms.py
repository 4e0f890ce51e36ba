"""What a tree's large nodes remember of their search, shared between a tree and those made from it."""

from __future__ import annotations

from typing import NamedTuple

from core.typing import Ints


class Memory(NamedTuple):
    """The histograms of a tree's nodes: the lines it shares with the trees it was made from, and its own."""

    shared: Ints
    own: Ints

    @classmethod
    def of(cls, lines: Ints, shared: Ints | None = None) -> Memory:
        """Return what stands in these lines, copied; without anything shared it is there to share."""
        lines = lines.copy()
        return cls(lines, lines[:0]) if shared is None else cls(shared, lines)

    @property
    def to_share(self) -> Ints | None:
        """What a tree made from this one is to share.

        Where the own have grown to more than half of the shared ones, nothing: all are copied, and those are let go.
        """
        return None if 2 * len(self.own) > len(self.shared) else self.shared
