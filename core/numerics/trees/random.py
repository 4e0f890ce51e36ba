"""Splits at thresholds drawn at random, in scikit-learn's own arithmetic.

scikit-learn's `RandomSplitter` draws for every visited feature that varies in the node one threshold ``(high - low) r / (2^31 - 1) +
low``, low and high the feature's range in the node, and where values are missing, on which side they go. What is kept for life is
the draw, r and the side, not the threshold: as rows leave, the range follows them. A draw that the fitted tree never made is keyed by
tree, path and feature.

What a feature's split depends on fits in one line: its range with the number of rows at each end, the number that miss it, and the
rows and weights that go left. As rows leave and join, the line follows at the cost of those rows; only where an end of the range
leaves are the node's rows looked at again.

References
----------
Geurts, P., Ernst, D. and Wehenkel, L. (2006). Extremely randomized trees. Machine Learning 63.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.numerics.kernel import boolean, int64, kernel
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK, LINK, Draws, Rules, Scratch, Table
from core.numerics.trees.columns import code_below, codes_for
from core.numerics.trees.draws import draw_next, mixed, recorded_order
from core.numerics.trees.splits import proxy_of
from core.typing import Array

MOST_DRAWN = (1 << 31) - 1
SIDE, SIDE_DRAWN = 1 << 32, 1 << 33
"""Bits of a draw above r: missing values go left; their side was drawn."""
OF, LOW, HIGH, AT_LOW, AT_HIGH, ABSENT, COLUMN, LAST_LEFT, ON_LEFT, SUMS = range(10)
"""Of a line: the feature, its range and the rows at its ends, rows that miss it, the split's column, -1 where the feature is
constant, its last code on the left and rows there; from SUMS on, the weight on the left by class."""


@kernel
def threshold_at(low: Any, high: Any, draw: Any) -> float:
    """Return the threshold that a draw gives between two values."""
    reach = np.float64(high) - np.float64(low)
    threshold = reach * np.float64(draw & MOST_DRAWN) / np.float64(MOST_DRAWN) + np.float64(low)
    return np.float64(low) if threshold == np.float64(high) else threshold


@kernel
def draw_for(draws: Draws, origin: Any, place: int, f: int, key: Any) -> Any:
    """Return the draw of the feature at one place of a path's order."""
    draw = np.int64(-1)
    if origin >= 0 and place < draws.first[origin + 1] - draws.first[origin]:
        draw = draws.fractions[draws.first[origin] + place]
    if draw >= 0 and draw & SIDE_DRAWN:
        return draw
    fresh = np.int64(mixed(mixed(key, 0), f + 1) >> np.uint64(31))
    if draw < 0:
        draw = fresh & MOST_DRAWN
    return draw | (fresh & SIDE)


@kernel
def _find_range(table: Table, f: int, rows: Array, kept: bool, line: Array) -> None:
    """Fill in a feature's range in a node and, if the line is kept, the rows at its ends.

    Where all miss it, low is above high.
    """
    codes = codes_for(table, len(rows))[f]
    missing = np.int64(table.first[f + 1] - table.first[f] - 1) if table.twin[f] >= 0 else np.int64(-1)
    low, high, at_low, at_high, absent = np.int64(MOST_DRAWN), np.int64(-1), 0, 0, 0
    if missing < 0:
        for i in range(len(rows)):
            code = np.int64(codes[rows[i]])
            low, high = min(low, code), max(high, code)
    else:
        for i in range(len(rows)):
            code = np.int64(codes[rows[i]])
            if code == missing:
                absent += 1
            else:
                low, high = min(low, code), max(high, code)
    if kept:
        for i in range(len(rows)):
            code = np.int64(codes[rows[i]])
            at_low += code == low
            at_high += code == high
    line[OF], line[LOW], line[HIGH], line[AT_LOW], line[AT_HIGH], line[ABSENT] = f, low, high, at_low, at_high, absent


@kernel
def is_constant(table: Table, line: Array, n: int) -> bool:
    """Return whether scikit-learn takes a feature as constant in a node of `n` rows."""
    if line[ABSENT] > 0:
        return bool(line[ABSENT] == n)
    first = table.first[line[OF]]
    return bool(table.values[first + line[HIGH]] <= table.values[first + line[LOW]] + LINK)


@kernel
def line_threshold(table: Table, line: Array, draw: Any) -> float:
    """Return the threshold of a line."""
    values = table.values[table.first[line[OF]] : table.first[line[OF] + 1]]
    return threshold_at(values[line[LOW]], values[line[HIGH]], draw)


@kernel
def _sum_left(codes: Array, below: int, labels: Array, rows: Array, line: Array) -> None:
    """Fill in the rows and weights on the left of a split between two classes."""
    n_left, weight, second = np.int64(0), np.int64(0), np.int64(0)
    for i in range(len(rows)):
        left, label = np.int64(codes[rows[i]] <= below), np.int64(labels[rows[i]])
        n_left += left
        weight += left * (label >> CLASS_BITS)
        second += left * (label >> CLASS_BITS) * (label & CLASS_MASK)
    line[ON_LEFT], line[SUMS], line[SUMS + 1] = n_left, weight - second, second


@kernel
def fill_line(table: Table, f: int, draw: Any, labels: Array, rows: Array, kept: bool, line: Array) -> None:
    """Write the line of a feature in a node; only lines that are `kept` can be followed."""
    _find_range(table, f, rows, kept, line)
    line[COLUMN:] = 0
    if is_constant(table, line, len(rows)):
        line[COLUMN] = -1
        return
    column = int64(table.twin[f]) if line[ABSENT] > 0 and draw & SIDE else f
    below = code_below(table, column, line_threshold(table, line, draw))
    line[COLUMN], line[LAST_LEFT] = column, below
    codes = codes_for(table, len(rows))[column]
    if table.n_classes == 2:
        _sum_left(codes, below, labels, rows, line)
        return
    for i in range(len(rows)):
        if codes[rows[i]] <= below:
            label = labels[rows[i]]
            line[ON_LEFT] += 1
            line[SUMS + (label & CLASS_MASK)] += label >> CLASS_BITS


@kernel
def follow(table: Table, labels: Array, moved: Array, sign: int, line: Array) -> bool:
    """Bring a line up to date with rows that joined (`sign` 1) or left (-1) its node.

    Returns whether that could be done.
    """
    f = line[OF]
    codes = table.codes[f]
    missing = np.int64(table.first[f + 1] - table.first[f] - 1) if table.twin[f] >= 0 else np.int64(-1)
    absent = line[ABSENT]
    for i in range(len(moved)):
        code = np.int64(codes[moved[i]])
        if code == missing:
            line[ABSENT] += sign
        elif code < line[LOW] or code > line[HIGH]:
            return False
        else:
            line[AT_LOW] += sign * (code == line[LOW])
            line[AT_HIGH] += sign * (code == line[HIGH])
    if (absent > 0) != (line[ABSENT] > 0):
        return False
    if line[COLUMN] < 0:
        return True
    codes, below = table.codes[line[COLUMN]], line[LAST_LEFT]
    for i in range(len(moved)):
        if codes[moved[i]] <= below:
            label = labels[moved[i]]
            line[ON_LEFT] += sign
            line[SUMS + (label & CLASS_MASK)] += sign * (label >> CLASS_BITS)
    return bool(line[AT_LOW] > 0 and line[AT_HIGH] > 0)


@kernel
def best_line(rules: Rules, lines: Array, n: int, sums: Array, weight: float, scratch: Scratch) -> int:
    """Return which of a node's lines holds its best split, the first of equals.

    -1 where none does.
    """
    winner, best, left, right = -1, -np.inf, scratch.left, scratch.right
    for k in range(len(lines)):
        on_left = lines[k, ON_LEFT]
        if lines[k, COLUMN] < 0 or on_left < rules.min_samples_leaf or n - on_left < rules.min_samples_leaf:
            continue
        left_weight = 0.0
        for c in range(len(sums)):
            left[c] = lines[k, SUMS + c]
            right[c] = sums[c] - left[c]
            left_weight += left[c]
        proxy = proxy_of(rules.entropy, left, right, left_weight, weight - left_weight)
        if proxy > best:
            winner, best = k, proxy
    return winner


@kernel
def write_lines(
    table: Table, rules: Rules, draws: Draws, labels: Array, rows: Array, key: Any, origin: Any, kept: bool,
    lines: Array, scratch: Scratch,
) -> int:  # fmt: skip
    """Write the lines of the features drawn at a node's path.

    Returns how many there are. Only lines that are `kept` can be followed.
    """
    order = scratch.order
    recorded = recorded_order(draws, origin, order, scratch.where)
    visited, varied = 0, False
    while visited < len(order) and (visited < rules.max_features or not varied):
        if visited >= recorded:
            draw_next(order, visited, key)
        f = int64(order[visited])
        fill_line(table, f, draw_for(draws, origin, visited, f, key), labels, rows, kept, lines[visited])
        varied = varied or lines[visited, COLUMN] >= 0
        visited += 1
    return visited


@kernel
def follow_lines(
    table: Table, draws: Draws, labels: Array, were: Array, rows: Array, base: int, gone: Array, key: Any, origin: Any,
    lines: Array,
) -> bool:  # fmt: skip
    """Bring a node's lines up to date; return whether the same features would be visited.

    Parameters
    ----------
    table, draws, labels
    were : ndarray of int32
        The labels of those that left.
    rows : ndarray of int32
        Those of the node now.
    base : int
        How many of them were there before; the others joined.
    gone : ndarray of int32
        Those that left it.
    key, origin
        Of its path.
    lines : ndarray of int64, shape (n_visited, SUMS + n_classes)
    """
    for k in range(len(lines)):
        constant = lines[k, COLUMN] < 0
        if not (follow(table, were, gone, -1, lines[k]) and follow(table, labels, rows[base:], 1, lines[k])):
            f = lines[k, OF]
            fill_line(table, f, draw_for(draws, origin, k, f, key), labels, rows, boolean(True), lines[k])
        if constant != (lines[k, COLUMN] < 0):
            return False
    return True
