"""Splits at thresholds drawn at random, in scikit-learn's own arithmetic.

scikit-learn's `RandomSplitter` draws for every visited feature that varies in the node one threshold ``(high - low) r / (2^31 - 1) +
low``, low and high the feature's range in the node, and where values are missing, on which side they go. What is kept for life is
the draw, r and the side, not the threshold: as rows leave, the range follows them. A draw that the fitted tree never made is keyed by
tree, path and feature.

References
----------
Geurts, P., Ernst, D. and Wehenkel, L. (2006). Extremely randomized trees. Machine Learning 63.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from core.numerics.tree_arrays import CLASS_BITS, CLASS_MASK, LINK, Array, Draws, Rules, Scratch, Table
from core.numerics.tree_coarse import CONSTANT, NO_SPLIT, SPLIT
from core.numerics.tree_columns import code_below, codes_for
from core.numerics.tree_histograms import Histograms
from core.numerics.tree_splits import draw_next, mixed, proxy_of, recorded_order, search

MOST_DRAWN = (1 << 31) - 1
SIDE, SIDE_DRAWN = 1 << 32, 1 << 33
"""Bits of a draw above r: missing values go left; their side was drawn."""


@njit(cache=True, nogil=True)
def threshold_at(low: Any, high: Any, draw: Any) -> float:
    """Return the threshold that a draw gives between two values."""
    reach = np.float64(high) - np.float64(low)
    threshold = reach * np.float64(draw & MOST_DRAWN) / np.float64(MOST_DRAWN) + np.float64(low)
    return np.float64(low) if threshold == np.float64(high) else threshold


@njit(cache=True, nogil=True)
def draw_for(draws: Draws, origin: Any, place: int, recorded: int, f: int, key: Any) -> Any:
    """Return the draw of the feature at one place of a path's order."""
    draw = np.int64(-1)
    if place < recorded:
        draw = draws.fractions[draws.first[origin] + place]
    if draw >= 0 and draw & SIDE_DRAWN:
        return draw
    fresh = np.int64(mixed(mixed(key, 0), f + 1) >> np.uint64(31))
    if draw < 0:
        draw = fresh & MOST_DRAWN
    return draw | (fresh & SIDE)


@njit(cache=True, nogil=True)
def span_of(table: Table, f: int, rows: Array) -> tuple[Any, Any, int]:
    """Return the lowest and highest code of a feature in a node, missing values apart, and how many rows miss it."""
    codes = codes_for(table, len(rows))[f]
    missing = np.int64(table.first[f + 1] - table.first[f] - 1) if table.twin[f] >= 0 else np.int64(-1)
    low, high, n_missing = np.int64(1) << 32, np.int64(-1), 0
    for i in range(len(rows)):
        code = np.int64(codes[rows[i]])
        if code == missing:
            n_missing += 1
            continue
        low, high = min(low, code), max(high, code)
    return low, high, n_missing


@njit(cache=True, nogil=True)
def split_at(
    table: Table,
    rules: Rules,
    f: int,
    draw: Any,
    labels: Array,
    rows: Array,
    sums: Array,
    weight: float,
    scratch: Scratch,
) -> tuple[int, float, int, int, float, int]:
    """Evaluate the split of a node on one feature at its draw.

    Returns
    -------
    kind : int
        CONSTANT, NO_SPLIT (it leaves too few rows on a side) or SPLIT.
    proxy : float
    column : int
    below : int
        Largest code of the column that goes left.
    threshold : float
    n_left : int
    """
    low, high, n_missing = span_of(table, f, rows)
    if n_missing == len(rows):
        return CONSTANT, -np.inf, -1, -1, 0.0, 0
    first = table.first[f]
    least, most = table.values[first + low], table.values[first + high]
    if n_missing == 0 and most <= least + LINK:
        return CONSTANT, -np.inf, -1, -1, 0.0, 0
    threshold = threshold_at(least, most, draw)
    column = table.twin[f] if n_missing > 0 and draw & SIDE else f
    below = code_below(table, column, threshold)
    codes, left, right = codes_for(table, len(rows))[column], scratch.left, scratch.right
    left[:] = 0.0
    n_left, left_weight = 0, 0.0
    for i in range(len(rows)):
        if codes[rows[i]] <= below:
            label = labels[rows[i]]
            left[label & CLASS_MASK] += label >> CLASS_BITS
            left_weight += label >> CLASS_BITS
            n_left += 1
    if n_left < rules.min_samples_leaf or len(rows) - n_left < rules.min_samples_leaf:
        return NO_SPLIT, -np.inf, -1, -1, 0.0, 0
    for c in range(len(sums)):
        right[c] = sums[c] - left[c]
    return (
        SPLIT,
        proxy_of(rules.entropy, left, right, left_weight, weight - left_weight),
        column,
        below,
        threshold,
        n_left,
    )


@njit(cache=True, nogil=True)
def search_drawn(
    table: Table, rules: Rules, draws: Draws, labels: Array, rows: Array, sums: Array, weight: float, key: Any,
    origin: Any, scratch: Scratch,
) -> tuple[int, float, float, int, float, int, int]:  # fmt: skip
    """Find the best of the splits drawn at a node's path; returns what `search` does."""
    order = scratch.order
    recorded = recorded_order(draws, origin, order)
    winner, best, others, below, threshold, n_left = -1, -np.inf, -np.inf, -1, 0.0, 0
    visited, varied = 0, False
    while visited < len(order) and (visited < rules.max_features or not varied):
        if visited >= recorded:
            draw_next(order, visited, key)
        f = order[visited]
        draw = draw_for(draws, origin, visited, recorded, f, key)
        visited += 1
        kind, proxy, column, last, at, count = split_at(table, rules, f, draw, labels, rows, sums, weight, scratch)
        varied = varied or kind != CONSTANT
        if proxy > best:
            others = best
            winner, best, below, threshold, n_left = column, proxy, last, at, count
        elif proxy > others:
            others = proxy
    return winner, best, others, below, threshold, n_left, -1


@njit(cache=True, nogil=True)
def find_split(
    table: Table, rules: Rules, draws: Draws, labels: Array, rows: Array, sums: Array, weight: float, key: Any,
    origin: Any, known: int, found: tuple[int, float, int, int, int], store: Histograms, scratch: Scratch,
) -> tuple[int, float, float, int, float, int, int]:  # fmt: skip
    """Find a node's split as its tree's splitter does; see `search`."""
    if rules.random:
        return search_drawn(table, rules, draws, labels, rows, sums, weight, key, origin, scratch)
    return search(table, rules, draws, labels, rows, sums, weight, key, origin, known, found, store, scratch)
