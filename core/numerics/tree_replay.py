"""Replaying a fitted tree's random stream, to learn which features and thresholds were drawn at every node.

scikit-learn draws features at each node without replacement with a 32-bit xorshift, nodes depth first. Features already known to
be constant may be drawn and count as visited; what was drawn is what the node's split was chosen from. A random splitter goes
on to draw a threshold for every feature that varies, and a side for its missing values if there are any.

References
----------
Marsaglia, G. (2003). Xorshift RNGs. Journal of Statistical Software 8(14).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from core.numerics.tree_arrays import LINK, Rules, Table
from core.numerics.tree_build import FEATURE, IMPURITY, LEFT, MISSING, RIGHT, ROWS, THRESHOLD, is_leaf, partition
from core.numerics.tree_columns import code_below, column_of
from core.numerics.tree_random import SIDE, SIDE_DRAWN

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True)
def _next(state: Array) -> Any:
    x = state[0]
    if x == 0:
        x = np.uint32(1)
    x ^= np.uint32(x << np.uint32(13))
    x ^= np.uint32(x >> np.uint32(17))
    x ^= np.uint32(x << np.uint32(5))
    state[0] = x
    return np.int64(x & np.uint32(0x7FFFFFFF))


@njit(cache=True, nogil=True)
def _look(table: Table, f: int, rows: Array) -> tuple[bool, bool]:
    """Return whether a feature is constant in a node, and whether rows miss it; looks at no more rows than it takes."""
    codes, values = table.codes[f], table.values[table.first[f] : table.first[f + 1]]
    missing = len(values) - 1 if table.twin[f] >= 0 else -1
    low: Any = len(values)
    high: Any = -1
    absent = varies = False
    for i in range(len(rows)):
        code = np.int64(codes[rows[i]])
        if code == missing:
            absent = True
        else:
            low, high = min(low, code), max(high, code)
            varies = varies or values[high] > values[low] + LINK
        if (absent and high >= 0) or (varies and missing < 0):
            return False, absent
    return not varies, absent


@njit(cache=True, nogil=True)
def _draw_threshold(state: Array, missing: bool) -> Any:
    draw = np.int64(_next(state))
    if missing:
        draw |= SIDE_DRAWN | (SIDE if _next(state) % 2 else 0)
    return draw


@njit(cache=True, nogil=True)
def _draw_features(
    table: Table, rules: Rules, rows: Array, state: Array, features: Array, constants: Array, known: int, drawn: Array,
    fractions: Array,
) -> tuple[int, int]:  # fmt: skip
    """Draw as scikit-learn's splitter does; return how many features were drawn and how many are constant below."""
    visited, found, drawn_constants = 0, 0, 0
    f_i, total = len(features), known
    while f_i > total and (visited < rules.max_features or visited <= found + drawn_constants):
        f_j = drawn_constants + _next(state) % (f_i - found - drawn_constants)
        if f_j < known:
            drawn[visited] = features[f_j]
            visited += 1
            features[drawn_constants], features[f_j] = features[f_j], features[drawn_constants]
            drawn_constants += 1
            continue
        f_j += found
        drawn[visited] = features[f_j]
        visited += 1
        constant, missing = _look(table, features[f_j], rows)
        if constant:
            features[f_j], features[total] = features[total], features[f_j]
            found += 1
            total += 1
            continue
        f_i -= 1
        features[f_i], features[f_j] = features[f_j], features[f_i]
        if rules.random:
            fractions[visited - 1] = _draw_threshold(state, missing)
    features[:known] = constants[:known]
    constants[known:total] = features[known:total]
    return visited, total


@njit(cache=True, nogil=True)
def replay(
    table: Table, rules: Rules, seed: int, samples: Array, words: Array, reals: Array
) -> tuple[Array, Array, Array, int]:
    """Draw the features of every node of a fitted tree again.

    Parameters
    ----------
    table : Table
    rules : Rules
    seed : int
        Of the splitter's stream.
    samples : ndarray of int32
        The tree's rows; put in the order of its leaves.
    words, reals : ndarray, shape (n_nodes, 8)
        The fitted tree.

    Returns
    -------
    first : ndarray of int32, shape (n_nodes + 1,)
        Where each node's features start.
    features : ndarray of int32
        In the order drawn.
    fractions : ndarray of int64
        The draws of their thresholds, -1 where there was none; empty where thresholds are not drawn.
    wrong : int
        First node whose rows are not as many as it says, or whose children are not where they belong; -1 if none.
    """
    n_nodes, n_features = len(words), len(table.twin)
    first, drawn = np.zeros(n_nodes + 1, np.int32), np.empty(4 * n_nodes + n_features, np.int32)
    fractions = np.full(len(drawn) if rules.random else 0, -1, np.int64)
    features, constants = np.arange(n_features), np.empty(n_features, np.int64)
    state = np.array([seed], np.uint32)
    stack = np.empty((64, 5), np.int64)
    stack[0] = (0, 0, len(samples), 0, 0)
    waiting, node, used = 1, 0, 0
    while waiting > 0:
        waiting -= 1
        expected, start, end, depth, known = stack[waiting]
        if expected != node or node >= n_nodes or words[node, ROWS] != end - start or start == end:
            return first, drawn[:used], fractions[:used], min(node, n_nodes - 1)
        if not is_leaf(rules, end - start, depth, reals[node, IMPURITY]):
            if used + n_features > len(drawn):
                drawn = np.concatenate((drawn, np.empty_like(drawn)))
                fractions = np.concatenate((fractions, np.full_like(fractions, -1)))
            visited, known = _draw_features(
                table, rules, samples[start:end], state, features, constants, known, drawn[used:], fractions[used:]
            )
            used += visited
        first[node + 1] = used
        f = words[node, FEATURE]
        if words[node, LEFT] >= 0:
            if f < 0 or f >= n_features:
                return first, drawn[:used], fractions[:used], node
            column = column_of(table, f, words[node, MISSING] & 255 != 0)
            below = code_below(table, column, reals[node, THRESHOLD])
            middle = start + partition(table.codes[column], samples[start:end], below)
            if waiting + 2 > len(stack):
                stack = np.concatenate((stack, np.empty_like(stack)))
            stack[waiting] = (words[node, RIGHT], middle, end, depth + 1, known)
            stack[waiting + 1] = (words[node, LEFT], start, middle, depth + 1, known)
            waiting += 2
        node += 1
    return first, drawn[:used], fractions[:used], -1 if node == n_nodes else node
