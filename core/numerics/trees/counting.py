"""Counting a large node's rows by bin and class, three candidates in a pass."""

from __future__ import annotations

import numpy as np

from core.numerics.kernel import int64, kernel
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK, COUNTED_AT_ONCE, LOW_HALF, Scratch, Table
from core.numerics.trees.columns import bins_for
from core.typing import Array

ROWS_IN_BIN = 12
"""Bins are joined, two by two, until about so many rows fall into each."""
NARROW = 128
"""Features with no more bins have them all, as values that many rows share are best told from others."""


@kernel
def bins_shift(table: Table, f: int, n: int) -> int:
    """Return how often the bins of a feature are joined, two by two, for a node of `n` rows.

    A few bins never are.
    """
    shift = 0
    while table.n_bins[f] > NARROW and (table.n_bins[f] >> shift) * ROWS_IN_BIN > n:
        shift += 1
    return shift


@kernel
def count_rows(bins: Array, joined: int, pairs: Array, counts: Array, kept: Array) -> None:
    """Count rows (lower half) and weight (upper half) by bin and class, and keep their bins.

    `bins` are one column's, and `joined` says how often they are joined, two by two.
    """
    counts[:] = 0
    shift = np.uint64(joined)
    for i in range(len(pairs)):
        pair = np.uint64(pairs[i])
        label = pair >> np.uint64(32)
        one = ((label >> np.uint64(CLASS_BITS)) << np.uint64(32)) | np.uint64(1)
        of_class, b = label & np.uint64(CLASS_MASK), bins[pair & np.uint64(LOW_HALF)]
        kept[i] = b
        counts[((np.uint64(b) >> shift) << np.uint64(1)) + of_class] += np.int64(one)


@kernel
def _count_two(bins: Array, pairs: Array, sums: Array, counts: Array, kept: Array) -> None:
    """Count as `count_rows` on a column of two codes.

    Sums need no place in memory while rows are added.
    """
    both, second = np.int64(0), np.int64(0)
    for i in range(len(pairs)):
        pair = np.uint64(pairs[i])
        label = np.int64(pair >> np.uint64(32))
        kept[i] = bins[pair & np.uint64(LOW_HALF)]
        here = (((label >> CLASS_BITS) << 32) | 1) * np.int64(kept[i])
        both += here
        second += here * (label & CLASS_MASK)
    first = both - second
    counts[0] = ((np.int64(sums[0]) - (first >> 32)) << 32) | (len(pairs) - (both & LOW_HALF))
    counts[1] = (np.int64(sums[1]) - (second >> 32)) << 32
    counts[2] = first
    counts[3] = second


@kernel
def _count_three(
    one: Array, two: Array, three: Array, joined_1: int, joined_2: int, joined_3: int, pairs: Array,
    counts_1: Array, counts_2: Array, counts_3: Array, kept_1: Array, kept_2: Array, kept_3: Array,
) -> None:  # fmt: skip
    """Count as `count` on three columns in one pass over the rows."""
    counts_1[:] = 0
    counts_2[:] = 0
    counts_3[:] = 0
    shift_1, shift_2, shift_3 = np.uint64(joined_1), np.uint64(joined_2), np.uint64(joined_3)
    for i in range(len(pairs)):
        pair = np.uint64(pairs[i])
        row, label = pair & np.uint64(LOW_HALF), pair >> np.uint64(32)
        here = np.int64(((label >> np.uint64(CLASS_BITS)) << np.uint64(32)) | np.uint64(1))
        of_class = label & np.uint64(CLASS_MASK)
        b_1, b_2, b_3 = one[row], two[row], three[row]
        kept_1[i], kept_2[i], kept_3[i] = b_1, b_2, b_3
        counts_1[((np.uint64(b_1) >> shift_1) << np.uint64(1)) + of_class] += here
        counts_2[((np.uint64(b_2) >> shift_2) << np.uint64(1)) + of_class] += here
        counts_3[((np.uint64(b_3) >> shift_3) << np.uint64(1)) + of_class] += here


@kernel
def _has_two_codes(table: Table, f: int) -> bool:
    return bool(table.first[f + 1] - table.first[f] == 2 and table.n_bins[f] == 2)


@kernel
def count_in_bins(
    table: Table, features: Array, places: Array, n: int, pairs: Array, sums: Array, scratch: Scratch
) -> None:
    """Count a large node's rows in bins of `n` features, at most `COUNTED_AT_ONCE`.

    Counts go to `scratch.counted`, line by line.

    `places` says where the features stand in `features`, and which lines of `scratch.kept` their rows' bins go to.
    """
    bins, counted, rows, wide = bins_for(table, len(pairs)), scratch.counted, len(pairs), n == COUNTED_AT_ONCE
    for i in range(n):
        wide = wide and not _has_two_codes(table, int64(features[places[i]]))
    if wide:
        at, by, to = int64(places[0]), int64(places[1]), int64(places[2])
        a, b, c = int64(features[at]), int64(features[by]), int64(features[to])
        _count_three(
            bins[a], bins[b], bins[c], bins_shift(table, a, rows), bins_shift(table, b, rows),
            bins_shift(table, c, rows), pairs, counted[0], counted[1], counted[2],
            scratch.kept[at], scratch.kept[by], scratch.kept[to],
        )  # fmt: skip
        return
    for i in range(n):
        f = int64(features[places[i]])
        if _has_two_codes(table, f):
            _count_two(bins[f], pairs, sums, counted[i], scratch.kept[places[i]])
            continue
        count_rows(bins[f], bins_shift(table, f, rows), pairs, counted[i], scratch.kept[places[i]])
