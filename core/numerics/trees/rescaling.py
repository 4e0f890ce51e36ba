"""Thresholds, and codes next to splits, of a tree whose columns keep their order.

They are written again where the columns' values are others in the same order.
"""

from __future__ import annotations

import numpy as np

from core.numerics.kernel import entry, int64, kernel
from core.numerics.trees.arrays import Table
from core.numerics.trees.build import FEATURE, LEFT, MISSING_LEFT, RIGHT, ROWS, THRESHOLD
from core.numerics.trees.columns import column_of, midpoint
from core.numerics.trees.histograms import CANDIDATES, HEAD_ABOVE, HEAD_BELOW, HEAD_BINS, HEAD_FEATURE, HEAD_PEAK, SIZE
from core.typing import Array


@kernel
def _largest(codes: Array, rows: Array) -> int:
    """Return the largest code that any of the rows has."""
    most = int64(-1)
    for i in range(len(rows)):
        most = max(most, np.int64(codes[np.uint64(rows[i])]))
    return int(most)


@kernel
def _smallest(codes: Array, rows: Array) -> int:
    """Return the smallest code that any of the rows has."""
    least = np.int64(codes[rows[0]])
    for i in range(1, len(rows)):
        least = min(least, np.int64(codes[np.uint64(rows[i])]))
    return int(least)


@entry
def rewrite_thresholds(table: Table, chosen: Array, samples: Array, words: Array, reals: Array, starts: Array) -> None:
    """Put thresholds on chosen features halfway between the values on both sides.

    O(rows x depth).

    Parameters
    ----------
    table : Table
        Holds the values as they are now.
    chosen : ndarray of bool, shape (n_features,)
    samples : ndarray of int32
        The tree's rows in the order of its leaves.
    words, reals : ndarray, shape (n_nodes, 8)
        scikit-learn's node records, depth first; thresholds are written to `reals`.
    starts : ndarray of int64, shape (n_nodes,)
        Room to work in.
    """
    starts[0] = 0
    for node in range(len(words)):
        left = words[node, LEFT]
        if left < 0:
            continue
        start, end = starts[node], starts[node] + words[node, ROWS]
        middle = start + words[left, ROWS]
        starts[left] = start
        starts[words[node, RIGHT]] = middle
        f = words[node, FEATURE]
        if not chosen[f]:
            continue
        column = column_of(table, f, words[node, MISSING_LEFT] & 255 != 0)
        codes = table.codes[column]
        below, above = _largest(codes, samples[start:middle]), _smallest(codes, samples[middle:end])
        reals[node, THRESHOLD] = midpoint(table, column, below, above)


@entry
def shift_splits(lines: Array, first: Array, shifts: Array) -> None:
    """Renumber the codes on both sides of the splits that histograms hold.

    Parameters
    ----------
    lines : ndarray of int32, shape (n_lines, 5)
        Histograms of one node after the other.
    first : ndarray of int64, shape (n_columns + 1,)
        Where each column's codes start in `shifts`.
    shifts : ndarray of int32
        By how much each code rises.
    """
    at = int64(0)
    while at < len(lines):
        head = at + 1
        for _ in range(lines[at, CANDIDATES]):
            if lines[head, HEAD_PEAK] >= 0:
                start = first[lines[head, HEAD_FEATURE]]
                lines[head, HEAD_BELOW] += shifts[start + lines[head, HEAD_BELOW]]
                lines[head, HEAD_ABOVE] += shifts[start + lines[head, HEAD_ABOVE]]
            head += 1 + lines[head, HEAD_BINS]
        at += lines[at, SIZE]
