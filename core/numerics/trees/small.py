"""Best splits of small nodes of two-class trees: sort the rows and walk through them once.

Where a column has two codes, count.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.numerics.kernel import int64, kernel
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK, LINK, LOW_HALF
from core.numerics.trees.coarse import CONSTANT, NO_SPLIT, ROUNDING_MARGIN, SPLIT, proxy_of_two
from core.numerics.trees.sorting import sort_keys
from core.typing import Array


@kernel
def _may_exceed(a: float, b: float, all_a: float, all_b: float, bar: float) -> bool:
    """Return whether a split may have a Gini proxy above `-bar`, without a division.

    Its sums on the left are `a` and `b`.

    As products round otherwise than scikit-learn's proxy, `bar` has to leave a margin.
    """
    left, right = a + b, (all_a + all_b) - (a + b)
    return 2.0 * (a * b * right + (all_a - a) * (all_b - b) * left) < bar * (left * right)


@kernel
def best_of_two_codes(
    codes: Array, values: Array, offset: int, f: int, pairs: Array, all_a: float, all_b: float, min_leaf: int, entropy: bool
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Find the only split of a node on a feature of two codes; see `best_on_feature`."""
    n, column, above, above_b = len(pairs), codes[f], np.int64(0), np.int64(0)
    for i in range(n):
        pair = np.int64(pairs[i])
        label = pair >> 32
        here = (((label >> CLASS_BITS) << 32) | 1) * np.int64(column[np.uint64(pair & LOW_HALF)])
        above += here
        above_b += here * (label & CLASS_MASK)
    n_left = n - (above & LOW_HALF)
    if n_left == 0 or n_left == n or values[offset + 1] <= values[offset] + LINK:
        return CONSTANT, -np.inf, -1, -1, 0
    if n_left < min_leaf or n - n_left < min_leaf:
        return NO_SPLIT, -np.inf, -1, -1, 0
    b = all_b - np.float64(above_b >> 32)
    a = all_a + all_b - np.float64(above >> 32) - b
    return SPLIT, proxy_of_two(entropy, a, b, all_a, all_b), 0, 1, int64(n_left)


@kernel
def best_by_walking(
    codes: Array, values: Array, offset: int, f: int, linked: int, pairs: Array,
    all_a: float, all_b: float, min_leaf: int, entropy: bool, keys: Array, spare: Array,
    small: Array,
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Find the best split of a node on one feature; see `best_on_feature`.

    `offset` is where the column's values start in `values`.
    """
    n, column = len(pairs), codes[f]
    low = high = np.int64(column[np.uint64(pairs[0] & LOW_HALF)])
    for i in range(n):
        pair = np.int64(pairs[i])
        code = np.int64(column[np.uint64(pair & LOW_HALF)])
        low, high = min(low, code), max(high, code)
        keys[i] = (code << 32) | (pair >> 32)
    if high - low <= linked and values[offset + high] <= values[offset + low] + LINK:
        return CONSTANT, -np.inf, -1, -1, 0
    sort_keys(keys, spare, n, low, high - low, small)
    a, b = np.int64(0), np.int64(0)
    best, below, above, n_left, bar, margin = -np.inf, -1, -1, 0, np.inf, ROUNDING_MARGIN * (all_a + all_b)
    last: Any = low
    for i in range(n):
        key = keys[i]
        code = key >> 32
        if code != last:
            may = entropy or _may_exceed(np.float64(a), np.float64(b), all_a, all_b, bar)
            if may and i >= min_leaf and n - i >= min_leaf:
                proxy = proxy_of_two(entropy, np.float64(a), np.float64(b), all_a, all_b)
                if proxy > best and not (
                    code - last <= linked and values[offset + code] <= values[offset + last] + LINK
                ):
                    best, below, above, n_left = proxy, last, code, i
                    bar = margin - best
            last = code
        label = key & LOW_HALF
        a += (label >> CLASS_BITS) * (1 - (label & CLASS_MASK))
        b += (label >> CLASS_BITS) * (label & CLASS_MASK)
    return (SPLIT if below >= 0 else NO_SPLIT), best, below, above, n_left
