"""How far the proxies of splits within bins move at most, as rows leave a node or join it.

The proxy F is convex and homogeneous in the class sums left and right of a split, so a change of them by -d raises it by at most
-grad F(after) d, and one by +d lowers it by at least as much. The gradient depends on the sides' class shares alone, which
the counts bound within a bin. Class sums are those left of every bin, and last of all.

References
----------
Alsabti, K., Ranka, S. and Singh, V. (1998). CLOUDS: a decision tree classifier for large datasets. KDD.
"""

from __future__ import annotations

import math

import numpy as np

from core.numerics.kernel import int64, kernel
from core.numerics.trees.arrays import TINY
from core.typing import Array


@kernel
def _slope(entropy: bool, share: float) -> float:
    """Return how fast the proxy falls as rows of one class join a side.

    It follows from the other class's share there.
    """
    if entropy:
        return -math.log(1.0 - share) / math.log(2.0) if share < 1.0 else np.inf
    return 2.0 * share * share


@kernel
def _share(part: float, rest: float) -> float:
    """Return the share of `part`; of nothing, 1."""
    return part / (part + rest) if part + rest > 0.0 else 1.0


@kernel
def _times(slope: float, weight: float) -> float:
    return slope * weight if weight > 0.0 else 0.0


@kernel
def _most_risen(
    entropy: bool, low: float, high: float, whole: float, other_low: float, other_high: float, other_whole: float,
    left: float, inside: float, right: float,
) -> float:  # fmt: skip
    """Bound the rise of splits in a bin as weight of one class leaves.

    It leaves on the left of it, inside and on the right of it.

    `low` and `high` are the class's sums left of the bin and up to its end, `whole` the node's; then those of the other class.
    """
    on_left = _slope(entropy, _share(other_high, low))
    on_right = _slope(entropy, _share(other_whole - other_low, whole - high))
    return _times(on_left, left) + _times(on_right, right) + _times(max(on_left, on_right), inside)


@kernel
def _least_fallen(
    entropy: bool, low: float, high: float, whole: float, other_low: float, other_high: float, other_whole: float,
    left: float, inside: float, right: float,
) -> float:  # fmt: skip
    """Bound how much splits in a bin fall as weight of one class joins.

    Arguments as for `_most_risen`.
    """
    on_left = _slope(entropy, other_low / (other_low + high)) if other_low > 0.0 else 0.0
    other_right = other_whole - other_high
    on_right = _slope(entropy, other_right / (other_right + whole - low)) if other_right > 0.0 else 0.0
    return _times(on_left, left) + _times(on_right, right) + _times(min(on_left, on_right), inside)


@kernel
def rise_without_one(
    entropy: bool, n_bins: int, own: Array, other: Array, weight: float, j: int, change: Array
) -> None:
    """Bound how much splits in every bin rise as `weight` of one class leaves bin `j`.

    `own` are that class's sums left of bins.
    """
    whole, other_whole = own[n_bins], other[n_bins]
    for i in range(j + 1):
        change[i] = weight * _slope(entropy, _share(other_whole - other[i], whole - own[i + 1]))
    inside = weight * _slope(entropy, _share(other[j + 1], own[j]))
    change[j] = max(change[j], inside)
    for i in range(j + 1, n_bins):
        change[i] = weight * _slope(entropy, _share(other[i + 1], own[i]))


@kernel
def _gini_change(
    n_bins: int, joins: bool, own: Array, other: Array, moved: Array, c: int, moved_all: float, done: Array, change: Array
) -> None:  # fmt: skip
    """Add to `change` what `change_with_rows` says of class `c` under Gini.

    There is no branch, so that bins are done side by side.

    `own` are the class's sums left of bins, `moved` the weight that moved by bin and class, `moved_all` that of the class, and `done` is room
    for its sums left of bins. Of an empty side the share counts as 1 where rows leave and as 0 where they join, whichever is safe. Falls are
    negative rises, so that the larger of the two sides bounds a bin's own rows either way.
    """
    whole, other_whole, total = own[n_bins], other[n_bins], 0.0
    for j in range(n_bins):
        done[j] = total
        total += moved[2 * j + c]
    done[n_bins] = total
    for j in range(n_bins):
        left, inside, right = done[j], done[j + 1] - done[j], moved_all - done[j + 1]
        if joins:
            on_left = other[j] / (other[j] + own[j + 1] + TINY)
            on_right = (other_whole - other[j + 1]) / (other_whole - other[j + 1] + whole - own[j] + TINY)
            on_left, on_right = -2.0 * on_left * on_left, -2.0 * on_right * on_right
        else:
            on_left = (other[j + 1] + TINY) / (other[j + 1] + own[j] + TINY)
            on_right = (other_whole - other[j] + TINY) / (other_whole - other[j] + whole - own[j + 1] + TINY)
            on_left, on_right = 2.0 * on_left * on_left, 2.0 * on_right * on_right
        most = on_left if on_left > on_right else on_right
        change[j] += on_left * left + on_right * right + most * inside


@kernel
def change_with_rows(
    entropy: bool, n_bins: int, joins: bool, before: Array, moved_a: float, moved_b: float, moved: Array, done: Array,
    change: Array,
) -> None:  # fmt: skip
    """Bound the rise of splits in every bin as the rows counted in `moved` leave or join.

    As they join, splits fall: a negative rise.

    `done` has room for a number of every bin and one more.
    """
    if not entropy:
        change[:n_bins] = 0.0
        _gini_change(n_bins, joins, before[0], before[1], moved, int64(0), moved_a, done, change)
        _gini_change(n_bins, joins, before[1], before[0], moved, int64(1), moved_b, done, change)
        return
    all_a, all_b, done_a, done_b = before[0, n_bins], before[1, n_bins], 0.0, 0.0
    for j in range(n_bins):
        a, b, next_a, next_b = before[0, j], before[1, j], before[0, j + 1], before[1, j + 1]
        here_a, here_b = np.float64(moved[2 * j]), np.float64(moved[2 * j + 1])
        change[j] = 0.0
        if moved_a > 0.0:
            right = moved_a - done_a - here_a
            if joins:
                change[j] -= _least_fallen(entropy, a, next_a, all_a, b, next_b, all_b, done_a, here_a, right)
            else:
                change[j] += _most_risen(entropy, a, next_a, all_a, b, next_b, all_b, done_a, here_a, right)
        if moved_b > 0.0:
            right = moved_b - done_b - here_b
            if joins:
                change[j] -= _least_fallen(entropy, b, next_b, all_b, a, next_a, all_a, done_b, here_b, right)
            else:
                change[j] += _most_risen(entropy, b, next_b, all_b, a, next_a, all_a, done_b, here_b, right)
        done_a += here_a
        done_b += here_b
