"""Taking rows out of a tree: the tree that building from scratch without them would give, node for node.

Only nodes that lose or gain rows are looked at. A node keeps its feature without a look at the others while the feature's new
best proxy stays above what theirs can have become: removing rows of weight m raises no Gini proxy by more than 2m, and
adding rows raises none. A threshold that slides moves rows from one child to the other; where another feature wins, the subtree
is built again.

References
----------
Brophy, J. and Lowd, D. (2021). Machine unlearning for random forests. ICML.
Schelter, S., Grafberger, S. and Dunning, T. (2021). HedgeCut: maintaining randomised trees for low-latency machine unlearning. SIGMOD.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from core.numerics.tree_arrays import CLASS_BITS, CLASS_MASK, EPSILON, Draws, Rules, Scratch, Table
from core.numerics.tree_build import (
    FEATURE,
    LEFT,
    MISSING,
    RIGHT,
    ROWS,
    THRESHOLD,
    WEIGHT,
    Grown,
    build,
    improvement,
    is_leaf,
    partition,
    put_node,
    put_split,
    sum_labels,
)
from core.numerics.tree_coarse import SPLIT
from core.numerics.tree_columns import code_below, column_of, has_missing, midpoint
from core.numerics.tree_splits import best_on_feature, impurity, mixed, search

Array = npt.NDArray[Any]

MARGIN = 1e-9
"""Proxies closer than this share of the node's weight are compared one by one."""
MUCH = 3
"""A node that changes by more than one row in this many is built again."""


class Moves(NamedTuple):
    """Rows that leave nodes, and room to rearrange others.

    Parameters
    ----------
    pool : ndarray of int32
        Lists of leaving rows, one after the other.
    spare : ndarray of int32, shape (n_rows,)
    tally : ndarray of int64, shape (4,)
        Counts rows checked on their node's own feature, rows searched on every candidate, rows built again, rows moved.
    """

    pool: Array
    spare: Array
    tally: Array


@njit(cache=True, nogil=True)
def _most_gained(entropy: bool, lost: float, weight: float) -> float:
    """Bound how much any split's proxy rises when weight `lost` leaves a node of `weight`."""
    if entropy:
        return lost * (math.log(max(weight / lost, 1.0)) / math.log(2.0) + 1.4427) if lost > 0.0 else 0.0
    return 2.0 * lost


@njit(cache=True, nogil=True)
def copy_subtree(old: Grown, node: int, end: int, out: Grown, at: int, parent: int, is_left: bool) -> int:
    """Write an unchanged subtree to position `at`; return where the next node goes."""
    if parent >= 0:
        out.words[parent, LEFT if is_left else RIGHT] = at
    size, shift = end - node, at - node
    out.words[at : at + size] = old.words[node:end]
    out.values[at : at + size] = old.values[node:end]
    out.origin[at : at + size] = old.origin[node:end]
    out.others[at : at + size] = old.others[node:end]
    if shift != 0:
        for i in range(at, at + size):
            if out.words[i, LEFT] >= 0:
                out.words[i, LEFT] += shift
                out.words[i, RIGHT] += shift
    return at + size


@njit(cache=True, nogil=True)
def stored_sums(old: Grown, node: int, sums: Array) -> float:
    """Fill `sums` with a node's weight by class; return its whole weight."""
    for c in range(len(sums)):
        sums[c] = np.rint(old.values[node, c] * old.reals[node, WEIGHT])
    return float(old.reals[node, WEIGHT])


@njit(cache=True, nogil=True)
def take(labels: Array, rows: Array, sums: Array, times: int = 1) -> float:
    """Take rows off `sums`, so many times each; return their whole weight."""
    total = 0.0
    for i in range(len(rows)):
        label = labels[rows[i]]
        sums[label & CLASS_MASK] -= times * (label >> CLASS_BITS)
        total += label >> CLASS_BITS
    return total


@njit(cache=True, nogil=True)
def _any(flags: Array, rows: Array) -> bool:
    for i in range(len(rows)):  # noqa: SIM110
        if flags[rows[i]]:
            return True
    return False


@njit(cache=True, nogil=True)
def _rearrange(codes: Array, rows: Array, base: int, base_left: int, below: int, spare: Array) -> tuple[int, int]:
    """Order a node's rows anew: what stays left, what comes from the right, what joins; then the same for the right.

    Returns how many rows of the left and of the right child were there before.
    """
    n, at, kept_left = len(rows), 0, 0
    for i in range(n):
        if codes[rows[i]] <= below:
            spare[at] = rows[i]
            at += 1
            if i < base_left:
                kept_left = at
    n_left = at
    for i in range(base_left, base):
        if codes[rows[i]] > below:
            spare[at] = rows[i]
            at += 1
    kept_right = at - n_left
    for i in range(n):
        if codes[rows[i]] > below and (i < base_left or i >= base):
            spare[at] = rows[i]
            at += 1
    rows[:] = spare[:n]
    return kept_left, kept_right


@njit(cache=True, nogil=True)
def _count_upto(codes: Array, rows: Array, below: int) -> int:
    """Count rows with a code up to `below`."""
    found = 0
    for i in range(len(rows)):
        found += 1 if codes[rows[i]] <= below else 0
    return found


@njit(cache=True, nogil=True)
def _list_leavers(codes: Array, gone: Array, staying: Array, below: int, to_left: bool, pool: Array, top: int) -> int:
    """Append to the pool what leaves a child: rows that are gone, and rows on the other side of the new threshold."""
    pool[top : top + len(gone)] = gone
    top += len(gone)
    for i in range(len(staying)):
        if (codes[staying[i]] <= below) == to_left:
            pool[top] = staying[i]
            top += 1
    return top


@njit(cache=True, nogil=True)
def _best_now(
    table: Table, rules: Rules, draws: Draws, labels: Array, rows: Array, sums: Array, weight: float, key: Any,
    origin: Any, column: int, others: float, sure: bool, moves: Moves, scratch: Scratch,
) -> tuple[int, float, int, float, int]:  # fmt: skip
    """Return a node's best column now, a bound on the others, and the split; `sure` says that `others` bounds them."""
    found = best_on_feature(table, rules, column, labels, rows, sums, weight, -np.inf, scratch)
    kind, proxy, below, above, n_left = found
    moves.tally[0] += len(rows)
    if sure and kind == SPLIT and proxy - others > MARGIN * weight:
        return column, others, below, midpoint(table, column, below, above), n_left
    moves.tally[1] += len(rows)
    winner, _, others, below, threshold, n_left = search(
        table, rules, draws, labels, rows, sums, weight, key, origin, column, found, scratch
    )
    return winner, others, below, threshold, n_left


@njit(cache=True, nogil=True)
def split_rows(
    codes: Array, rows: Array, base: int, base_left: int, gone: Array, lost_left: int, lost_start: int, below: int,
    n_left: int, moves: Moves, top: int,
) -> tuple[int, int, int, int, int, int, int, int]:  # fmt: skip
    """Deal a node's rows, and the lists of those that left it, to its children.

    Returns what each child keeps, where the lists of leavers start and end, and the pool's end; -1 where it is too small.
    """
    kept_left, kept_right = base_left, base - base_left
    left_start, left_end, right_start, right_end = lost_start, lost_start + lost_left, 0, 0
    right_start, right_end = left_end, lost_start + len(gone)
    crossing = n_left - _count_upto(codes, rows[base:], below) != base_left
    if crossing:
        leaving_left = base_left - _count_upto(codes, rows[:base_left], below)
        leaving_right = _count_upto(codes, rows[base_left:base], below)
        moves.tally[3] += leaving_left + leaving_right
        if top + len(gone) + leaving_left + leaving_right > len(moves.pool):
            return 0, 0, 0, 0, 0, 0, -1, 0
        left_start = top
        top = _list_leavers(codes, gone[:lost_left], rows[:base_left], below, False, moves.pool, top)
        left_end = right_start = top
        top = _list_leavers(codes, gone[lost_left:], rows[base_left:base], below, True, moves.pool, top)
        right_end = top
    changed = crossing or base < len(rows)
    if changed:
        kept_left, kept_right = _rearrange(codes, rows, base, base_left, below, moves.spare)
    return kept_left, kept_right, left_start, left_end, right_start, right_end, top, 1 if changed else 0


@njit(cache=True, nogil=True)
def update(
    table: Table,
    rules: Rules,
    draws: Draws,
    labels: Array,
    samples: Array,
    old: Grown,
    n_old: int,
    n_leaving: int,
    key: Any,
    root_weight: float,
    out: Grown,
    moves: Moves,
    scratch: Scratch,
) -> tuple[int, bool]:
    """Write to `out` the tree without the rows `moves.pool[:n_leaving]`.

    Parameters
    ----------
    table, rules, draws, labels
        As `build` takes them.
    samples : ndarray of int32
        The rows that stay, in the order of the old tree's leaves; put in the order of the new one's.
    old : Grown
    n_old : int
        Its number of nodes.
    n_leaving : int
        At least 1; not all rows.
    key : int
        Of the root's path.
    root_weight : float
        Weight of the rows that stay.
    out : Grown
    moves : Moves
    scratch : Scratch

    Returns
    -------
    n_nodes : int
    fragile : bool
        As `build` gives it, of the nodes looked at.
    """
    stack, keys = np.empty((64, 10), np.int64), np.empty(64, np.uint64)
    stack[0] = (0, n_old, 0, len(samples), 0, 0, n_leaving, 0, -1, 0)
    keys[0] = key
    waiting, at, top, fragile = 1, 0, n_leaving, False
    sums, left, right = np.empty(table.n_classes), np.empty(table.n_classes), np.empty(table.n_classes)
    while waiting > 0:
        waiting -= 1
        node, node_end, start, base, joining, lost_start, lost_end, depth, parent, side = stack[waiting]
        key = keys[waiting]
        n, lost = base + joining, lost_end - lost_start
        if joining == 0 and lost == 0:
            at = copy_subtree(old, node, node_end, out, at, parent, side == 1)
            continue
        rows, gone = samples[start : start + n], moves.pool[lost_start:lost_end]
        origin, f = np.int64(old.origin[node]), old.words[node, FEATURE]
        stays_split = f >= 0 and (joining + lost) * MUCH <= n
        if stays_split:
            stored_sums(old, node, sums)
            lost_weight = take(labels, gone, sums)
            take(labels, rows[base:], sums, -1)
            weight = sums.sum()
            node_impurity = impurity(rules.entropy, sums, weight)
            stays_split = not is_leaf(rules, n, depth, node_impurity)
        if stays_split:
            others = old.others[node] + _most_gained(rules.entropy, lost_weight, old.reals[node, WEIGHT])
            sure = joining == 0 and not _any(table.chained, gone)
            before = column_of(table, f, old.words[node, MISSING] & 255 != 0)
            column = before if has_missing(table, f, rows[:base]) else f
            winner, others, below, threshold, n_left = _best_now(
                table, rules, draws, labels, rows, sums, weight, key, origin, column, others, sure, moves, scratch
            )
            stays_split = winner == column
        if stays_split:
            lost_left = partition(table.codes[before], gone, code_below(table, before, old.reals[node, THRESHOLD]))
            old_left, old_right = old.words[node, LEFT], old.words[node, RIGHT]
            kept_left, kept_right, left_start, left_end, right_start, right_end, top_now, changed = split_rows(
                table.codes[column], rows, base, old.words[old_left, ROWS] - lost_left, gone, lost_left, lost_start, below,
                n_left, moves, top,
            )  # fmt: skip
            stays_split = top_now >= 0
        if not stays_split:
            moves.tally[2] += n
            at, shaky = build(
                table, rules, draws, labels, samples, start, start + n, depth, key, origin, root_weight,
                out, at, parent, side == 1, scratch,
            )  # fmt: skip
            fragile = fragile or shaky
            continue
        top = top_now
        left_weight = stored_sums(old, old_left, left) - take(labels, gone[:lost_left], left)
        if changed == 1:
            left_weight = sum_labels(labels, rows[:n_left], left)
        for c in range(len(sums)):
            right[c] = sums[c] - left[c]
        fragile = fragile or improvement(rules, sums, weight, left, left_weight, right, weight) < -EPSILON
        put_node(out, at, parent, side == 1, sums, weight, n, node_impurity)
        out.origin[at] = origin
        out.others[at] = np.inf
        at += 1
        if (
            improvement(rules, sums, weight, left, left_weight, right, root_weight) + EPSILON
            < rules.min_impurity_decrease
        ):
            continue
        put_split(out, at - 1, table, column, threshold, rows, n_left)
        out.others[at - 1] = others
        if waiting + 2 > len(keys):
            stack = np.concatenate((stack, np.empty_like(stack)))
            keys = np.concatenate((keys, np.empty_like(keys)))
        stack[waiting] = (
            old_right, node_end, start + n_left, kept_right, n - n_left - kept_right,
            right_start, right_end, depth + 1, at - 1, 0,
        )  # fmt: skip
        keys[waiting] = mixed(key, 2)
        stack[waiting + 1] = (
            old_left, old_right, start, kept_left, n_left - kept_left,
            left_start, left_end, depth + 1, at - 1, 1,
        )  # fmt: skip
        keys[waiting + 1] = mixed(key, 1)
        waiting += 2
    return at, fragile
