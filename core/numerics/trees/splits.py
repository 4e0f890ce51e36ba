"""Best splits of tree nodes, in scikit-learn's own arithmetic.

Every operation that decides a split is done in the order and precision of scikit-learn's `BestSplitter`, so that its trees come
out bit for bit: float32 values, neighbours no further apart than 1e-7 taken as one, the impurity proxy of `Criterion`, the
first of equal gains. Weights are whole numbers, so that sums are exact whatever their order.

Columns are coded: `codes[f, row]` is the rank of the row's value among the column's distinct values.

References
----------
Louppe, G. (2014). Understanding random forests: from theory to practice. PhD thesis, University of Liège, chapter 5.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.numerics.kernel import inlined, int64, kernel
from core.numerics.trees.arrays import (
    CLASS_BITS,
    CLASS_MASK,
    COUNTED_AT_ONCE,
    LINK,
    LN2,
    LOW_HALF,
    Draws,
    Place,
    Rules,
    Scratch,
    Table,
)
from core.numerics.trees.coarse import CONSTANT, NO_SPLIT, PRUNED, SPLIT, best_in_bins, bound_counted
from core.numerics.trees.columns import codes_for, has_missing, midpoint
from core.numerics.trees.counting import count_in_bins
from core.numerics.trees.draws import draw_next, is_marked, mark, recorded_order
from core.numerics.trees.histogram_search import best_of_candidates
from core.numerics.trees.histograms import Histograms, add_candidate, add_constant, begin, take_out
from core.numerics.trees.small import best_by_walking, best_of_two_codes
from core.numerics.trees.sorting import sort_keys
from core.typing import Array

NOT_FOUND = (CONSTANT, -np.inf, -1, -1, 0)
SHORT = 4
"""Codes are counted, not sorted, where they span fewer than this many times the rows."""
MANY = 120
MANY_FOR_ENTROPY = 4000
"""Nodes with so many rows are counted in bins first."""


@kernel
def impurity(entropy: bool, sums: Array, weight: float) -> float:
    """Return the Gini impurity or the entropy in bits of class sums."""
    total = 0.0
    if entropy:
        for c in range(len(sums)):
            if sums[c] > 0.0:
                share = sums[c] / weight
                total -= share * (math.log(share) / LN2)
        return total
    for c in range(len(sums)):
        total += sums[c] * sums[c]
    return 1.0 - total / (weight * weight)


@kernel
def pair_rows(labels: Array, rows: Array, out: Array) -> None:
    """Write a node's rows, in their order, each with its label in the upper half."""
    for i in range(len(rows)):
        out[i] = (np.int64(labels[rows[i]]) << 32) | np.int64(rows[i])


@kernel
def _groups_by_sorting(scratch: Scratch, n: int, low: Any, span: Any) -> int:
    keys = scratch.keys
    sort_keys(keys, scratch.spare, n, low, span, scratch.small)
    groups, last = -1, -1
    for i in range(n):
        code = keys[i] >> 32
        if code != last:
            groups += 1
            last = code
            scratch.group_code[groups] = code
            scratch.group_rows[groups] = 0
            scratch.group_sums[groups, :] = 0.0
        label = keys[i] & 0xFFFFFFFF
        scratch.group_rows[groups] += 1
        scratch.group_sums[groups, label & CLASS_MASK] += label >> CLASS_BITS
    return groups + 1


@kernel
def _groups_by_counting(scratch: Scratch, n: int, low: Any, span: Any) -> int:
    """Group rows of a column with few values; `slot` is all zero before and after."""
    keys, slot = scratch.keys, scratch.slot
    for i in range(n):
        slot[(keys[i] >> 32) - low] += 1
    groups = 0
    for offset in range(span + 1):
        if slot[offset] > 0:
            scratch.group_code[groups] = low + offset
            scratch.group_rows[groups] = slot[offset]
            scratch.group_sums[groups, :] = 0.0
            slot[offset] = groups
            groups += 1
    for i in range(n):
        label = keys[i] & 0xFFFFFFFF
        scratch.group_sums[slot[(keys[i] >> 32) - low], label & CLASS_MASK] += label >> CLASS_BITS
    slot[: span + 1] = 0
    return groups


@kernel
def proxy_of(entropy: bool, left: Array, right: Array, left_weight: float, right_weight: float) -> float:
    """Return scikit-learn's proxy of the gain of a split, larger is better."""
    return -right_weight * impurity(entropy, right, right_weight) - left_weight * impurity(entropy, left, left_weight)


@kernel
def _best_of_groups(
    values: Array, linked: int, groups: int, n: int, sums: Array, weight: float, rules: Rules, scratch: Scratch
) -> tuple[int, float, int, int, int]:
    left, right = scratch.left, scratch.right
    left[:] = 0.0
    rows, left_weight = 0, 0.0
    best, below, above, n_left = -np.inf, -1, -1, 0
    code, group_rows, group_sums = scratch.group_code, scratch.group_rows, scratch.group_sums
    for j in range(1, groups):
        rows += group_rows[j - 1]
        for c in range(len(sums)):
            left[c] += group_sums[j - 1, c]
            left_weight += group_sums[j - 1, c]
        if code[j] - code[j - 1] <= linked and values[code[j]] <= values[code[j - 1]] + LINK:
            continue
        if rows < rules.min_samples_leaf or n - rows < rules.min_samples_leaf:
            continue
        for c in range(len(sums)):
            right[c] = sums[c] - left[c]
        proxy = proxy_of(rules.entropy, left, right, left_weight, weight - left_weight)
        if proxy > best:
            best, below, above, n_left = proxy, code[j - 1], code[j], rows
    return (SPLIT if below >= 0 else NO_SPLIT), best, below, above, n_left


@kernel
def counted(table: Table, rules: Rules, n: int) -> bool:
    """Return whether a node of `n` rows is counted in bins before it is searched."""
    return table.n_classes == 2 and n >= (MANY_FOR_ENTROPY if rules.entropy else MANY)


@inlined
def _best_by_walking(
    table: Table, rules: Rules, f: int, pairs: Array, sums: Array, scratch: Scratch
) -> tuple[int, float, int, int, int]:
    codes, first = codes_for(table, len(pairs)), table.first[f]
    if table.first[f + 1] - first == 2:
        return best_of_two_codes(
            codes, table.values, first, f, pairs, sums[0], sums[1], rules.min_samples_leaf, rules.entropy
        )
    return best_by_walking(
        codes, table.values, first, f, table.linked[f], pairs, sums[0], sums[1],
        rules.min_samples_leaf, rules.entropy, scratch.keys, scratch.spare, scratch.small,
    )  # fmt: skip


@inlined
def best_on_feature(
    table: Table,
    rules: Rules,
    f: int,
    pairs: Array,
    sums: Array,
    weight: float,
    floor: float,
    scratch: Scratch,
) -> tuple[int, float, int, int, int]:
    """Find the best split of a node on one feature.

    Parameters
    ----------
    table : Table
    rules : Rules
    f : int
        The feature's column, or its twin.
    pairs : ndarray of int64
        The node's rows, each with its label in the upper half: its weight in this tree, and its class in the lowest 8 bits.
    sums : ndarray of float64, shape (n_classes,)
        Their weight by class.
    weight : float
        Their whole weight.
    floor : float
        Splits with a smaller proxy need not be found.
    scratch : Scratch

    Returns
    -------
    kind : int
        CONSTANT, NO_SPLIT (none leaves enough rows), SPLIT, or PRUNED (none reaches `floor`).
    proxy : float
        scikit-learn's proxy of the gain, larger is better; where PRUNED, none is larger.
    below, above : int
        Codes on both sides of the threshold.
    n_left : int
        Rows that go left.
    """
    n = len(pairs)
    if table.n_classes == 2:
        if counted(table, rules, n):
            found = best_in_bins(table, rules, f, pairs, sums, floor, scratch)
            if found[0] != CONSTANT:
                return found
        return _best_by_walking(table, rules, f, pairs, sums, scratch)
    codes, values = codes_for(table, n)[f], table.values[table.first[f] : table.first[f + 1]]
    low = high = np.int64(codes[pairs[0] & LOW_HALF])
    for i in range(n):
        code = np.int64(codes[pairs[i] & LOW_HALF])
        low, high = min(low, code), max(high, code)
        scratch.keys[i] = (code << 32) | (pairs[i] >> 32)
    if high - low <= table.linked[f] and values[high] <= values[low] + LINK:
        return CONSTANT, -np.inf, -1, -1, 0
    span = high - low
    few = span < SHORT * n
    groups = _groups_by_counting(scratch, n, low, span) if few else _groups_by_sorting(scratch, n, low, span)
    return _best_of_groups(values, table.linked[f], groups, n, sums, weight, rules, scratch)


@kernel
def _count_next(
    table: Table, order: Array, first: int, end: int, constants: Array, pairs: Array, sums: Array, scratch: Scratch
) -> int:
    """Count on the features in `order` from `first` to before `end`; return how many.

    Features known to be constant are passed over.
    """
    places, n = scratch.places, 0
    for i in range(first, end):
        if n < COUNTED_AT_ONCE and not is_marked(constants, int64(order[i])):
            places[n] = i
            n += 1
    count_in_bins(table, order, places, n, pairs, sums, scratch)
    return n


@kernel
def _count_candidates(
    table: Table, rules: Rules, pairs: Array, sums: Array, key: Any, recorded: int, constants: Array, store: Histograms,
    scratch: Scratch,
) -> tuple[int, float]:  # fmt: skip
    """Count a large node's candidates in bins.

    Returns where in `store`, and the largest proxy met.

    They are drawn as `search` draws them: the two loops end at the same feature. Returns -1 where there is no room, or where a
    candidate has missing values.
    """
    order, floor, visited, varied, ahead, line = scratch.order, -np.inf, 0, False, 0, 0
    certain, n = min(rules.max_features, len(order)), len(pairs)
    for i in range(recorded, certain):
        draw_next(order, i, key)
    for i in range(certain):
        if table.twin[order[i]] >= 0:
            return -1, floor
    start = begin(store)
    while start >= 0 and visited < len(order) and (visited < rules.max_features or not varied):
        if visited >= max(recorded, certain):
            draw_next(order, visited, key)
        f = int64(order[visited])
        visited += 1
        if table.twin[f] >= 0:
            return -1, floor
        head = store.used[0]
        if is_marked(constants, f):
            start = add_constant(store, start, f, n, sums[0], sums[1], rules.entropy, scratch)
            continue
        if line == ahead:
            line, ahead = (
                0,
                _count_next(table, order, visited - 1, max(certain, visited), constants, pairs, sums, scratch),
            )
        counts = scratch.counted[line]
        line += 1
        edge, _, _, filled, _, _ = bound_counted(table, rules, f, n, sums, counts, scratch)
        start = add_candidate(store, start, table, f, n, sums[0], sums[1], rules.entropy, counts, scratch)
        kind = SPLIT
        if filled == 0:
            kind = CONSTANT
        elif filled == 1:
            kind, edge, _, _, _ = _best_by_walking(table, rules, f, pairs, sums, scratch)
        if kind == CONSTANT and start >= 0:
            take_out(store, start, head, scratch)
        varied = varied or kind != CONSTANT
        mark(constants, f, kind == CONSTANT)
        floor = max(floor, edge)
    return start, floor


@kernel
def search(
    table: Table,
    rules: Rules,
    draws: Draws,
    pairs: Array,
    sums: Array,
    weight: float,
    key: Any,
    origin: Any,
    known: int,
    found: tuple[int, float, int, int, int],
    constants: Array,
    store: Histograms,
    scratch: Scratch,
) -> tuple[int, float, float, int, float, int, int]:
    """Find the best split of a node among the features drawn at its path.

    Its rows are given as to `best_on_feature`.

    Where the best split on one of their columns, `known`, has been `found` already, it is not searched again; else `known` is -1.
    What is counted of a large node goes to `store`, unless one is known or a feature has missing values. Features marked in
    `constants` are passed over, and those found to be constant are marked, so that a node's children need not look at them.

    Returns
    -------
    column : int
        -1 where no split is to be had.
    proxy : float
    others : float
        Largest proxy of the columns that lost; infinite for large nodes.
    below : int
        Largest code that goes left.
    threshold : float
    n_left : int
        Rows that go left.
    name : int
        Of the node's histograms, -1 where there are none.
    """
    order = scratch.order
    recorded = recorded_order(draws, origin, order, scratch.where)
    if known < 0 and counted(table, rules, len(pairs)):
        used = store.used[0]
        start, floor = _count_candidates(table, rules, pairs, sums, key, recorded, constants, store, scratch)
        if start >= 0:
            here = Place(scratch.where, scratch.where, pairs, scratch.alone, scratch.path, int64(-1))
            winner, best, below, above, n_left = best_of_candidates(
                store, start, table, rules, here, sums, int64(-1), NOT_FOUND, floor, scratch
            )
            threshold = midpoint(table, winner, below, above) if winner >= 0 else 0.0
            return winner, best, np.inf, below, threshold, n_left, start + store.offset
        store.used[0] = used
        recorded = recorded_order(draws, origin, order, scratch.where)
    winner, best, others, below, above, n_left = -1, -np.inf, -np.inf, -1, -1, 0
    visited, varied = 0, False
    while visited < len(order) and (visited < rules.max_features or not varied):
        if visited >= recorded:
            draw_next(order, visited, key)
        f = int64(order[visited])
        visited += 1
        if is_marked(constants, f):
            continue
        for side in range(2 if has_missing(table, f, pairs) else 1):
            column = f if side == 0 else int64(table.twin[f])
            kind, proxy, a, b, count = found
            if column != known:
                floor = max(best, found[1])
                kind, proxy, a, b, count = best_on_feature(table, rules, column, pairs, sums, weight, floor, scratch)
            varied = varied or kind != CONSTANT
            mark(constants, f, kind == CONSTANT and table.twin[f] < 0)
            if proxy > best and kind != PRUNED:
                others = max(others, best)
                winner, best, below, above, n_left = column, proxy, a, b, count
            elif proxy > others:
                others = proxy
        if best >= 0.0:
            # Both sides are pure: no other split gains more.
            others = max(others, best)
            break
    threshold = midpoint(table, winner, below, above) if winner >= 0 else 0.0
    if counted(table, rules, len(pairs)):  # only bins that may hold the best were opened
        others = np.inf
    return winner, best, others, below, threshold, n_left, -1
