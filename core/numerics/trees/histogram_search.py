"""The best split of a large node by its histograms, once they are up to date.

Only those bins are looked at that may hold it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.numerics.kernel import inlined, int64, kernel
from core.numerics.trees.arrays import Place, Rules, Scratch, Table
from core.numerics.trees.coarse import (
    LOWEST,
    PRUNED,
    ROUNDING_MARGIN,
    SPLIT,
    best_opened,
    corner,
    gather_kept,
    gather_ordered,
    gather_sorted,
    set_aside,
)
from core.numerics.trees.columns import bins_for, codes_for
from core.numerics.trees.histograms import (
    BIN_BOUND,
    BIN_FIRST,
    BIN_ROWS,
    BIN_SECOND,
    BIN_START,
    CANDIDATES,
    HEAD_ABOVE,
    HEAD_BELOW,
    HEAD_BINS,
    HEAD_FEATURE,
    HEAD_PEAK,
    UP,
    Histograms,
    bin_of,
    set_apart,
    take_back,
)
from core.typing import Array


@kernel
def _count_rows(place: Place) -> int:
    """Return how many rows a node has."""
    return len(place.pairs) if place.depth < 0 else len(place.rows)


@kernel
def _first_line_of(store: Histograms, start: int, own: int) -> int:
    """Return the first line of a node's candidate `own`."""
    head = start + 1
    while store.lines[head, HEAD_FEATURE] != own:
        head += 1 + store.lines[head, HEAD_BINS]
    return head


@kernel
def _has_one_code(lines: Array, at: int, n_bins: int, j: int, edges: Array, last_end: int) -> bool:
    """Return whether bin `j` of a candidate holds a single code.

    The candidate's first bin stands in line `at`.

    `last_end` is where the last bin ends among the column's, of which `edges` are the first codes.
    """
    end = lines[at + j + 1, BIN_START] if j + 1 < n_bins else last_end
    return bool(edges[end] - edges[lines[at + j, BIN_START]] == 1)


@kernel
def next_to_split(store: Histograms, start: int, table: Table, own: int, rows: Array) -> bool:
    """Return whether the codes next to a node's split may be others now.

    The split is on `own`, and `rows` have left or joined the node.
    """
    lines, codes, bins = store.lines, codes_for(table, len(rows)), bins_for(table, len(rows))
    head = _first_line_of(store, start, own)
    below, above, n_bins = lines[head, HEAD_BELOW], lines[head, HEAD_ABOVE], int64(lines[head, HEAD_BINS])
    for i in range(len(rows)):
        code = codes[own, rows[i]]
        if below <= code <= above:
            j = bin_of(lines, head + 1, n_bins, bins[own, rows[i]])
            alone = _has_one_code(lines, head + 1, n_bins, j, table.edges[own], table.n_bins[own])
            if below < code < above or not alone or lines[head + 1 + j, BIN_ROWS] == 0:
                return True
    return False


@kernel
def _choose_bins(
    store: Histograms, at: int, n_bins: int, least: float, peak: int, entropy: bool, edges: Array, last_end: int, sums: Array,
    scratch: Scratch,
) -> tuple[bool, float]:  # fmt: skip
    """Mark the bins that may hold a proxy of `least` and the ones before them.

    Returns if any and the largest bound.

    `last_end` is where the last bin ends among the column's. The bin `peak` is marked where any other is.
    Where a bin has a single code, its only split is looked at here.
    """
    some, most, last, before = False, -np.inf, -1, -1
    lines, counts, a, b = store.lines, scratch.counts, np.int64(0), np.int64(0)
    for j in range(n_bins):
        scratch.opened[j] = False
        bound = np.float64(store.bounds[at + j, BIN_BOUND])
        rows, first, second = (
            np.int64(lines[at + j, BIN_ROWS]),
            np.int64(lines[at + j, BIN_FIRST]),
            np.int64(lines[at + j, BIN_SECOND]),
        )
        counts[2 * j] = (first << 32) | rows
        counts[2 * j + 1] = second << 32
        if j == peak:
            before = last
        if rows == 0:
            continue
        if bound >= least and j != peak and _has_one_code(lines, at, n_bins, j, edges, last_end):
            proxy = corner(entropy, np.float64(a), np.float64(b), sums[0], sums[1])
            bound = np.float64(proxy + abs(proxy) * UP)
            store.bounds[at + j, BIN_BOUND] = bound
        most = max(most, bound)
        if bound >= least:
            scratch.opened[j] = some = True
            if last >= 0:
                scratch.opened[last] = True
        last = j
        a += first
        b += second
    if some and peak >= 0:
        scratch.opened[peak] = True
        if before >= 0:
            scratch.opened[before] = True
    return some, most


@inlined
def _best_of_candidate(
    store: Histograms, at: int, candidate: int, table: Table, rules: Rules, place: Place, sums: Array, floor: float, scratch: Scratch,
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Find the best split on a candidate, as `best_in_bins`.

    Bounds of opened bins become their largest proxies.
    """
    lines = store.lines
    f, n_bins, peak = int64(lines[at, HEAD_FEATURE]), int64(lines[at, HEAD_BINS]), int64(lines[at, HEAD_PEAK])
    at += 1
    least, edges = floor - ROUNDING_MARGIN * (sums[0] + sums[1]), table.edges[f]
    some, most = _choose_bins(store, at, n_bins, least, peak, rules.entropy, edges, table.n_bins[f], sums, scratch)
    if not some:
        return PRUNED, most, -1, -1, 0
    for j in range(n_bins):
        scratch.begins[j] = lines[at + j, BIN_START]
    scratch.begins[n_bins] = table.n_bins[f]
    values, n = table.values[table.first[f] : table.first[f + 1]], _count_rows(place)
    if set_aside(edges, n_bins, scratch):
        if place.depth < 0:
            gather_kept(table, f, n_bins, place.pairs, scratch.kept[candidate], scratch)
        elif gather_ordered(table, f, n_bins, n, place, scratch) < 0:
            gather_sorted(table, f, n_bins, place.labels, place.rows, scratch)
    best = best_opened(values, table.linked[f], edges, rules, n_bins, n, sums[0], sums[1], scratch)
    for j in range(n_bins):
        if scratch.opened[j] or scratch.alone[j]:
            bound = scratch.upper[j]
            store.bounds[at + j, BIN_BOUND] = bound + abs(bound) * UP
    return best


@kernel
def _keep_apart(store: Histograms, head: int, peak: int, rest: float, below: int, above: int) -> None:
    """Set the split of a candidate apart.

    The bounds of its bins are those of all splits by then.
    """
    store.bounds[head + 1 + peak, BIN_BOUND] = rest + abs(rest) * UP
    set_apart(store, head, peak, below, above)


@kernel
def best_of_candidates(
    store: Histograms, start: int, table: Table, rules: Rules, place: Place, sums: Array, own: int,
    mine: tuple[int, float, int, int, int], floor: float, scratch: Scratch,
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Find the best split of a node among its candidates, and set it apart.

    `scratch.most` holds their largest bounds.

    What the best split on `own` is was found before, and is set apart; without such a candidate `own` is -1. Some split has a proxy of `floor`.

    Where `place` has no depth, the node's rows were just counted, and line k of `scratch.kept` holds their bins on candidate k.

    Returns
    -------
    feature : int
        -1 where there is no split.
    proxy : float
    below, above, n_left : int
        As `best_on_feature` gives them.
    """
    lines, margin = store.lines, ROUNDING_MARGIN * (sums[0] + sums[1])
    feature, best, below, above, n_left = -1, -np.inf, -1, -1, 0
    at, head, peak, rest = start + 1, int64(-1), int64(-1), 0.0
    least: Any = max(floor, np.float64(mine[1]))
    for candidate in range(lines[start, CANDIDATES]):
        f, found = lines[at, HEAD_FEATURE], mine
        if f != own:
            found = (PRUNED, scratch.most[candidate], -1, -1, 0)
            if scratch.most[candidate] > LOWEST and scratch.most[candidate] >= least - margin:
                found = _best_of_candidate(store, at, candidate, table, rules, place, sums, least, scratch)
        if found[0] != PRUNED and found[1] > best:
            feature, best, below, above, n_left = f, found[1], found[2], found[3], found[4]
            head, peak, rest = at, -1 if f == own else scratch.peak[0], scratch.rest[0]
            least = max(least, best)
        at += 1 + lines[at, HEAD_BINS]
    if peak >= 0:
        _keep_apart(store, head, peak, rest, below, above)
    return feature, best, below, above, n_left


@inlined
def search_histograms(
    store: Histograms, start: int, table: Table, rules: Rules, place: Place, sums: Array, own: int,
    floor: float, n_left: int, settled: bool, scratch: Scratch,
) -> tuple[int, float, int, int, int]:  # fmt: skip
    """Find the best split of a node among its candidates.

    One of them, `own`, has a split of proxy `floor`.

    `n_left` rows are left of it; where it is `settled`, the codes next to it are what they were.

    Returns
    -------
    feature : int
        -1 where none reaches `floor`.
    proxy : float
    below, above, n_left : int
        As `best_on_feature` gives them.
    """
    lines, head = store.lines, _first_line_of(store, start, own)
    if not settled:
        take_back(store, head, floor)
    peak = lines[head, HEAD_PEAK]
    mine: Any = _best_of_candidate(store, head, -1, table, rules, place, sums, floor, scratch)
    if peak >= 0 and mine[0] == PRUNED:
        mine = (SPLIT, floor, int64(lines[head, HEAD_BELOW]), int64(lines[head, HEAD_ABOVE]), n_left)
    elif mine[2] < 0 or mine[1] < floor - ROUNDING_MARGIN * (sums[0] + sums[1]):
        return -1, -np.inf, -1, -1, n_left
    else:
        _keep_apart(store, head, scratch.peak[0], scratch.rest[0], mine[2], mine[3])
    return best_of_candidates(store, start, table, rules, place, sums, own, mine, floor, scratch)
