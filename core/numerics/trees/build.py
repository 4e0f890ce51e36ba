"""Building trees from recorded randomness: the whole tree, or the subtree under one path."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import entry, int64, kernel
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK, EPSILON, LOW_HALF, Draws, Rules, Scratch, Table
from core.numerics.trees.columns import codes_for, has_missing
from core.numerics.trees.draws import mixed
from core.numerics.trees.histograms import Histograms
from core.numerics.trees.splits import NOT_FOUND, impurity, pair_rows, search
from core.typing import Array

LEFT, RIGHT, FEATURE, THRESHOLD, IMPURITY, ROWS, WEIGHT, MISSING_LEFT = range(8)
"""Columns of scikit-learn's node records, seen as eight words each."""
WORDS = 8
LEAF, UNDEFINED = -1, -2


class Grown(NamedTuple):
    """A tree as flat arrays; nodes stand depth first, left before right, as in scikit-learn.

    Parameters
    ----------
    words : ndarray of int64, shape (n_nodes, 8)
        scikit-learn's node records.
    reals : ndarray of float64, shape (n_nodes, 8)
        The same memory, for the columns that hold float64.
    values : ndarray of float64, shape (n_nodes, n_classes)
        Class shares.
    origin : ndarray of int32, shape (n_nodes,)
        The adopted node at the same path, or -1.
    others : ndarray of float64, shape (n_nodes,)
        At least the largest proxy of the features that lost.
    names : ndarray of int32, shape (n_nodes,)
        Of the node's histograms, -1 where there are none.
    levels : ndarray of int32, shape (n_nodes,)
        How many splits stand above each node.
    """

    words: Array
    reals: Array
    values: Array
    origin: Array
    others: Array
    names: Array
    levels: Array


def make_room(n_rows: int, n_classes: int) -> Grown:
    """Return room for any tree of `n_rows` rows; memory is taken as it is written."""
    capacity = 2 * n_rows + 1
    words = np.empty((capacity, WORDS), np.int64)
    return Grown(
        words,
        words.view(np.float64),
        np.empty((capacity, n_classes)),
        np.empty(capacity, np.int32),
        np.empty(capacity),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
    )


@kernel
def sum_labels(labels: Array, rows: Array, sums: Array) -> float:
    """Fill `sums` with the rows' weight by class; return the whole weight."""
    sums[:] = 0.0
    total = 0.0
    for i in range(len(rows)):
        label = labels[rows[i]]
        sums[label & CLASS_MASK] += label >> CLASS_BITS
        total += label >> CLASS_BITS
    return total


@kernel
def sum_pairs(pairs: Array, sums: Array) -> float:
    """Fill `sums` with the weight by class of rows that have their labels in the upper half.

    Returns the whole weight.
    """
    sums[:] = 0.0
    if len(sums) == 2:
        all_weight, second = np.int64(0), np.int64(0)
        for i in range(len(pairs)):
            label = pairs[i] >> 32
            all_weight += label >> CLASS_BITS
            second += (label >> CLASS_BITS) * (label & CLASS_MASK)
        sums[0], sums[1] = all_weight - second, second
        return float(all_weight)
    for i in range(len(pairs)):
        label = pairs[i] >> 32
        sums[label & CLASS_MASK] += label >> CLASS_BITS
    return float(sums.sum())


@kernel
def is_leaf(rules: Rules, n_rows: int, depth: int, node_impurity: float) -> bool:
    """Return whether a node is a leaf whatever its splits."""
    return (
        depth >= rules.max_depth
        or n_rows < rules.min_samples_split
        or n_rows < 2 * rules.min_samples_leaf
        or node_impurity <= EPSILON
    )


@kernel
def partition(codes: Array, rows: Array, below: int) -> int:
    """Bring rows with a code up to `below` to the front; return how many there are."""
    start, end = 0, len(rows)
    while start < end:
        if codes[rows[start]] <= below:
            start += 1
        else:
            end -= 1
            rows[start], rows[end] = rows[end], rows[start]
    return start


@kernel
def deal(codes: Array, pairs: Array, below: int, room: Array, left: Array) -> float:
    """Bring rows with a code up to `below` to the front, all in their order.

    Their weight by class fills `left`.

    The rows have their labels in the upper half; `room` is for as many. Returns the whole weight on the left. Each row is written
    to both sides and counts on one, so that there is no branch to foretell.
    """
    at, n = np.uint64(0), len(pairs)
    for i in range(n):
        pair = pairs[i]
        pairs[at] = pair
        room[np.uint64(i) - at] = pair
        at += np.uint64(np.int64(codes[np.uint64(pair & LOW_HALF)]) <= below)
    n_left = np.int64(at)
    for i in range(n - n_left):
        pairs[n_left + i] = room[i]
    return sum_pairs(pairs[:n_left], left)


@kernel
def put_node(
    out: Grown, at: int, parent: int, is_left: bool, sums: Array, weight: float, n_rows: int, node_impurity: float
) -> None:
    """Write a leaf at position `at`."""
    words, reals = out.words, out.reals
    out.levels[at] = 0
    if parent >= 0:
        words[parent, LEFT if is_left else RIGHT] = at
        out.levels[at] = out.levels[parent] + 1
    words[at, LEFT] = LEAF
    words[at, RIGHT] = LEAF
    words[at, FEATURE] = UNDEFINED
    reals[at, THRESHOLD] = UNDEFINED
    reals[at, IMPURITY] = node_impurity
    words[at, ROWS] = n_rows
    reals[at, WEIGHT] = weight
    words[at, MISSING_LEFT] = 0
    for c in range(len(sums)):
        out.values[at, c] = sums[c] / weight


@kernel
def put_split(out: Grown, at: int, table: Table, column: int, threshold: float, rows: Array, n_left: int) -> None:
    """Make the leaf at `at` an inner node; its children announce themselves."""
    f = table.owner[column]
    out.words[at, FEATURE] = f
    out.reals[at, THRESHOLD] = threshold
    left = column != f if has_missing(table, f, rows) else 2 * n_left > len(rows)
    out.words[at, MISSING_LEFT] = 1 if left else 0


@kernel
def improvement(
    rules: Rules, node_impurity: float, weight: float, left: Array, left_weight: float, right: Array
) -> float:  # fmt: skip
    """Return how much a split lowers the impurity of its node.

    Where that falls below 0 by rounding, scikit-learn makes no split.
    """
    right_weight = weight - left_weight
    return (
        node_impurity
        - (right_weight / weight * impurity(rules.entropy, right, right_weight))
        - (left_weight / weight * impurity(rules.entropy, left, left_weight))
    )


@kernel
def await_build(
    words: Array, at: int, start: int, end: int, depth: int, parent: int, side: int, origin: Any
) -> None:  # fmt: skip
    """Write to place `at` of a stack what the building of a node starts from."""
    words[at, 0] = start
    words[at, 1] = end
    words[at, 2] = depth
    words[at, 3] = parent
    words[at, 4] = side
    words[at, 5] = origin


@entry
def build(
    table: Table,
    rules: Rules,
    draws: Draws,
    labels: Array,
    samples: Array,
    start: int,
    end: int,
    depth: int,
    key: Any,
    origin: Any,
    root_weight: float,
    out: Grown,
    at: int,
    parent: int,
    is_left: bool,
    store: Histograms,
    scratch: Scratch,
) -> tuple[int, bool]:
    """Build the subtree under one path from its rows, `samples[start:end]`.

    The rows are put in the order of its leaves.

    Returns
    -------
    at : int
        Where the next node goes.
    fragile : bool
        Whether a split may turn into a leaf, by rounding, or a leaf into a split as the whole weight falls.
    """
    stack, keys, constants, weights, sums, left, right = scratch.building
    constants[0] = 0
    first, all_pairs = start, scratch.pairs[: end - start]
    pair_rows(labels, samples[start:end], all_pairs)
    sum_pairs(all_pairs, weights[0])
    await_build(stack, int64(0), int64(0), end - start, depth, parent, int64(is_left), int64(origin))
    keys[0] = key
    waiting, fragile = 1, rules.min_impurity_decrease > 0.0
    while waiting > 0:
        waiting -= 1
        start, end, depth, parent, side, origin = stack[waiting, :6]
        key = keys[waiting]
        pairs, weight = all_pairs[start:end], 0.0
        for c in range(len(sums)):
            sums[c] = weights[waiting, c]
            weight += sums[c]
        node_impurity = impurity(rules.entropy, sums, weight)
        put_node(out, at, parent, side == 1, sums, weight, end - start, node_impurity)
        out.origin[at] = origin
        out.others[at] = np.inf
        out.names[at] = -1
        at += 1
        if is_leaf(rules, end - start, depth, node_impurity):
            continue
        used = store.used[0]
        column, _, others, below, threshold, n_left, name = search(
            table,
            rules,
            draws,
            pairs,
            sums,
            weight,
            key,
            origin,
            int64(-1),
            NOT_FOUND,
            constants[waiting],
            store,
            scratch,
        )
        if column < 0:
            store.used[0] = used
            continue
        left_weight = deal(codes_for(table, end - start)[column], pairs, below, scratch.spare, left)
        for c in range(len(sums)):
            right[c] = sums[c] - left[c]
        gained = improvement(rules, node_impurity, weight, left, left_weight, right)
        fragile = fragile or gained < -EPSILON
        if (weight / root_weight) * gained + EPSILON < rules.min_impurity_decrease:
            store.used[0] = used
            continue
        put_split(out, at - 1, table, column, threshold, pairs, n_left)
        out.others[at - 1] = others
        out.names[at - 1] = name
        beyond = int64(-1) if origin < 0 else int64(draws.right[origin])
        await_build(stack, waiting, start + n_left, end, depth + 1, at - 1, int64(0), beyond)
        keys[waiting] = mixed(key, 2)
        for i in range(constants.shape[1]):
            constants[waiting + 1, i] = constants[waiting, i]
        for c in range(len(sums)):
            weights[waiting, c] = right[c]
            weights[waiting + 1, c] = left[c]
        beyond = int64(-1) if origin < 0 else int64(draws.left[origin])
        await_build(stack, waiting + 1, start, start + n_left, depth + 1, at - 1, int64(1), beyond)
        keys[waiting + 1] = mixed(key, 1)
        waiting += 2
    for i in range(len(all_pairs)):
        samples[first + i] = all_pairs[i] & LOW_HALF
    return at, fragile


@entry
def deepest(levels: Array) -> int:
    """Return the depth of a tree from the levels of its nodes."""
    most = levels[0]
    for i in range(len(levels)):
        most = max(most, levels[i])
    return int(most)
