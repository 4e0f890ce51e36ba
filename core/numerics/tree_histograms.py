"""What large nodes of two-class trees remember of their search: class counts by bin of every candidate, and what no split there exceeds.

When rows leave or join, counts change and so do the bounds; rows are looked at only in bins whose bound still reaches the best split.
The proxy F is convex and homogeneous in the class sums left and right of a split, so a change of them by -d raises it by at most
-grad F(after) d, and one by +d lowers it by at least as much. The gradient depends on the sides' class shares alone, which
the counts bound within a bin.

References
----------
Alsabti, K., Ranka, S. and Singh, V. (1998). CLOUDS: a decision tree classifier for large datasets. KDD.
Brophy, J. and Lowd, D. (2021). Machine unlearning for random forests. ICML.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import inlined, int64, kernel
from core.numerics.tree_arrays import CLASS_BITS, CLASS_MASK, Array, Place, Rules, Scratch, Table
from core.numerics.tree_coarse import (
    LOW_HALF,
    MARGIN,
    PRUNED,
    best_opened,
    bins_shift,
    corner,
    gather_ordered,
    gather_sorted,
    set_aside,
)
from core.numerics.tree_columns import bins_for

ROWS, FIRST, SECOND, BOUND, START = range(5)
"""Columns of a bin: its rows, the weight of both classes, what the proxy of no split in it, or on its left edge, exceeds, and the
first of the column's bins that it joins."""
WIDTH = 5
SIZE, CANDIDATES = range(2)
"""Columns of a node's first line."""
FEATURE, BINS = range(2)
"""Columns of a candidate's first line; its bins follow."""
FEWEST, MOST, PARTS = 12, 48, 16
"""The column's bins are joined until they hold a part in so many of a node's rows, but no fewer and no more than these."""
UP = 2.0**-23


class Histograms(NamedTuple):
    """The histograms of a tree's large nodes, one node after the other.

    Parameters
    ----------
    lines : ndarray of int32, shape (room, WIDTH)
    bounds : ndarray of float32, shape (room, WIDTH)
        The same memory, for the column that holds float32.
    used : ndarray of int64, shape (1,)
        Lines in use.
    offset : int
        What nodes call the first line.
    """

    lines: Array
    bounds: Array
    used: Array
    offset: int


def make_histograms(lines: Array, used: int, offset: int) -> Histograms:
    """Return histograms over an array of lines."""
    return Histograms(lines, lines.view(np.float32), np.array([used]), offset)


@kernel
def begin(store: Histograms) -> int:
    """Start a node's histograms; return where, -1 where there is no room."""
    start = store.used[0]
    if start >= len(store.lines):
        return -1
    store.lines[start, SIZE] = 1
    store.lines[start, CANDIDATES] = 0
    store.used[0] = start + 1
    return int(start)


@kernel
def add_candidate(
    store: Histograms, start: int, table: Table, f: int, n: int, all_a: float, all_b: float, entropy: bool, scratch: Scratch
) -> int:  # fmt: skip
    """Add what the search of one candidate has just left in `scratch`; return `start`, or -1 where there is no room.

    A value that many rows share has a bin of its own: rows are never looked at to tell it from others.
    """
    shift = bins_shift(table, f, n)
    edges, counts, wanted = table.edges[f], scratch.counts, max(FEWEST, min(MOST, n // PARTS))
    head, at, alone, a, b, last = store.used[0], store.used[0], False, 0.0, 0.0, -1
    for i in range(((table.n_bins[f] - 1) >> shift) + 1):
        first, second = counts[2 * i], counts[2 * i + 1]
        rows = (first & LOW_HALF) + (second & LOW_HALF)
        if rows == 0:
            continue
        if at + 3 >= len(store.lines):
            store.used[0] = start
            return -1
        often = 2 * rows >= wanted and edges[(i + 1) << shift] - edges[i << shift] == 1
        if at == head or alone or often or store.lines[at, ROWS] + rows > wanted:
            if often and i > last + 1 and (alone or at == head):
                at = _start_bin(store, at, (last + 1) << shift, corner(entropy, a, b, all_a, all_b))
                alone = False
            at = _start_bin(store, at, (i if often or (not alone and at > head) else last + 1) << shift, -np.inf)
        _join(store, at, rows, first >> 32, second >> 32, max(scratch.edge[i], scratch.upper[i]))
        a += first >> 32
        b += second >> 32
        alone, last = often, i
    if alone and (last + 1) << shift < table.n_bins[f]:
        at = _start_bin(store, at, (last + 1) << shift, corner(entropy, a, b, all_a, all_b))
    _end_candidate(store, start, head, f, at)
    return start


@kernel
def _start_bin(store: Histograms, at: int, begin: int, bound: float) -> int:
    """Append an empty bin after line `at`; return its line."""
    at += 1
    store.lines[at, ROWS] = 0
    store.lines[at, FIRST] = 0
    store.lines[at, SECOND] = 0
    store.lines[at, START] = begin
    store.bounds[at, BOUND] = bound + abs(bound) * UP if bound > -np.inf else bound
    return at


@kernel
def _join(store: Histograms, at: int, rows: int, first: int, second: int, bound: float) -> None:
    """Add a bin of a search to the one in line `at`."""
    store.lines[at, ROWS] += rows
    store.lines[at, FIRST] += first
    store.lines[at, SECOND] += second
    store.bounds[at, BOUND] = max(np.float64(store.bounds[at, BOUND]), bound + abs(bound) * UP)


@kernel
def _end_candidate(store: Histograms, start: int, head: int, f: int, at: int) -> None:
    """Write the first line of a candidate whose last bin stands in line `at`."""
    store.lines[head, FEATURE] = f
    store.lines[head, BINS] = at - head
    store.used[0] = at + 1
    store.lines[start, SIZE] = at + 1 - start
    store.lines[start, CANDIDATES] += 1


@kernel
def add_constant(store: Histograms, start: int, f: int, n: int, all_a: float, all_b: float, entropy: bool) -> int:
    """Add a candidate that is constant in a node, as `add_candidate` does, which takes no search."""
    head = store.used[0]
    if head + 1 >= len(store.lines):
        store.used[0] = start
        return -1
    bound = corner(entropy, 0.0, 0.0, all_a, all_b)
    at = _start_bin(store, head, 0, -np.inf)
    _join(store, at, n, int(all_a), int(all_b), bound)
    _end_candidate(store, start, head, f, at)
    return start


@kernel
def copy_histograms(name: int, base: Histograms, own: Histograms, out: Histograms) -> int:
    """Copy a node's histograms to `out`; return the name they have there, -1 where there is no room."""
    lines, start = (base.lines, name) if name < own.offset else (own.lines, name - own.offset)
    size, to = lines[start, SIZE], out.used[0]
    if to + size > len(out.lines):
        return -1
    for i in range(size):
        for j in range(out.lines.shape[1]):
            out.lines[to + i, j] = lines[start + i, j]
    out.used[0] = to + size
    return int(to + out.offset)


@kernel
def _slope(entropy: bool, share: float) -> float:
    """Return how fast the proxy falls as rows of one class join a side, from the other class's share in it."""
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
    """Bound how much splits in a bin rise as weight of one class leaves left of it, inside and right of it.

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
    """Bound how much splits in a bin fall as weight of one class joins; arguments as for `_most_risen`."""
    on_left = _slope(entropy, other_low / (other_low + high)) if other_low > 0.0 else 0.0
    other_right = other_whole - other_high
    on_right = _slope(entropy, other_right / (other_right + whole - low)) if other_right > 0.0 else 0.0
    return _times(on_left, left) + _times(on_right, right) + _times(min(on_left, on_right), inside)


@kernel
def _bin_of(lines: Array, at: int, n_bins: int, place: Any) -> int:
    """Return which of a candidate's bins, whose first stands in line `at`, one of the column's bins belongs to."""
    low, high = 0, n_bins
    while high - low > 1:
        middle = (low + high) >> 1
        if lines[at + middle, START] <= place:
            low = middle
        else:
            high = middle
    return low


@kernel
def _shift_bounds(
    store: Histograms, at: int, n_bins: int, joins: bool, entropy: bool, all_a: float, all_b: float,
    moved_a: float, moved_b: float, moved: Array,
) -> None:  # fmt: skip
    lines, bounds = store.lines, store.bounds
    a, b, done_a, done_b = 0.0, 0.0, 0.0, 0.0
    for j in range(n_bins):
        next_a, next_b = a + lines[at + j, FIRST], b + lines[at + j, SECOND]
        here_a, here_b = np.float64(moved[2 * j]), np.float64(moved[2 * j + 1])
        change = 0.0
        if moved_a > 0.0:
            right = moved_a - done_a - here_a
            if joins:
                change -= _least_fallen(entropy, a, next_a, all_a, b, next_b, all_b, done_a, here_a, right)
            else:
                change += _most_risen(entropy, a, next_a, all_a, b, next_b, all_b, done_a, here_a, right)
        if moved_b > 0.0:
            right = moved_b - done_b - here_b
            if joins:
                change -= _least_fallen(entropy, b, next_b, all_b, a, next_a, all_a, done_b, here_b, right)
            else:
                change += _most_risen(entropy, b, next_b, all_b, a, next_a, all_a, done_b, here_b, right)
        bound = np.float64(bounds[at + j, BOUND]) + change
        bounds[at + j, BOUND] = bound + abs(bound) * UP
        a, b, done_a, done_b = next_a, next_b, done_a + here_a, done_b + here_b


@kernel
def move_rows(
    store: Histograms, start: int, table: Table, entropy: bool, labels: Array, rows: Array, joins: bool,
    sums: Array, scratch: Scratch,
) -> None:  # fmt: skip
    """Let rows join a node, or leave it, in all its histograms; `sums` are the node's class sums afterwards."""
    lines, moved, by, bins = store.lines, scratch.counts, 1 if joins else -1, bins_for(table, len(rows))
    at = start + 1
    for _ in range(lines[start, CANDIDATES]):
        f, n_bins = lines[at, FEATURE], int64(lines[at, BINS])
        at += 1
        moved[: 2 * n_bins] = 0
        moved_a, moved_b = 0.0, 0.0
        for i in range(len(rows)):
            j = _bin_of(lines, at, n_bins, bins[f, rows[i]])
            label = labels[rows[i]]
            weight, second = label >> CLASS_BITS, label & CLASS_MASK
            lines[at + j, ROWS] += by
            lines[at + j, FIRST + second] += by * weight
            moved[2 * j + second] += weight
            moved_a += weight * (1 - second)
            moved_b += weight * second
        _shift_bounds(store, at, n_bins, joins, entropy, sums[0], sums[1], moved_a, moved_b, moved)
        at += n_bins


@kernel
def _choose_bins(store: Histograms, at: int, n_bins: int, least: float, scratch: Scratch) -> tuple[bool, float]:
    """Mark the bins that may hold a proxy of `least` and the ones before them; return if any and the largest bound."""
    some, most, last = False, -np.inf, -1
    for j in range(n_bins):
        scratch.opened[j] = False
        bound = np.float64(store.bounds[at + j, BOUND])
        rows = np.int64(store.lines[at + j, ROWS])
        scratch.counts[2 * j] = (np.int64(store.lines[at + j, FIRST]) << 32) | rows
        scratch.counts[2 * j + 1] = np.int64(store.lines[at + j, SECOND]) << 32
        if rows == 0:
            continue
        most = max(most, bound)
        if bound >= least:
            scratch.opened[j] = some = True
            if last >= 0:
                scratch.opened[last] = True
        last = j
    return some, most


@inlined
def _best_of_candidate(
    store: Histograms, at: int, table: Table, rules: Rules, labels: Array, rows: Array, place: Place, sums: Array,
    floor: float, scratch: Scratch,
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Find the best split on a candidate, as `best_in_bins`; bounds of opened bins become their largest proxies."""
    lines = store.lines
    f, n_bins = int64(lines[at, FEATURE]), int64(lines[at, BINS])
    at += 1
    some, most = _choose_bins(store, at, n_bins, floor - MARGIN * (sums[0] + sums[1]), scratch)
    if not some:
        return PRUNED, most, -1, -1, 0
    for j in range(n_bins):
        scratch.begins[j] = lines[at + j, START]
    scratch.begins[n_bins] = table.n_bins[f]
    values, edges, n = table.values[table.first[f] : table.first[f + 1]], table.edges[f], len(rows)
    if set_aside(edges, n_bins, scratch) and gather_ordered(table, f, n_bins, labels, n, place, scratch) < 0:
        gather_sorted(table, f, n_bins, labels, rows, scratch)
    best = best_opened(values, table.linked[f], edges, rules, n_bins, n, sums[0], sums[1], scratch)
    for j in range(n_bins):
        if scratch.opened[j] or scratch.alone[j]:
            bound = scratch.upper[j]
            store.bounds[at + j, BOUND] = bound + abs(bound) * UP
    return best


@inlined
def search_histograms(
    store: Histograms, start: int, table: Table, rules: Rules, labels: Array, rows: Array, place: Place, sums: Array,
    own: int, floor: float, scratch: Scratch,
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Find the best split of a node among its candidates, one of which, `own`, has a split of proxy `floor`.

    Returns
    -------
    feature : int
        -1 where none reaches `floor`.
    proxy : float
    below, above, n_left : int
        As `best_on_feature` gives them.
    """
    lines = store.lines
    at = start + 1
    while lines[at, FEATURE] != own:
        at += 1 + lines[at, BINS]
    feature, best, below, above, n_left = -1, -np.inf, -1, -1, 0
    mine: Any = (PRUNED, floor, -1, -1, 0)
    for turn in range(lines[start, CANDIDATES] + 1):
        f, found = lines[at, FEATURE], mine
        if turn == 0 or f != own:
            found = _best_of_candidate(
                store, at, table, rules, labels, rows, place, sums, max(best, np.float64(mine[1])), scratch
            )
        if turn == 0:
            mine, at = found, start + 1
            if mine[2] < 0 or mine[1] < floor - MARGIN * (sums[0] + sums[1]):
                break
            continue
        if found[0] != PRUNED and found[1] > best:
            feature, best, below, above, n_left = f, found[1], found[2], found[3], found[4]
        at += 1 + lines[at, BINS]
    return feature, best, below, above, n_left
