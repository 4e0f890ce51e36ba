"""Columns that splits are made on, missing values included.

A missing value is ranked above all others, so that a split sends it to the right, even on its own (threshold infinity). A feature
with missing values has a second column, its twin, in which they are ranked below all others and go to the left. scikit-learn
tries the first way, then the second, and keeps the first of equal gains: trying a feature and then its twin comes to the same, as
a twin's split of missing values from all others gains what the feature's own one does.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from core.numerics.kernel import kernel
from core.numerics.trees.arrays import LOW_HALF, Table
from core.typing import Array

FEW = 16
"""Rows fewer than one in so many are read from the table that holds each row's values side by side."""


@njit(inline="always")
def codes_for(table: Table, n: int) -> Array:
    """Return the codes in the layout that suits reading `n` rows, shape (n_columns, n_rows)."""
    return table.codes_by_row if n * FEW < table.codes.shape[1] else table.codes


@njit(inline="always")
def bins_for(table: Table, n: int) -> Array:
    """Return the bins in the layout that suits reading `n` rows, shape (n_columns, n_rows)."""
    return table.bins_by_row if n * FEW < table.bins.shape[1] else table.bins


@kernel
def code_below(table: Table, column: int, threshold: float) -> int:
    """Return the code of a column's largest value up to `threshold`, -1 where there is none."""
    first, low, high = table.first[column], 0, table.first[column + 1] - table.first[column]
    if column < len(table.twin) and table.twin[column] >= 0:
        high -= 1
    while low < high:
        middle = (low + high) // 2
        if table.values[first + middle] <= threshold:
            low = middle + 1
        else:
            high = middle
    return low - 1


@kernel
def midpoint(table: Table, column: int, below: int, above: int) -> float:
    """Return the threshold between two codes of a column."""
    first = table.first[column]
    return np.float64(table.values[first + below]) / 2.0 + np.float64(table.values[first + above]) / 2.0


@kernel
def has_missing(table: Table, f: int, rows: Array) -> bool:
    """Return whether any of the rows misses a feature.

    Rows may have their labels in the upper half.
    """
    if table.twin[f] < 0:
        return False
    missing = table.first[f + 1] - table.first[f] - 1
    codes = codes_for(table, len(rows))[f]
    for i in range(len(rows)):  # noqa: SIM110
        if codes[rows[i] & LOW_HALF] == missing:
            return True
    return False


@kernel
def column_of(table: Table, f: int, missing_left: bool) -> int:
    """Return the column that a stored split on a feature is made on."""
    return int(table.twin[f]) if missing_left and table.twin[f] >= 0 else f
