"""Moves of rows in trees: subtrees that stay, rows that leave or change sides.

They change sides where a threshold moves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import entry, kernel
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from core.numerics.trees.build import LEFT, RIGHT, WEIGHT, WORDS, Grown, put_node
from core.numerics.trees.draws import mixed
from core.typing import Array

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
        Counts rows of nodes checked, of nodes searched on every candidate, of subtrees built again, and rows moved.
    """

    pool: Array
    spare: Array
    tally: Array


@kernel
def _keep_all_but(rows: Array, gone: int, kept: Array) -> None:
    """Write to `kept` all rows but one, which is found by comparing many at a time."""
    place = 0
    for i in range(len(rows)):
        place += i if rows[i] == gone else 0
    for i in range(place):
        kept[i] = rows[i]
    for i in range(place, len(kept)):
        kept[i] = rows[i + 1]


@entry
def keep_rows(rows: Array, gone: Array, stays: Array, kept: Array) -> None:
    """Write to `kept` the rows but those that are gone, none of which `stays`, in their order."""
    if len(gone) == 1:
        _keep_all_but(rows, gone[0], kept)
        return
    at = 0
    for i in range(len(rows)):
        if stays[rows[i]]:
            kept[at] = rows[i]
            at += 1


@entry
def keep_unchanged(rows: Array, stays: Array, labels: Array, were: Array, kept: Array) -> None:
    """Write to `kept` the rows that stay with the label they had, in their order."""
    at = 0
    for i in range(len(rows)):
        row = rows[i]
        if stays[row] and labels[row] == were[row]:
            kept[at] = row
            at += 1


@kernel
def copy_subtree(old: Grown, node: int, end: int, out: Grown, at: int, parent: int, is_left: bool) -> int:
    """Write an unchanged subtree to position `at`; return where the next node goes."""
    if parent >= 0:
        out.words[parent, LEFT if is_left else RIGHT] = at
    size, shift = end - node, at - node
    for i in range(size):
        for j in range(WORDS):
            out.words[at + i, j] = old.words[node + i, j]
    for i in range(size):
        for c in range(out.values.shape[1]):
            out.values[at + i, c] = old.values[node + i, c]
    for i in range(size):
        out.origin[at + i] = old.origin[node + i]
    for i in range(size):
        out.others[at + i] = old.others[node + i]
    for i in range(size):
        out.levels[at + i] = old.levels[node + i]
    if shift != 0:
        for i in range(at, at + size):
            if out.words[i, LEFT] >= 0:
                out.words[i, LEFT] += shift
                out.words[i, RIGHT] += shift
    return at + size


@kernel
def await_update(
    words: Array, at: int, node: int, node_end: int, start: int, base: int, joining: int, lost_start: int, lost_end: int,
    depth: int, parent: int, side: int,
) -> None:  # fmt: skip
    """Write to place `at` of a stack what the update of a node starts from.

    Its subtree ends before the old node `node_end`; `base` of its rows were there before, `joining` follow them.
    """
    words[at, 0] = node
    words[at, 1] = node_end
    words[at, 2] = start
    words[at, 3] = base
    words[at, 4] = joining
    words[at, 5] = lost_start
    words[at, 6] = lost_end
    words[at, 7] = depth
    words[at, 8] = parent
    words[at, 9] = side


@kernel
def await_root(stack: Array, keys: Array, key: Any, old: Grown, n_staying: int, n_joining: int, n_leaving: int) -> None:
    """Let the update of a tree start from its root."""
    await_update(stack, 0, 0, len(old.words), 0, n_staying, n_joining, 0, n_leaving, 0, -1, 0)
    keys[0] = key


@kernel
def await_children(
    stack: Array, keys: Array, waiting: int, key: Any, old: Grown, node: int, node_end: int, start: int, n: int, n_left: int,
    dealt: tuple[int, int, int, int, int, int, int, int], depth: int, parent: int,
) -> int:  # fmt: skip
    """Let the updates of a node's children wait, the left one to be next.

    `dealt` is what `split_rows` says of its `n` rows, and `parent` the new node. Returns how many wait now.
    """
    kept_left, kept_right, left_start, left_end, right_start, right_end, _, _ = dealt
    old_left, old_right = old.words[node, LEFT], old.words[node, RIGHT]
    await_update(
        stack, waiting, old_right, node_end, start + n_left, kept_right, n - n_left - kept_right, right_start, right_end,
        depth + 1, parent, 0,
    )  # fmt: skip
    keys[waiting] = mixed(key, 2)
    await_update(
        stack, waiting + 1, old_left, old_right, start, kept_left, n_left - kept_left, left_start, left_end,
        depth + 1, parent, 1,
    )  # fmt: skip
    keys[waiting + 1] = mixed(key, 1)
    return waiting + 2


@kernel
def sums_now(
    old: Grown, node: int, labels: Array, were: Array, rows: Array, base: int, gone: Array, sums: Array
) -> float:
    """Fill `sums` with a node's weight by class now; return that of the rows `gone`."""
    stored_sums(old, node, sums)
    lost = take_off(were, gone, sums)
    take_off(labels, rows[base:], sums, -1)
    return lost


@kernel
def put_leaf(
    out: Grown, at: int, parent: int, side: int, sums: Array, weight: float, n_rows: int, node_impurity: float, origin: Any
) -> int:  # fmt: skip
    """Write a leaf whose sums are known; return where the next node goes."""
    put_node(out, at, parent, side == 1, sums, weight, n_rows, node_impurity)
    out.origin[at] = origin
    out.others[at] = np.inf
    return at + 1


@kernel
def stored_sums(old: Grown, node: int, sums: Array) -> float:
    """Fill `sums` with a node's weight by class; return its whole weight."""
    for c in range(len(sums)):
        sums[c] = np.rint(old.values[node, c] * old.reals[node, WEIGHT])
    return float(old.reals[node, WEIGHT])


@kernel
def take_off(labels: Array, rows: Array, sums: Array, times: int = 1) -> float:
    """Take rows off `sums`, so many times each; return their whole weight."""
    total = 0.0
    for i in range(len(rows)):
        label = labels[rows[i]]
        sums[label & CLASS_MASK] -= times * (label >> CLASS_BITS)
        total += label >> CLASS_BITS
    return total


@kernel
def take_off_left(labels: Array, codes: Array, rows: Array, below: int, sums: Array, times: int = 1) -> int:
    """Take the rows with a code up to `below` off `sums`, so many times each.

    Returns how many there are.
    """
    found = 0
    for i in range(len(rows)):
        if codes[rows[i]] <= below:
            label = labels[rows[i]]
            sums[label & CLASS_MASK] -= times * (label >> CLASS_BITS)
            found += 1
    return found


@kernel
def _rearrange(codes: Array, rows: Array, base: int, base_left: int, below: int, spare: Array) -> tuple[int, int]:
    """Order a node's rows anew: what stays left, what comes from the right, what joins.

    Then the same for the right.

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
    for i in range(n):
        rows[i] = spare[i]
    return kept_left, kept_right


@kernel
def _let_join(codes: Array, rows: Array, base: int, base_left: int, below: int, spare: Array) -> None:
    """Order a node's rows anew where joining rows move no others.

    Each child's own rows come first, then what joins it.
    """
    at, n_joining, n_right = 0, len(rows) - base, base - base_left
    for i in range(base, len(rows)):
        if codes[rows[i]] <= below:
            spare[at] = rows[i]
            at += 1
    joining_left = at
    for i in range(base, len(rows)):
        if codes[rows[i]] > below:
            spare[at] = rows[i]
            at += 1
    if joining_left > 0:
        for i in range(n_right):
            spare[at + i] = rows[base_left + i]
        for i in range(n_right):
            rows[base_left + joining_left + i] = spare[at + i]
    for i in range(joining_left):
        rows[base_left + i] = spare[i]
    for i in range(joining_left, n_joining):
        rows[base + i] = spare[i]


@kernel
def _count_upto(codes: Array, rows: Array, below: int) -> int:
    """Count rows with a code up to `below`."""
    found = 0
    for i in range(len(rows)):
        found += 1 if codes[rows[i]] <= below else 0
    return found


@kernel
def _list_leavers(codes: Array, gone: Array, staying: Array, below: int, to_left: bool, pool: Array, top: int) -> int:
    """Append to the pool what leaves a child.

    These are rows that are gone, and rows on the other side of the new threshold.
    """
    for i in range(len(gone)):
        pool[top + i] = gone[i]
    top += len(gone)
    for i in range(len(staying)):
        if (codes[staying[i]] <= below) == to_left:
            pool[top] = staying[i]
            top += 1
    return top


@kernel
def split_rows(
    codes: Array, rows: Array, base: int, base_left: int, gone: Array, lost_left: int, lost_start: int, below: int,
    n_left: int, moves: Moves, top: int,
) -> tuple[int, int, int, int, int, int, int, int]:  # fmt: skip
    """Deal a node's rows, and the lists of those that left it, to its children.

    Returns what each child keeps, where the lists of leavers start and end, the pool's end, -1 where it is too small, and whether
    rows crossed from one child to the other.
    """
    kept_left, kept_right = base_left, base - base_left
    left_start, left_end = lost_start, lost_start + lost_left
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
        kept_left, kept_right = _rearrange(codes, rows, base, base_left, below, moves.spare)
    elif base < len(rows):
        _let_join(codes, rows, base, base_left, below, moves.spare)
    return kept_left, kept_right, left_start, left_end, right_start, right_end, top, 1 if crossing else 0
