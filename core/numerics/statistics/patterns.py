"""Sums over the rows that conjunctions of conditions describe, and over what one more condition would leave of each.

Columns are given as bins, and a condition is a run of consecutive bins of one column. One pass over the rows of a conjunction
fills a histogram over the bins of all later columns; the sums of every longer conjunction are differences of its running totals.
"""

from __future__ import annotations

import numpy as np

from core.numerics.kernel import compiled
from core.typing import Floats, Ints


@compiled
def bin_sums(
    parents: Ints, columns: Ints, starts: Ints, stops: Ints, order: Ints, firsts: Ints, bins: Ints, values: Floats
) -> Floats:
    """Return, for every conjunction, the sums of `values` over its rows by the bins of the columns after its last.

    Parameters
    ----------
    parents : ndarray of int32, shape (n_parents, length)
        Conditions of every conjunction, by ascending column; length 0 is all rows.
    columns, starts, stops : ndarray of int32, shape (n_conditions,)
        Column of every condition, and the bins from `starts` to before `stops` that it takes, counted over all columns.
    order : ndarray of int32, shape (n_columns, n_rows)
        Rows by their bin, for every column.
    firsts : ndarray of int32, shape (n_columns, n_bins + 1)
        Where in `order` the rows of every bin start.
    bins : ndarray of int32, shape (n_rows, n_columns)
        The bin of every row, counted over all columns.
    values : ndarray, shape (n_rows, n_sums)

    Returns
    -------
    ndarray, shape (n_parents, n_bins, n_sums)
    """
    n_parents, length = parents.shape
    n_rows, n_columns = bins.shape
    n_sums = values.shape[1]
    found = np.zeros((n_parents, firsts.shape[1] - 1, n_sums))
    for parent in range(n_parents):
        best, low, high = -1, 0, n_rows
        for place in range(length):
            one = parents[parent, place]
            first, last = firsts[columns[one], starts[one]], firsts[columns[one], stops[one]]
            if last - first < high - low or best < 0:
                best, low, high = place, first, last
        after = columns[parents[parent, length - 1]] + 1 if length else 0
        for step in range(low, high):
            row = order[columns[parents[parent, best]], step] if length else step
            inside = True
            for place in range(length):
                one = parents[parent, place]
                at = bins[row, columns[one]]
                if at < starts[one] or at >= stops[one]:
                    inside = False
                    break
            if not inside:
                continue
            for column in range(after, n_columns):
                target = found[parent, bins[row, column]]
                for which in range(n_sums):
                    target[which] += values[row, which]
    return found
