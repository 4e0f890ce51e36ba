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
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

LN2 = math.log(2.0)
EPSILON = float(np.finfo(np.float64).eps)
LINK = np.float32(1e-7)
"""Neighbouring values no further apart are one value to scikit-learn."""
CLASS_BITS = 8
CLASS_MASK = (1 << CLASS_BITS) - 1
MOST_WEIGHT = (1 << (31 - CLASS_BITS)) - 1
INSERTION = 40
SHORT = 4

CONSTANT, NO_SPLIT, SPLIT = 0, 1, 2

Array = npt.NDArray[Any]


class Table(NamedTuple):
    """The training table as all trees of a forest read it.

    Parameters
    ----------
    codes : ndarray of uint16 or int32, shape (n_features, n_rows)
    values : ndarray of float32, shape (n_distinct,)
        Distinct values of every column, one column after the other, ascending.
    first : ndarray of int64, shape (n_features + 1,)
        Where each column's values start.
    chained : ndarray of bool, shape (n_rows,)
        Rows whose leaving could split a chain of linked values.
    n_classes : int
    """

    codes: Array
    values: Array
    first: Array
    chained: Array
    n_classes: int


class Rules(NamedTuple):
    """The parameters that shape a tree."""

    entropy: bool
    max_features: int
    min_samples_split: int
    min_samples_leaf: int
    max_depth: int


class Draws(NamedTuple):
    """The order in which features are drawn at every path, kept for life.

    Parameters
    ----------
    seed : uint64
        Keys whatever the fitted tree never drew.
    left, right : ndarray of int32, shape (n_adopted,)
        Children of the adopted nodes, so that a path can be followed.
    first : ndarray of int32, shape (n_adopted + 1,)
        Where each adopted node's features start.
    features : ndarray of int32
        Features in the order the fitted tree drew them.
    """

    seed: Any
    left: Array
    right: Array
    first: Array
    features: Array


class Scratch(NamedTuple):
    """Room to work in, for one thread."""

    keys: Array
    spare: Array
    group_code: Array
    group_rows: Array
    group_sums: Array
    slot: Array
    left: Array
    right: Array
    order: Array


def make_scratch(n_rows: int, table: Table) -> Scratch:
    """Return room for nodes of up to `n_rows` rows."""
    widest = int(np.diff(table.first).max())
    groups = max(min(n_rows, widest), 1)
    return Scratch(
        np.empty(n_rows + 1, np.int64),
        np.empty(n_rows + 1, np.int64),
        np.empty(groups, np.int64),
        np.empty(groups, np.int64),
        np.empty((groups, table.n_classes), np.float64),
        np.zeros(widest, np.int64),
        np.empty(table.n_classes, np.float64),
        np.empty(table.n_classes, np.float64),
        np.empty(len(table.codes), np.int32),
    )


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def mixed(key: int, step: int) -> int:
    """Return a well mixed 64-bit number (splitmix64's finaliser; Steele, Lea & Flood 2014)."""
    z = np.uint64(key) + np.uint64(step) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def recorded_order(draws: Draws, origin: int, order: Array) -> int:
    """Fill `order` with a permutation that starts as the path's own draws; return how many those are."""
    for f in range(len(order)):
        order[f] = f
    if origin < 0:
        return 0
    start, end = draws.first[origin], draws.first[origin + 1]
    for i in range(end - start):
        wanted = draws.features[start + i]
        at = i
        while order[at] != wanted:
            at += 1
        order[at] = order[i]
        order[i] = wanted
    return end - start


@njit(cache=True, nogil=True)
def draw_next(order: Array, at: int, key: int) -> None:
    """Put at position `at` a feature not drawn before, keyed by the path."""
    other = at + np.int64(mixed(key, at + 1) % np.uint64(len(order) - at))
    order[at], order[other] = order[other], order[at]


@njit(cache=True, nogil=True)
def _insertion_sort(keys: Array, n: int) -> None:
    for i in range(1, n):
        key = keys[i]
        j = i - 1
        while j >= 0 and keys[j] > key:
            keys[j + 1] = keys[j]
            j -= 1
        keys[j + 1] = key


@njit(cache=True, nogil=True)
def _radix_sort(keys: Array, spare: Array, n: int, low: int, span: int) -> None:
    """Sort by the code in the upper half, a byte at a time."""
    counts = np.empty(257, np.int64)
    shift = 0
    while (span >> shift) > 0:
        counts[:] = 0
        for i in range(n):
            counts[((((keys[i] >> 32) - low) >> shift) & 255) + 1] += 1
        for b in range(256):
            counts[b + 1] += counts[b]
        for i in range(n):
            b = (((keys[i] >> 32) - low) >> shift) & 255
            spare[counts[b]] = keys[i]
            counts[b] += 1
        keys[:n] = spare[:n]
        shift += 8


@njit(cache=True, nogil=True)
def _groups_by_sorting(scratch: Scratch, n: int, low: int, span: int) -> int:
    keys = scratch.keys
    if n <= INSERTION:
        _insertion_sort(keys, n)
    else:
        _radix_sort(keys, scratch.spare, n, low, span)
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


@njit(cache=True, nogil=True)
def _groups_by_counting(scratch: Scratch, n: int, low: int, span: int) -> int:
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


@njit(cache=True, nogil=True)
def _proxy_of(entropy: bool, left: Array, right: Array, left_weight: float, right_weight: float) -> float:
    return -right_weight * impurity(entropy, right, right_weight) - left_weight * impurity(entropy, left, left_weight)


@njit(cache=True, nogil=True)
def _best_of_groups(
    values: Array, groups: int, n: int, sums: Array, weight: float, rules: Rules, scratch: Scratch
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
        if values[code[j]] <= values[code[j - 1]] + LINK:
            continue
        if rows < rules.min_samples_leaf or n - rows < rules.min_samples_leaf:
            continue
        for c in range(len(sums)):
            right[c] = sums[c] - left[c]
        proxy = _proxy_of(rules.entropy, left, right, left_weight, weight - left_weight)
        if proxy > best:
            best, below, above, n_left = proxy, code[j - 1], code[j], rows
    return (SPLIT if below >= 0 else NO_SPLIT), best, below, above, n_left


@njit(cache=True, nogil=True)
def best_on_feature(
    table: Table,
    rules: Rules,
    f: int,
    labels: Array,
    rows: Array,
    sums: Array,
    weight: float,
    scratch: Scratch,
) -> tuple[int, float, int, int, int]:
    """Find the best split of a node on one feature.

    Parameters
    ----------
    table : Table
    rules : Rules
    f : int
        The feature.
    labels : ndarray of int32, shape (n_rows,)
        Each row's weight in this tree, and its class in the lowest 8 bits.
    rows : ndarray of int32
        The node's rows.
    sums : ndarray of float64, shape (n_classes,)
        Their weight by class.
    weight : float
        Their whole weight.
    scratch : Scratch

    Returns
    -------
    kind : int
        CONSTANT, NO_SPLIT (none leaves enough rows) or SPLIT.
    proxy : float
        scikit-learn's proxy of the gain; larger is better.
    below, above : int
        Codes on both sides of the threshold.
    n_left : int
        Rows that go left.
    """
    codes = table.codes[f]
    values = table.values[table.first[f] : table.first[f + 1]]
    n = len(rows)
    low = high = np.int64(codes[rows[0]])
    for i in range(n):
        code = np.int64(codes[rows[i]])
        low, high = min(low, code), max(high, code)
        scratch.keys[i] = (code << 32) | labels[rows[i]]
    if values[high] <= values[low] + LINK:
        return CONSTANT, -np.inf, -1, -1, 0
    span = high - low
    if span < SHORT * n:
        groups = _groups_by_counting(scratch, n, low, span)
    else:
        groups = _groups_by_sorting(scratch, n, low, span)
    return _best_of_groups(values, groups, n, sums, weight, rules, scratch)


@njit(cache=True, nogil=True)
def search(
    table: Table,
    rules: Rules,
    draws: Draws,
    labels: Array,
    rows: Array,
    sums: Array,
    weight: float,
    key: int,
    origin: int,
    scratch: Scratch,
) -> tuple[int, float, float, int, int, int]:
    """Find the best split of a node among the features drawn at its path.

    Returns
    -------
    feature : int
        -1 where no split is to be had.
    proxy : float
    others : float
        Largest proxy of the features that lost.
    below, above, n_left : int
        As `best_on_feature` gives them.
    """
    order = scratch.order
    known = recorded_order(draws, origin, order)
    feature, best, others, below, above, n_left = -1, -np.inf, -np.inf, -1, -1, 0
    visited, varied = 0, False
    while visited < len(order) and (visited < rules.max_features or not varied):
        if visited >= known:
            draw_next(order, visited, key)
        f = order[visited]
        visited += 1
        kind, proxy, a, b, count = best_on_feature(table, rules, f, labels, rows, sums, weight, scratch)
        varied = varied or kind != CONSTANT
        if proxy > best:
            others = best
            feature, best, below, above, n_left = f, proxy, a, b, count
        elif proxy > others:
            others = proxy
    return feature, best, others, below, above, n_left
