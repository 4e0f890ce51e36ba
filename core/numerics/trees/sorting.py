"""Sorting rows of a node by their code, held in the upper half of a key."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.numerics.kernel import kernel
from core.numerics.trees.arrays import RANKED, ROOM_TO_SORT
from core.typing import Array

INSERTION = 7
BUCKETED = 384
"""Up to so many keys go to 256 buckets first."""
CROWDED = 12
"""A bucket may hold so many of them."""
HIGHEST_RANKED = (1 << 31) // (RANKED + 1) - 1
"""Codes up to this one leave room beside them for a place among so many keys, in 32 bits."""


@kernel
def _insertion_sort(keys: Array, n: int) -> None:
    for i in range(1, n):
        key = keys[i]
        j = i - 1
        while j >= 0 and keys[j] > key:
            keys[j + 1] = keys[j]
            j -= 1
        keys[j + 1] = key


@kernel
def _rank_sort(keys: Array, spare: Array, n: int, small: Array) -> None:
    """Sort by counting, for every key, the smaller ones.

    That takes more steps than other ways, but many at a time, and none is foretold wrongly.
    """
    for i in range(n):
        small[i] = (keys[i] >> 32) * (RANKED + 1) + i
    i = 0
    while i + 4 <= n:
        first, second, third, fourth = small[i], small[i + 1], small[i + 2], small[i + 3]
        a, b, c, d = np.int32(0), np.int32(0), np.int32(0), np.int32(0)
        for j in range(n):
            one = small[j]
            a, b = np.int32(a + (one < first)), np.int32(b + (one < second))
            c, d = np.int32(c + (one < third)), np.int32(d + (one < fourth))
        spare[a] = keys[i]
        spare[b] = keys[i + 1]
        spare[c] = keys[i + 2]
        spare[d] = keys[i + 3]
        i += 4
    while i < n:
        last, a = small[i], np.int32(0)
        for j in range(n):
            a = np.int32(a + (small[j] < last))
        spare[a] = keys[i]
        i += 1
    for i in range(n):
        keys[i] = spare[i]


@kernel
def _bucket_sort(keys: Array, spare: Array, n: int, low: Any, span: Any) -> bool:
    """Sort by the highest byte that differs, then put what shares it in order.

    Returns whether that was done, as no bucket is crowded.
    """
    counts, shift = spare[len(spare) - ROOM_TO_SORT :], np.uint64(32)
    while (span >> np.int64(shift - np.uint64(32))) > 255:
        shift += np.uint64(1)
    counts[:] = 0
    lowest = np.uint64(low) << np.uint64(32)
    for i in range(n):
        counts[(np.uint64(keys[i]) - lowest) >> shift] += 1
    start, most = np.int64(0), np.int64(0)
    for b in range(256):
        held = counts[b]
        most = max(most, held)
        counts[b] = start
        start += held
    if most > CROWDED:
        return False
    for i in range(n):
        place = (np.uint64(keys[i]) - lowest) >> shift
        spare[np.uint64(counts[place])] = keys[i]
        counts[place] += 1
    for i in range(n):
        keys[i] = spare[i]
    _insertion_sort(keys, n)
    return True


@kernel
def _radix_sort(keys: Array, spare: Array, n: int, low: Any, span: Any) -> None:
    """Sort by the code in the upper half, a byte at a time."""
    counts = spare[len(spare) - ROOM_TO_SORT :]
    shift = 0
    while (span >> shift) > 0:
        counts[:] = 0
        for i in range(n):
            counts[((((keys[i] >> 32) - low) >> shift) & 255) + 1] += 1
        for b in range(256):
            counts[b + 1] += counts[b]
        for i in range(n):
            b = (((keys[i] >> 32) - low) >> shift) & 255
            spare[counts[b]] = keys[i]
            counts[b] += 1
        for i in range(n):
            keys[i] = spare[i]
        shift += 8


@kernel
def sort_keys(keys: Array, spare: Array, n: int, low: Any, span: Any, small: Array) -> None:
    """Sort the first `n` keys by their code.

    Codes lie between `low` and `low + span`, and `spare` has room for `ROOM_TO_SORT` more.

    `small` has room for `RANKED` numbers of 32 bits.
    """
    if n <= INSERTION:
        _insertion_sort(keys, n)
    elif n <= RANKED and low + span <= HIGHEST_RANKED:
        _rank_sort(keys, spare, n, small)
    elif n > BUCKETED or not _bucket_sort(keys, spare, n, low, span):
        _radix_sort(keys, spare, n, low, span)
