"""Replaying a fitted tree's random stream, to learn in which order features were drawn at every node.

scikit-learn draws features at each node without replacement with a 32-bit xorshift, nodes depth first. Features already known to
be constant may be drawn and count as visited; what was drawn is what the node's split was chosen from.

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
from core.numerics.tree_build import FEATURE, IMPURITY, LEFT, RIGHT, ROWS, THRESHOLD, is_leaf, partition

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
def _is_constant(table: Table, f: int, rows: Array) -> bool:
    codes = table.codes[f]
    low = high = codes[rows[0]]
    for i in range(len(rows)):
        low, high = min(low, codes[rows[i]]), max(high, codes[rows[i]])
    first = table.first[f]
    return bool(table.values[first + high] <= table.values[first + low] + LINK)


@njit(cache=True, nogil=True)
def code_below(values: Array, threshold: float) -> int:
    """Return the code of the largest value up to `threshold`, -1 where there is none."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= threshold:
            low = middle + 1
        else:
            high = middle
    return low - 1


@njit(cache=True, nogil=True)
def _draw_features(
    table: Table, rules: Rules, rows: Array, state: Array, features: Array, constants: Array, known: int, drawn: Array
) -> tuple[int, int]:
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
        if _is_constant(table, features[f_j], rows):
            features[f_j], features[total] = features[total], features[f_j]
            found += 1
            total += 1
            continue
        f_i -= 1
        features[f_i], features[f_j] = features[f_j], features[f_i]
    features[:known] = constants[:known]
    constants[known:total] = features[known:total]
    return visited, total


@njit(cache=True, nogil=True)
def replay(
    table: Table, rules: Rules, seed: int, samples: Array, words: Array, reals: Array
) -> tuple[Array, Array, int]:
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
    wrong : int
        First node whose rows are not as many as it says, or whose children are not where they belong; -1 if none.
    """
    n_nodes, n_features = len(words), len(table.codes)
    first, drawn = np.zeros(n_nodes + 1, np.int32), np.empty(4 * n_nodes + n_features, np.int32)
    features, constants = np.arange(n_features), np.empty(n_features, np.int64)
    state = np.array([seed], np.uint32)
    stack = np.empty((64, 5), np.int64)
    stack[0] = (0, 0, len(samples), 0, 0)
    waiting, node, used = 1, 0, 0
    while waiting > 0:
        waiting -= 1
        expected, start, end, depth, known = stack[waiting]
        if expected != node or node >= n_nodes or words[node, ROWS] != end - start or start == end:
            return first, drawn[:used], min(node, n_nodes - 1)
        if not is_leaf(rules, end - start, depth, reals[node, IMPURITY]):
            if used + n_features > len(drawn):
                drawn = np.concatenate((drawn, np.empty_like(drawn)))
            visited, known = _draw_features(
                table, rules, samples[start:end], state, features, constants, known, drawn[used:]
            )
            used += visited
        first[node + 1] = used
        f = words[node, FEATURE]
        if words[node, LEFT] >= 0:
            if f < 0 or f >= n_features:
                return first, drawn[:used], node
            values = table.values[table.first[f] : table.first[f + 1]]
            middle = start + partition(table.codes[f], samples[start:end], code_below(values, reals[node, THRESHOLD]))
            if waiting + 2 > len(stack):
                stack = np.concatenate((stack, np.empty_like(stack)))
            stack[waiting] = (words[node, RIGHT], middle, end, depth + 1, known)
            stack[waiting + 1] = (words[node, LEFT], start, middle, depth + 1, known)
            waiting += 2
        node += 1
    return first, drawn[:used], -1 if node == n_nodes else node
