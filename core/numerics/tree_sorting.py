"""Sorting rows of a node by their code, held in the upper half of a key."""

from __future__ import annotations

from typing import Any

from core.numerics.kernel import kernel
from core.numerics.tree_arrays import ROOM_TO_SORT, Array

INSERTION = 40


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
def sort_keys(keys: Array, spare: Array, n: int, low: Any, span: Any) -> None:
    """Sort the first `n` keys by their code; codes lie between `low` and `low + span`, and `spare` has room for `ROOM_TO_SORT` more."""
    if n <= INSERTION:
        _insertion_sort(keys, n)
    else:
        _radix_sort(keys, spare, n, low, span)
