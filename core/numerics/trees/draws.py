"""Which features a node of a tree draws, in what order, and which are constant there."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.numerics.kernel import entry, kernel
from core.numerics.trees.arrays import Draws
from core.typing import Array


@entry
def mixed(key: Any, step: int) -> Any:
    """Return a well mixed 64-bit number (splitmix64's finaliser; Steele, Lea & Flood 2014)."""
    z = np.uint64(key) + np.uint64(step) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def recorded_order(draws: Draws, origin: Any, order: Array, where: Array) -> Any:
    """Fill `order` with a permutation that starts as the path's own draws.

    Returns how many those are.

    `where` has room for the place of every feature.
    """
    for f in range(len(order)):
        order[f] = f
    if origin < 0:
        return 0
    for f in range(len(order)):
        where[f] = f
    start, end = draws.first[origin], draws.first[origin + 1]
    for i in range(end - start):
        wanted = draws.features[start + i]
        at, other = where[wanted], order[i]
        order[at], where[other] = other, at
        order[i] = wanted
    return end - start


@kernel
def draw_next(order: Array, at: int, key: Any) -> None:
    """Put at position `at` a feature not drawn before, keyed by the path."""
    other = at + np.int64(mixed(key, at + 1) % np.uint64(len(order) - at))
    order[at], order[other] = order[other], order[at]


@kernel
def is_marked(bits: Array, f: int) -> bool:
    """Return whether a feature's bit is set."""
    return bool(bits[f >> 6] >> np.uint64(f & 63) & np.uint64(1))


@kernel
def mark(bits: Array, f: int, if_so: bool) -> None:
    """Set the bit of a feature, if so; one that is set stays."""
    bits[f >> 6] |= np.uint64(if_so) << np.uint64(f & 63)
