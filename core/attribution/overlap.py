"""Of rules that describe much the same records, one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.attribution.binning import Binned
from core.attribution.evidence import SPREAD
from core.attribution.lattice import GAIN, Found

Ints = npt.NDArray[np.int32]
Positions = npt.NDArray[np.intp]
Bits = npt.NDArray[np.uint64]

ALIKE = 0.7
"""Jaccard similarity from which on two rules need not both be scored,"""
JACCARD = 0.5
CONTAINED = 0.8
"""and from which on, or from which share of the smaller one on, not both are shown."""
MOST_ROWS = 1 << 16
"""Similarity is taken on no more than so many rows."""


def distinct(binned: Binned, found: Found, most: int) -> list[int]:
    """Return the places of up to `most` rules of which no two are alike.

    Of those that are, the one is taken whose gain stands out most from the scatter of its records' gains: neither are bystanders
    taken in nor records left out.
    """
    ratio = found.sums[:, GAIN] / np.sqrt(np.maximum(found.sums[:, SPREAD], 1e-300))
    left = np.lexsort(((found.rules >= 0).sum(axis=1), -ratio))
    bits = _bits(binned, found.rules)[left]
    size = np.bitwise_count(bits).sum(axis=1)
    chosen = []
    while len(left) and len(chosen) < most:
        chosen.append(int(left[0]))
        common = np.bitwise_count(bits & bits[0]).sum(axis=1)
        stays = common < ALIKE * (size + size[0] - common)
        stays[0] = False
        left, bits, size = left[stays], bits[stays], size[stays]
    return chosen


def without_repeats(sets: Sequence[Positions], n_rows: int) -> list[int]:
    """Return which sets to show, in their order: those that no earlier one covers, or is covered by, for the greater part."""
    shown: list[int] = []
    seen: list[npt.NDArray[np.bool_]] = []
    for place, rows in enumerate(sets):
        if all(_differ(int(mask[rows].sum()), len(rows), int(mask.sum())) for mask in seen):
            mask = np.zeros(n_rows, dtype=bool)
            mask[rows] = True
            seen.append(mask)
            shown.append(place)
    return shown


def _differ(common: int, one: int, other: int) -> bool:
    return common < JACCARD * (one + other - common) and common < CONTAINED * min(one, other)


def describes(binned: Binned, rule: Ints) -> Positions:
    """Return the rows that a rule describes."""
    inside = np.ones(len(binned.bins), dtype=bool)
    for one in rule[rule >= 0]:
        inside &= _holds(binned, int(one), slice(None))
    return np.flatnonzero(inside)


def _holds(binned: Binned, condition: int, rows: slice) -> npt.NDArray[np.bool_]:
    own = binned.bins[rows, binned.columns[condition]]
    return np.asarray((own >= binned.starts[condition]) & (own < binned.stops[condition]))


def _bits(binned: Binned, rules: Ints) -> Bits:
    """Return which rows every rule describes, 64 to a word."""
    rows = slice(None, None, -(-len(binned.bins) // MOST_ROWS))
    n = len(range(*rows.indices(len(binned.bins))))
    masks = np.zeros((len(binned.conditions) + 1, -(-n // 64) * 64), dtype=bool)
    for condition in range(len(binned.conditions)):
        masks[condition, :n] = _holds(binned, condition, rows)
    masks[-1, :n] = True
    by_condition = np.packbits(masks, axis=1).view(np.uint64)
    return np.asarray(np.bitwise_and.reduce(by_condition[rules], axis=1))
