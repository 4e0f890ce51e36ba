"""One number for the content of a long array, to notice a change within one process.

Four streams of multiply-and-shift, so that the processor waits for memory and not for a product. Each step maps 64 bits one to one, so a
change of a single word always shows, and any other is missed once in about 2^64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.numerics.kernel import entry
from core.typing import Array


@entry
def mixed_words(words: Array) -> Any:
    """Return 64 bits that follow from words of 64 bits and their order. O(n)."""
    by, half = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
    a, b, c, d = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    whole = len(words) - len(words) % 4
    for i in range(0, whole, 4):
        a, b = (a ^ words[i]) * by, (b ^ words[i + 1]) * by
        c, d = (c ^ words[i + 2]) * by, (d ^ words[i + 3]) * by
        a, b, c, d = a ^ (a >> half), b ^ (b >> half), c ^ (c >> half), d ^ (d >> half)
    for i in range(whole, len(words)):
        a = (a ^ words[i]) * by
        a ^= a >> half
    for other in (b, c, d):
        a = (a ^ other) * by
        a ^= a >> half
    return a
