"""Best splits of large nodes of two-class trees.

Counts in bins come first, then only the bins that can hold the best.

The weighted impurity is concave in the left child's class sums, so its proxy within a bin is largest at a corner of the box between
the sums before and after the bin. Bins whose corners stay below the best split on a bin's edge are never opened.

References
----------
Alsabti, K., Ranka, S. and Singh, V. (1998). CLOUDS: a decision tree classifier for large datasets. KDD.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.numerics.kernel import inlined, int64, kernel
from core.numerics.trees.arrays import (
    CLASS_BITS,
    CLASS_MASK,
    LINK,
    LN2,
    LOW_HALF,
    MOST_BINS,
    TINY,
    Place,
    Rules,
    Scratch,
    Table,
)
from core.numerics.trees.columns import bins_for, codes_for
from core.numerics.trees.counting import bins_shift, count_rows
from core.numerics.trees.sorting import sort_keys
from core.typing import Array

CONSTANT, NO_SPLIT, SPLIT, PRUNED = 0, 1, 2, 3
ROUNDING_MARGIN = 1e-9
"""Proxies closer than this share of the node's weight are compared one by one."""
LOWEST = -1e30
"""Below every proxy, and not infinite: sums with it are numbers. The largest bound of a candidate that has no split."""
LOOKED_UP = 4
"""Rows are looked up in their column's order where that means a look at no more than one in so many of a node's."""


@kernel
def impurity_of_two(entropy: bool, a: float, b: float, weight: float) -> float:
    """Return the impurity of two class sums, as scikit-learn computes it."""
    if entropy:
        total = 0.0
        if a > 0.0:
            total -= a / weight * (math.log(a / weight) / LN2)
        if b > 0.0:
            total -= b / weight * (math.log(b / weight) / LN2)
        return total
    return 1.0 - (a * a + b * b) / (weight * weight)


@kernel
def proxy_of_two(entropy: bool, a: float, b: float, all_a: float, all_b: float) -> float:
    """Return scikit-learn's proxy of the gain of a split with sums `a` and `b` on the left."""
    left, right = a + b, (all_a + all_b) - (a + b)
    return -right * impurity_of_two(entropy, all_a - a, all_b - b, right) - left * impurity_of_two(entropy, a, b, left)


@kernel
def corner(entropy: bool, a: float, b: float, all_a: float, all_b: float) -> float:
    """Return the proxy to rounding, empty sides allowed."""
    left, right = a + b, (all_a + all_b) - (a + b)
    if entropy:
        mass = left * impurity_of_two(True, a, b, left) if left > 0.0 else 0.0
        return -mass - (right * impurity_of_two(True, all_a - a, all_b - b, right) if right > 0.0 else 0.0)
    left, right = max(left, TINY), max(right, TINY)
    return -2.0 * (a * b * right + (all_a - a) * (all_b - b) * left) / (left * right)


@kernel
def _bound(
    rules: Rules, edges: Array, shift: int, n_bins: int, n: int, all_a: float, all_b: float, counts: Array, scratch: Scratch
) -> tuple[float, int, int, int]:  # fmt: skip
    """Bound every bin from above.

    Returns the best edge's proxy, the bins around it, and how many bins have rows, 0 where all have one code.
    """
    a, b, rows, filled, last = 0.0, 0.0, 0, 0, -1
    best, best_before, best_after = -np.inf, -1, -1
    here = corner(rules.entropy, 0.0, 0.0, all_a, all_b)
    upper = scratch.upper
    for i in range(n_bins):
        first, second = counts[2 * i], counts[2 * i + 1]
        more = (first & LOW_HALF) + (second & LOW_HALF)
        upper[i] = -np.inf
        if more == 0:
            continue
        more_a, more_b = np.float64(first >> 32), np.float64(second >> 32)
        if filled > 0:
            here = proxy_of_two(rules.entropy, a, b, all_a, all_b)
            if upper[last] > -np.inf:
                upper[last] = max(upper[last], here)
            if here > best and rows >= rules.min_samples_leaf and n - rows >= rules.min_samples_leaf:
                best, best_before, best_after = here, last, i
        scratch.edge[i] = here
        if edges[(i + 1) << shift] - edges[i << shift] > 1:
            one = corner(rules.entropy, a + more_a, b, all_a, all_b)
            upper[i] = max(here, max(one, corner(rules.entropy, a, b + more_b, all_a, all_b)))
        a += more_a
        b += more_b
        rows += more
        filled += 1
        last = i
    if filled == 1 and edges[(last + 1) << shift] - edges[last << shift] == 1:
        filled = 0
    return best, best_before, best_after, filled


@kernel
def set_aside(edges: Array, n_bins: int, scratch: Scratch) -> bool:
    """Part the opened bins of a single code, whose rows need not be looked at, from the others.

    Returns if there are others.

    Bin j starts at the column's bin `scratch.begins[j]`, as do those below.
    """
    opened, alone, begins, others = scratch.opened, scratch.alone, scratch.begins, False
    for j in range(n_bins):
        alone[j] = False
        if opened[j]:
            alone[j] = edges[begins[j + 1]] - edges[begins[j]] == 1
            opened[j] = not alone[j]
            others = others or opened[j]
    return others


@kernel
def _mark_bins(n_bins: int, scratch: Scratch) -> None:
    """Mark the column's bins that opened ones are joined of."""
    opened, marked, begins = scratch.opened, scratch.marked, scratch.begins
    for j in range(n_bins):
        for i in range(begins[j], begins[j + 1]):
            marked[i] = opened[j]


@kernel
def _sort_chosen(codes: Array, chosen: Array, found: int, scratch: Scratch) -> None:
    """Collect chosen rows, each with its label, in the order of their codes."""
    low: Any = 1 << 31
    high: Any = 0
    keys = scratch.keys
    for i in range(found):
        pair = np.int64(chosen[i])
        code = np.int64(codes[np.uint64(pair & LOW_HALF)])
        low, high = min(low, code), max(high, code)
        keys[i] = (code << 32) | (pair >> 32)
    sort_keys(keys, scratch.spare, found, low, high - low, scratch.small)


@kernel
def gather_sorted(table: Table, f: int, n_bins: int, labels: Array, rows: Array, scratch: Scratch) -> None:
    """Collect the rows of opened bins in the order of their codes."""
    _mark_bins(n_bins, scratch)
    bins, marked, chosen, found = bins_for(table, len(rows))[f], scratch.marked, scratch.spare, np.uint64(0)
    for i in range(len(rows)):
        chosen[found] = rows[i]
        found += np.uint64(marked[bins[np.uint64(rows[i])]])
    for i in range(np.int64(found)):
        chosen[i] |= np.int64(labels[chosen[i]]) << 32
    _sort_chosen(codes_for(table, len(rows))[f], chosen, int64(found), scratch)


@kernel
def gather_kept(table: Table, f: int, n_bins: int, pairs: Array, kept: Array, scratch: Scratch) -> None:
    """Collect the rows of opened bins as `gather_sorted` does.

    Each row's bin was `kept` when it was counted.
    """
    _mark_bins(n_bins, scratch)
    marked, chosen, found = scratch.marked, scratch.spare, np.uint64(0)
    for i in range(len(pairs)):
        chosen[found] = pairs[i]
        found += np.uint64(marked[kept[i]])
    _sort_chosen(codes_for(table, len(pairs))[f], chosen, int64(found), scratch)


@kernel
def _belongs(codes: Array, place: Place, row: int) -> bool:
    """Return whether a row is one of the node's."""
    if place.labels[row] <= CLASS_MASK or not place.stays[row]:
        return False
    for d in range(place.depth):  # noqa: SIM110
        if (codes[place.path[d, 0], row] <= place.path[d, 1]) != (place.path[d, 2] == 1):
            return False
    return True


@kernel
def gather_ordered(table: Table, f: int, n_bins: int, n: int, place: Place, scratch: Scratch) -> int:
    """Collect the rows of opened bins in the order of their codes by looking them up.

    Returns how many, -1 where that takes long.

    `n` is the number of the node's rows.
    """
    starts, begins, most, looked, found = table.starts[f], scratch.begins, n // LOOKED_UP, 0, 0
    for j in range(n_bins):
        if scratch.opened[j]:
            looked += starts[begins[j + 1]] - starts[begins[j]]
    if looked > most:
        return -1
    codes, order = table.codes_by_row, table.order
    for j in range(n_bins):
        if not scratch.opened[j]:
            continue
        for at in range(starts[begins[j]], starts[begins[j + 1]]):
            row = order[f, at]
            if _belongs(codes, place, row):
                scratch.keys[found] = (np.int64(codes[f, row]) << 32) | place.labels[row]
                found += 1
    return found


@kernel
def best_opened(
    values: Array, linked: int, edges: Array, rules: Rules, n_bins: int, n: int, all_a: float, all_b: float, scratch: Scratch,
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Compare the splits in and between opened bins in ascending order.

    The first of equals wins.

    What no split in an opened bin or on its left edge exceeds goes to `scratch.upper`, splits that are not allowed included, but not the
    one on its right edge, which is the next bin's; the
    bin of the best split goes to `scratch.peak`, and what no other split there exceeds to `scratch.rest`.
    """
    keys, counts = scratch.keys, scratch.counts
    a, b, rows, at = np.int64(0), np.int64(0), 0, 0
    last: Any = -1
    below: Any = -1
    above: Any = -1
    best, n_left = -np.inf, 0
    rest = LOWEST
    scratch.peak[0] = -1
    for i in range(n_bins):
        here = (counts[2 * i] & LOW_HALF) + (counts[2 * i + 1] & LOW_HALF)
        if here == 0:
            continue
        if not (scratch.opened[i] or scratch.alone[i]):
            a += counts[2 * i] >> 32
            b += counts[2 * i + 1] >> 32
            rows += here
            last = -1
            continue
        end = rows + here
        most = corner(rules.entropy, 0.0, 0.0, all_a, all_b) if rows == 0 else LOWEST
        while rows < end:
            code = np.int64(edges[scratch.begins[i]]) if scratch.alone[i] else keys[at] >> 32
            if rows > 0:
                proxy = proxy_of_two(rules.entropy, np.float64(a), np.float64(b), all_a, all_b)
                if (
                    proxy > best
                    and last >= 0
                    and not (code - last <= linked and values[code] <= values[last] + LINK)
                    and rows >= rules.min_samples_leaf
                    and n - rows >= rules.min_samples_leaf
                ):
                    best, below, above, n_left = proxy, last, code, rows
                    scratch.peak[0], rest = i, most
                elif scratch.peak[0] == i:
                    rest = max(rest, proxy)
                most = max(most, proxy)
            last = code
            if scratch.alone[i]:
                a += counts[2 * i] >> 32
                b += counts[2 * i + 1] >> 32
                rows = end
                continue
            while rows < end and keys[at] >> 32 == code:
                label = keys[at] & LOW_HALF
                a += (label >> CLASS_BITS) * (1 - (label & CLASS_MASK))
                b += (label >> CLASS_BITS) * (label & CLASS_MASK)
                at += 1
                rows += 1
        scratch.upper[i] = most
    scratch.rest[0] = rest
    return (SPLIT if below >= 0 else NO_SPLIT), best, below, above, n_left


@inlined
def bound_counted(
    table: Table, rules: Rules, f: int, n: int, sums: Array, counts: Array, scratch: Scratch
) -> tuple[float, int, int, int, int, int]:
    """Bound the proxies in every bin of a feature on which a large node's rows were counted.

    Returns
    -------
    edge : float
        The largest proxy of the splits between bins.
    before, after : int
        The bins on both sides of it.
    filled : int
        How many bins have rows; 0 where all rows have one code.
    n_bins, shift : int
        How many bins there are, and how often the column's were joined for them, two by two.
    """
    scratch.peak[0] = -1
    shift = bins_shift(table, f, n)
    n_bins = ((table.n_bins[f] - 1) >> shift) + 1
    edge, before, after, filled = _bound(rules, table.edges[f], shift, n_bins, n, sums[0], sums[1], counts, scratch)
    return edge, before, after, filled, n_bins, shift


@inlined
def best_in_bins(
    table: Table, rules: Rules, f: int, pairs: Array, sums: Array, floor: float, scratch: Scratch
) -> tuple[int, float, int, int, int]:
    """Find the best split of a large node on one feature, unless it stays below `floor`.

    Returns
    -------
    kind : int
        CONSTANT where all rows share a bin, which decides nothing yet; PRUNED where no split reaches `floor`.
    proxy : float
        Where PRUNED: no split's proxy is larger.
    below, above, n_left : int
    """
    n, counts = len(pairs), scratch.counts[: 2 * MOST_BINS]
    count_rows(bins_for(table, n)[f], bins_shift(table, f, n), pairs, counts, scratch.kept[0])
    edge, before, after, filled, n_bins, shift = bound_counted(table, rules, f, n, sums, counts, scratch)
    if filled < 2:
        return CONSTANT, -np.inf, -1, -1, 0
    least = max(edge, floor) - ROUNDING_MARGIN * (sums[0] + sums[1])
    most, some = edge, edge >= least
    for i in range(n_bins):
        scratch.opened[i] = scratch.upper[i] >= least and scratch.upper[i] > -np.inf
        some = some or scratch.opened[i]
        most = max(most, scratch.upper[i])
    if not some:
        return PRUNED, most, -1, -1, 0
    if before >= 0:
        scratch.opened[before] = True
        scratch.opened[after] = True
    for i in range(n_bins):
        scratch.begins[i] = i << shift
    scratch.begins[n_bins] = table.n_bins[f]
    edges = table.edges[f]
    if set_aside(edges, n_bins, scratch):
        gather_kept(table, f, n_bins, pairs, scratch.kept[0], scratch)
    values = table.values[table.first[f] : table.first[f + 1]]
    return best_opened(values, table.linked[f], edges, rules, n_bins, n, sums[0], sums[1], scratch)
