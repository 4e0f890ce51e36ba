"""Histograms of large nodes of two-class trees, remembered from their search.

They hold class counts by bin of every candidate, and what no split there exceeds.

When rows leave or join, counts change and so do the bounds; rows are looked at only in bins whose bound still reaches the best split.
The node's own split, whose proxy the counts give, is set apart: the bound of its bin is that of all others there, so that the rows
around it need no look either while none of them comes near.

References
----------
Alsabti, K., Ranka, S. and Singh, V. (1998). CLOUDS: a decision tree classifier for large datasets. KDD.
Brophy, J. and Lowd, D. (2021). Machine unlearning for random forests. ICML.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import int64, kernel
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK, LOW_HALF, Scratch, Table
from core.numerics.trees.bounds import change_with_rows, rise_without_one
from core.numerics.trees.coarse import LOWEST, corner
from core.numerics.trees.columns import bins_for
from core.numerics.trees.counting import bins_shift
from core.typing import Array

BIN_ROWS, BIN_FIRST, BIN_SECOND, BIN_BOUND, BIN_START = range(5)
"""Columns of a bin: its rows, the weight of both classes, what the proxy of no split in it, or on its left edge, exceeds, and the
first of the column's bins that it joins."""
WIDTH = 5
SIZE, CANDIDATES = range(2)
"""Columns of a node's first line."""
HEAD_FEATURE, HEAD_BINS, HEAD_PEAK, HEAD_BELOW, HEAD_ABOVE = range(5)
"""Columns of a candidate's first line; its bins follow. Where the node splits on it, the bin that its split is in, whose bound is of
all splits but this one, and the codes on both sides of the threshold; else one of the two below."""
NO_PEAK, NO_SPLITS = -1, -2
"""Of a candidate that is constant in the node, there are no splits until rows join."""
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
    store: Histograms, start: int, table: Table, f: int, n: int, all_a: float, all_b: float, entropy: bool, counts: Array,
    scratch: Scratch,
) -> int:  # fmt: skip
    """Add what was counted on one candidate, and how that was bounded in `scratch`.

    Returns `start`, or -1 where there is no room.

    Its largest bound goes to `scratch.most`. A value that many rows share has a bin of its own: rows are never looked at to tell it
    from others.
    """
    shift = bins_shift(table, f, n)
    edges, wanted = table.edges[f], max(FEWEST, min(MOST, n // PARTS))
    most: Any = LOWEST
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
        if at == head or alone or often or store.lines[at, BIN_ROWS] + rows > wanted:
            if often and i > last + 1 and (alone or at == head):
                at = _start_bin(store, at, (last + 1) << shift, corner(entropy, a, b, all_a, all_b))
                alone = False
            at = _start_bin(store, at, (i if often or (not alone and at > head) else last + 1) << shift, -np.inf)
        bound = max(scratch.edge[i], scratch.upper[i])
        most = max(most, bound)
        _join(store, at, rows, first >> 32, second >> 32, bound)
        a += first >> 32
        b += second >> 32
        alone, last = often, i
    if alone and (last + 1) << shift < table.n_bins[f]:
        at = _start_bin(store, at, (last + 1) << shift, corner(entropy, a, b, all_a, all_b))
    scratch.most[store.lines[start, CANDIDATES]] = most + abs(most) * UP
    _end_candidate(store, start, head, f, at)
    return start


@kernel
def take_out(store: Histograms, start: int, head: int, scratch: Scratch) -> None:
    """Note that the candidate added last, whose first line is given, is constant in the node."""
    store.lines[head, HEAD_PEAK] = NO_SPLITS
    scratch.most[store.lines[start, CANDIDATES] - 1] = LOWEST


@kernel
def set_apart(store: Histograms, head: int, peak: int, below: int, above: int) -> None:
    """Note which of a candidate's bins has a bound of all splits but one."""
    store.lines[head, HEAD_PEAK] = peak
    store.lines[head, HEAD_BELOW] = below
    store.lines[head, HEAD_ABOVE] = above


@kernel
def take_back(store: Histograms, head: int, proxy: float) -> None:
    """Let the bin of the split that was set apart, whose proxy is given, bound that one too."""
    peak = int64(store.lines[head, HEAD_PEAK])
    if peak >= 0:
        bounds, at = store.bounds, head + 1 + peak
        bounds[at, BIN_BOUND] = max(np.float64(bounds[at, BIN_BOUND]), proxy + abs(proxy) * UP)
        store.lines[head, HEAD_PEAK] = NO_PEAK


@kernel
def _start_bin(store: Histograms, at: int, begin: int, bound: float) -> int:
    """Append an empty bin after line `at`; return its line."""
    at += 1
    store.lines[at, BIN_ROWS] = 0
    store.lines[at, BIN_FIRST] = 0
    store.lines[at, BIN_SECOND] = 0
    store.lines[at, BIN_START] = begin
    store.bounds[at, BIN_BOUND] = bound + abs(bound) * UP if bound > -np.inf else bound
    return at


@kernel
def _join(store: Histograms, at: int, rows: int, first: int, second: int, bound: float) -> None:
    """Add a bin of a search to the one in line `at`."""
    store.lines[at, BIN_ROWS] += rows
    store.lines[at, BIN_FIRST] += first
    store.lines[at, BIN_SECOND] += second
    store.bounds[at, BIN_BOUND] = max(np.float64(store.bounds[at, BIN_BOUND]), bound + abs(bound) * UP)


@kernel
def _end_candidate(store: Histograms, start: int, head: int, f: int, at: int) -> None:
    """Write the first line of a candidate whose last bin stands in line `at`."""
    store.lines[head, HEAD_FEATURE] = f
    store.lines[head, HEAD_BINS] = at - head
    store.lines[head, HEAD_PEAK] = NO_PEAK
    store.used[0] = at + 1
    store.lines[start, SIZE] = at + 1 - start
    store.lines[start, CANDIDATES] += 1


@kernel
def add_constant(
    store: Histograms, start: int, f: int, n: int, all_a: float, all_b: float, entropy: bool, scratch: Scratch
) -> int:
    """Add a candidate that is constant in a node, as `add_candidate` does; it takes no count."""
    head = store.used[0]
    if head + 1 >= len(store.lines):
        store.used[0] = start
        return -1
    bound = corner(entropy, 0.0, 0.0, all_a, all_b)
    at = _start_bin(store, head, 0, -np.inf)
    _join(store, at, n, int(all_a), int(all_b), bound)
    _end_candidate(store, start, head, f, at)
    take_out(store, start, head, scratch)
    return start


@kernel
def copy_histograms(name: int, base: Histograms, own: Histograms, out: Histograms) -> int:
    """Copy a node's histograms to `out`.

    Returns the name they have there, -1 where there is no room.
    """
    lines, start = (base.lines, name) if name < own.offset else (own.lines, name - own.offset)
    size, to = lines[start, SIZE], out.used[0]
    if to + size > len(out.lines):
        return -1
    for i in range(size):
        for j in range(WIDTH):
            out.lines[to + i, j] = lines[start + i, j]
    out.used[0] = to + size
    return int(to + out.offset)


@kernel
def bin_of(lines: Array, at: int, n_bins: int, place: Any) -> int:
    """Return the candidate's bin that one of the column's bins belongs to.

    The candidate's first bin stands in line `at`.
    """
    low, high = 0, n_bins
    while high - low > 1:
        middle = (low + high) >> 1
        if lines[at + middle, BIN_START] <= place:
            low = middle
        else:
            high = middle
    return low


@kernel
def _sum_up(store: Histograms, at: int, n_bins: int, before: Array) -> None:
    """Write the class sums left of every bin, and of all."""
    a, b = np.int64(0), np.int64(0)
    for j in range(n_bins):
        before[0, j] = a
        before[1, j] = b
        a += store.lines[at + j, BIN_FIRST]
        b += store.lines[at + j, BIN_SECOND]
    before[0, n_bins] = a
    before[1, n_bins] = b


@kernel
def _add_to_bounds(store: Histograms, at: int, n_bins: int, change: Array) -> float:
    """Raise every bin's bound; return the largest."""
    most = -np.inf
    for j in range(n_bins):
        bound = np.float64(store.bounds[at + j, BIN_BOUND]) + change[j]
        bound += abs(bound) * UP
        store.bounds[at + j, BIN_BOUND] = bound
        most = max(most, bound)
    return most


@kernel
def _cap_bounds(store: Histograms, at: int, n_bins: int, entropy: bool, before: Array) -> float:
    """Lower every bound to the largest corner of its bin's box; return the largest.

    Steps that add up over many rows may exceed it.

    `before` are class sums after the move. The split at a bin's end, which `_cover_ends` adds where rows join, is added after this.
    """
    most, bounds, all_a, all_b = LOWEST, store.bounds, before[0, n_bins], before[1, n_bins]
    ended = corner(entropy, before[0, 0], before[1, 0], all_a, all_b)
    for j in range(n_bins):
        begun = ended
        ended = corner(entropy, before[0, j + 1], before[1, j + 1], all_a, all_b)
        one = corner(entropy, before[0, j + 1], before[1, j], all_a, all_b)
        other = corner(entropy, before[0, j], before[1, j + 1], all_a, all_b)
        cap = max(max(begun, ended), max(one, other))
        bound = min(np.float64(bounds[at + j, BIN_BOUND]), cap + abs(cap) * UP)
        bounds[at + j, BIN_BOUND] = bound
        most = max(most, bound)
    return most


@kernel
def _cover_ends(
    store: Histograms, at: int, n_bins: int, entropy: bool, before: Array, moved_a: float, moved_b: float, moved: Array
) -> float:
    """Let the bins that rows joined bound the split at their end, too.

    Returns the largest of these proxies.

    Bounds are of splits within a bin and at its start. A row that comes after all others of its bin makes a split within it of what
    was the one at its end, which it does not raise.
    """
    most, done_a, done_b = -np.inf, 0.0, 0.0
    all_a, all_b = before[0, n_bins] - moved_a, before[1, n_bins] - moved_b
    for j in range(n_bins):
        done_a += moved[2 * j]
        done_b += moved[2 * j + 1]
        if moved[2 * j] + moved[2 * j + 1] > 0:
            ended = corner(entropy, before[0, j + 1] - done_a, before[1, j + 1] - done_b, all_a, all_b)
            ended += abs(ended) * UP
            store.bounds[at + j, BIN_BOUND] = max(np.float64(store.bounds[at + j, BIN_BOUND]), ended)
            most = max(most, ended)
    return most


@kernel
def move_rows(
    store: Histograms,
    start: int,
    table: Table,
    entropy: bool,
    labels: Array,
    rows: Array,
    joins: bool,
    scratch: Scratch,
) -> None:
    """Let rows join a node, or leave it, in all its histograms.

    Each candidate's largest bound then goes to `scratch.most`.
    """
    lines, moved, by, bins = store.lines, scratch.counts, 1 if joins else -1, bins_for(table, len(rows))
    before, change = scratch.before, scratch.upper
    at = start + 1
    for candidate in range(lines[start, CANDIDATES]):
        f, n_bins = lines[at, HEAD_FEATURE], int64(lines[at, HEAD_BINS])
        at += 1
        moved[: 2 * n_bins] = 0
        j, second, weight, moved_a, moved_b = int64(0), int64(0), int64(0), 0.0, 0.0
        for i in range(len(rows)):
            j = bin_of(lines, at, n_bins, bins[f, rows[i]])
            label = labels[rows[i]]
            weight, second = int64(label >> CLASS_BITS), int64(label & CLASS_MASK)
            lines[at + j, BIN_ROWS] += by
            lines[at + j, BIN_FIRST + second] += by * weight
            moved[2 * j + second] += weight
            moved_a += weight * (1 - second)
            moved_b += weight * second
        _sum_up(store, at, n_bins, before)
        if len(rows) == 1 and not joins:
            rise_without_one(entropy, n_bins, before[second], before[1 - second], np.float64(weight), j, change)
        else:
            change_with_rows(entropy, n_bins, joins, before, moved_a, moved_b, moved, scratch.edge, change)
        scratch.most[candidate] = _add_to_bounds(store, at, n_bins, change)
        if len(rows) > 1:
            scratch.most[candidate] = _cap_bounds(store, at, n_bins, entropy, before)
        if joins:
            most = _cover_ends(store, at, n_bins, entropy, before, moved_a, moved_b, moved)
            scratch.most[candidate] = max(scratch.most[candidate], most)
        if lines[at - 1, HEAD_PEAK] == NO_SPLITS:
            if joins:
                lines[at - 1, HEAD_PEAK] = NO_PEAK
            else:
                scratch.most[candidate] = LOWEST
        at += n_bins
