"""The arrays that trees are grown from and updated with."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from core.typing import Array

LN2 = math.log(2.0)
EPSILON = float(np.finfo(np.float64).eps)
LINK = np.float32(1e-7)
"""Neighbouring values no further apart are one value to scikit-learn."""
CLASS_BITS = 8
CLASS_MASK = (1 << CLASS_BITS) - 1
MOST_WEIGHT = (1 << (31 - CLASS_BITS)) - 1
MOST_IN_ALL = (1 << 31) - 1
"""The weight of all rows together that histograms, which take 32 bits for a sum, still hold."""
LOW_HALF = (1 << 32) - 1
TINY = 1e-100
"""Stands for the weight of an empty side, as divisions by it do no harm then."""
MOST_BINS = 256
COUNTED_AT_ONCE = 3
"""Candidates whose rows are counted in one pass over a node's rows."""
RANKED = 63
"""Most keys that are sorted by counting the smaller ones of each."""
ROOM_TO_SORT = 257
"""Places beside those for the keys that sorting them takes."""


class Table(NamedTuple):
    """The training table as all trees of a forest read it.

    Parameters
    ----------
    codes : ndarray of uint16 or int32, shape (n_columns, n_rows)
        One column for each feature, then the twins.
    values : ndarray of float32, shape (n_distinct,)
        Distinct values of every column, one column after the other, ascending; missing ones count as infinite.
    first : ndarray of int64, shape (n_columns + 1,)
        Where each column's values start.
    chained : ndarray of bool, shape (n_rows,)
        Rows whose leaving could split a chain of linked values.
    n_classes : int
    bins : ndarray of uint8, shape (n_columns, n_rows)
        Coarser codes.
    edges : ndarray of int32, shape (n_columns, 2 * MOST_BINS + 1)
        First code of every bin, past the last one the number of codes; values on the two sides of an edge are never linked.
    n_bins : ndarray of int64, shape (n_columns,)
    twin : ndarray of int32, shape (n_features,)
        The column in which a feature's missing values come first, -1 where none are missing.
    owner : ndarray of int32, shape (n_columns,)
        The feature that each column is of.
    linked : ndarray of int64, shape (n_columns,)
        Codes further apart stand for values that are never taken as one.
    codes_by_row, bins_by_row : ndarray
        As `codes` and `bins`, with what belongs to one row side by side in memory.
    order : ndarray of int32, shape (n_columns, n_rows)
        Rows by ascending code.
    starts : ndarray of int32, shape (n_columns, 2 * MOST_BINS + 1)
        Where every bin's rows start in `order`, past the last one the number of rows.
    """

    codes: Array
    values: Array
    first: Array
    chained: Array
    n_classes: int
    bins: Array
    edges: Array
    n_bins: Array
    twin: Array
    owner: Array
    linked: Array
    codes_by_row: Array
    bins_by_row: Array
    order: Array
    starts: Array


class Rules(NamedTuple):
    """The parameters that shape a tree; `random` says that thresholds are drawn."""

    entropy: bool
    max_features: int
    min_samples_split: int
    min_samples_leaf: int
    max_depth: int
    min_impurity_decrease: float
    random: bool


class Draws(NamedTuple):
    """The order in which features are drawn at every path, and their drawn thresholds.

    Both are kept for life.

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
    fractions : ndarray of int64, shape (n_features_drawn,) or (0,)
        Where thresholds are drawn: each feature's draw, see `core.numerics.trees.random`; -1 where none was made.
    """

    seed: Any
    left: Array
    right: Array
    first: Array
    features: Array
    fractions: Array


class Stack(NamedTuple):
    """Nodes that wait for their turn, and sums of the one whose turn it is.

    Parameters
    ----------
    words : ndarray of int64, shape (n_rows + 2, 10)
    keys : ndarray of uint64, shape (n_rows + 2,)
    constants : ndarray of uint64, shape (n_rows + 2, n_features / 64 rounded up)
        One bit for every feature that is known to be constant.
    weights : ndarray of float64, shape (n_rows + 2, n_classes)
        By class.
    sums, left, right : ndarray of float64, shape (n_classes,)
    """

    words: Array
    keys: Array
    constants: Array
    weights: Array
    sums: Array
    left: Array
    right: Array


class Place(NamedTuple):
    """A node's rows, and where it stands.

    That tells its rows from others without a look at all of them.

    Parameters
    ----------
    labels : ndarray of int32, shape (n_rows,)
        Each row's weight in this tree, and its class in the lowest 8 bits.
    rows : ndarray of int32
        The node's.
    pairs : ndarray of int64
        Where `depth` is negative, the same, each with its label in the upper half; no other field counts then.
    stays : ndarray of bool, shape (n_rows,)
        Marks every row that its tree knows, and of the others none that has a weight in it.
    path : ndarray of int64, shape (at least depth, 3)
        The splits above it: column, largest code that goes left, and whether the path does.
    depth : int
    """

    labels: Array
    rows: Array
    pairs: Array
    stays: Array
    path: Array
    depth: int


class Scratch(NamedTuple):
    """Room to work in, for one thread.

    What one function leaves there for its caller is said in its docstring.

    Parameters
    ----------
    updating, building : Stack
        Of `update` and of `build`, which it calls.
    path : ndarray of int64
        As in `Place`.
    pairs : ndarray of int64
        The node's rows, each with its label in the upper half.
    keys, spare, small : ndarray
        Rows that are sorted, and room to sort them in.
    group_code, group_rows, group_sums, slot, left, right : ndarray
        Rows with the same code, where there are more than two classes.
    order, where : ndarray of int32
        The order features are drawn in, and the place of each.
    kept : ndarray of uint8, shape (n_features, n_rows)
        Bins of the node's rows, in their order, by candidate: by the place of its feature among those drawn.
    places, counted : ndarray of int64, shape (COUNTED_AT_ONCE,) and (COUNTED_AT_ONCE, 2 * MOST_BINS)
        Candidates that are counted together, and their counts.
    counts, upper, edge, begins, opened, alone, marked : ndarray
        Of one candidate's bins: counts, bounds, proxies at their start, first of the column's bins, whether their rows are looked at.
    peak, rest, most : ndarray
        The bin of the best split found last, what no other split there exceeds, and the largest bound of every candidate.
    before : ndarray of float64, shape (2, n_bins + 1)
        Class sums left of every bin.
    used : ndarray of int64, shape (1,)
        Lines in use of the histograms being written.
    """

    updating: Stack
    building: Stack
    path: Array
    pairs: Array
    keys: Array
    spare: Array
    group_code: Array
    group_rows: Array
    group_sums: Array
    slot: Array
    left: Array
    right: Array
    order: Array
    where: Array
    kept: Array
    places: Array
    counted: Array
    counts: Array
    upper: Array
    edge: Array
    begins: Array
    opened: Array
    alone: Array
    marked: Array
    peak: Array
    rest: Array
    most: Array
    before: Array
    small: Array
    used: Array


def _make_stack(n_rows: int, n_features: int, n_classes: int) -> Stack:
    """Return room for the nodes that wait in a tree of `n_rows` rows.

    Memory is taken as it is written.
    """
    constants = np.empty((n_rows + 2, -(-n_features // 64)), np.uint64)
    return Stack(
        np.empty((n_rows + 2, 10), np.int64),
        np.empty(n_rows + 2, np.uint64),
        constants,
        np.empty((n_rows + 2, n_classes)),
        *np.empty((3, n_classes)),
    )


def make_scratch(n_rows: int, table: Table) -> Scratch:
    """Return room for nodes of up to `n_rows` rows."""
    widest = int(np.diff(table.first).max())
    groups = max(min(n_rows, widest), 1)
    return Scratch(
        _make_stack(n_rows, len(table.twin), table.n_classes),
        _make_stack(n_rows, len(table.twin), table.n_classes),
        np.empty((n_rows + 2, 3), np.int64),
        np.empty(n_rows + 1, np.int64),
        np.empty(n_rows + 1, np.int64),
        np.empty(n_rows + 1 + ROOM_TO_SORT, np.int64),
        np.empty(groups, np.int64),
        np.empty(groups, np.int64),
        np.empty((groups, table.n_classes), np.float64),
        np.zeros(widest, np.int64),
        np.empty(table.n_classes, np.float64),
        np.empty(table.n_classes, np.float64),
        np.empty(len(table.twin), np.int32),
        np.empty(len(table.twin), np.int32),
        np.empty((len(table.twin), n_rows), np.uint8),
        np.empty(COUNTED_AT_ONCE, np.int64),
        np.empty((COUNTED_AT_ONCE, 2 * MOST_BINS), np.int64),
        np.empty(4 * MOST_BINS, np.int64),
        np.empty(2 * MOST_BINS),
        np.empty(2 * MOST_BINS),
        np.empty(2 * MOST_BINS + 1, np.int64),
        np.empty(2 * MOST_BINS, np.bool_),
        np.empty(2 * MOST_BINS, np.bool_),
        np.zeros(MOST_BINS, np.bool_),
        np.zeros(1, np.int64),
        np.zeros(1),
        np.empty(len(table.twin)),
        np.empty((2, 2 * MOST_BINS + 1)),
        np.empty(RANKED, np.int32),
        np.zeros(1, np.int64),
    )
