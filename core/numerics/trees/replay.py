"""A fitted tree's random stream, replayed to learn what was drawn at every node.

scikit-learn draws features at each node without replacement with a 32-bit xorshift, nodes depth first. Features already known to
be constant may be drawn and count as visited; what was drawn is what the node's split was chosen from. A random splitter goes
on to draw a threshold for every feature that varies, and a side for its missing values if there are any.

References
----------
Marsaglia, G. (2003). Xorshift RNGs. Journal of Statistical Software 8(14).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import entry, int64, kernel
from core.numerics.trees.arrays import LINK, Rules, Table
from core.numerics.trees.build import FEATURE, IMPURITY, LEFT, MISSING_LEFT, RIGHT, ROWS, THRESHOLD, is_leaf, partition
from core.numerics.trees.columns import code_below, column_of
from core.numerics.trees.random import SIDE, SIDE_DRAWN
from core.typing import Array


class DrawnStream(NamedTuple):
    """A tree's random stream, what was drawn from it, and room to draw.

    Parameters
    ----------
    state : ndarray of uint32, shape (1,)
    first : ndarray of int32, shape (n_nodes + 1,)
        Where each node's features start.
    drawn : ndarray of int32, shape (n_nodes * n_features,)
        Features in the order drawn.
    fractions : ndarray of int64, shape (n_nodes * n_features,) or (0,)
        The draws of their thresholds, -1 where there was none; empty where thresholds are not drawn.
    features, constants : ndarray of int64, shape (n_features,)
        The order features are drawn from, and those known to be constant.
    stack : ndarray of int64, shape (n_rows + 2, at least 5)
    """

    state: Array
    first: Array
    drawn: Array
    fractions: Array
    features: Array
    constants: Array
    stack: Array


def make_stream(seed: int, n_nodes: int, n_features: int, random: bool, stack: Array) -> DrawnStream:
    """Return a stream at its start; memory is taken as it is written."""
    most = n_nodes * n_features
    return DrawnStream(
        np.array([seed], np.uint32),
        np.zeros(n_nodes + 1, np.int32),
        np.empty(most, np.int32),
        np.empty(most if random else 0, np.int64),
        np.arange(n_features),
        np.empty(n_features, np.int64),
        stack,
    )


@kernel
def _next(state: Array) -> Any:
    x = state[0]
    if x == 0:
        x = np.uint32(1)
    x ^= np.uint32(x << np.uint32(13))
    x ^= np.uint32(x >> np.uint32(17))
    x ^= np.uint32(x << np.uint32(5))
    state[0] = x
    return np.int64(x & np.uint32(0x7FFFFFFF))


@kernel
def _look(table: Table, f: int, rows: Array) -> tuple[bool, bool]:
    """Return whether a feature is constant in a node, and whether rows miss it.

    Looks at no more rows than it takes.
    """
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


@kernel
def _draw_threshold(state: Array, missing: bool) -> Any:
    draw = np.int64(_next(state))
    if missing:
        draw |= SIDE_DRAWN | (SIDE if _next(state) % 2 else 0)
    return draw


@kernel
def _draw_features(
    table: Table, rules: Rules, rows: Array, stream: DrawnStream, known: int, used: int
) -> tuple[int, int]:  # fmt: skip
    """Draw as scikit-learn's splitter does, after `used` features.

    Returns how many were drawn and how many are constant below.
    """
    state, features, constants = stream.state, stream.features, stream.constants
    drawn, fractions = stream.drawn[used:], stream.fractions[used:]
    visited, found, drawn_constants = 0, 0, 0
    f_i, total = len(features), known
    while f_i > total and (visited < rules.max_features or visited <= found + drawn_constants):
        f_j = drawn_constants + _next(state) % (f_i - found - drawn_constants)
        if f_j < known:
            drawn[visited] = features[f_j]
            if rules.random:
                fractions[visited] = -1
            visited += 1
            features[drawn_constants], features[f_j] = features[f_j], features[drawn_constants]
            drawn_constants += 1
            continue
        f_j += found
        drawn[visited] = features[f_j]
        if rules.random:
            fractions[visited] = -1
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
    for i in range(known):
        features[i] = constants[i]
    for i in range(known, total):
        constants[i] = features[i]
    return visited, total


@kernel
def _await(stack: Array, at: int, node: int, start: int, end: int, depth: int, known: int) -> None:
    """Write a node, its rows and its number of known constants to place `at` of the stack."""
    stack[at, 0] = node
    stack[at, 1] = start
    stack[at, 2] = end
    stack[at, 3] = depth
    stack[at, 4] = known


@entry
def replay(
    table: Table, rules: Rules, stream: DrawnStream, samples: Array, words: Array, reals: Array
) -> tuple[int, int]:
    """Draw the features of every node of a fitted tree again.

    Parameters
    ----------
    table : Table
    rules : Rules
    stream : Stream
        At its start; what was drawn is written to it.
    samples : ndarray of int32
        The tree's rows; put in the order of its leaves.
    words, reals : ndarray, shape (n_nodes, 8)
        The fitted tree.

    Returns
    -------
    used : int
        How many features were drawn.
    wrong : int
        First node whose rows are not as many as it says, or whose children are not where they belong; -1 if none.
    """
    n_nodes, n_features = len(words), len(table.twin)
    stack = stream.stack
    _await(stack, 0, 0, 0, len(samples), 0, 0)
    waiting, node, used = 1, int64(0), int64(0)
    while waiting > 0:
        waiting -= 1
        expected, start, end, depth, known = stack[waiting, :5]
        if expected != node or node >= n_nodes or words[node, ROWS] != end - start or start == end:
            return used, min(node, n_nodes - 1)
        if not is_leaf(rules, end - start, depth, reals[node, IMPURITY]):
            visited, known = _draw_features(table, rules, samples[start:end], stream, known, used)
            used += visited
        stream.first[node + 1] = used
        f = words[node, FEATURE]
        if words[node, LEFT] >= 0:
            if f < 0 or f >= n_features:
                return used, node
            column = column_of(table, f, words[node, MISSING_LEFT] & 255 != 0)
            below = code_below(table, column, reals[node, THRESHOLD])
            middle = start + partition(table.codes[column], samples[start:end], below)
            _await(stack, waiting, words[node, RIGHT], middle, end, depth + 1, known)
            _await(stack, waiting + 1, words[node, LEFT], start, middle, depth + 1, known)
            waiting += 2
        node += 1
    return used, -1 if node == n_nodes else node
