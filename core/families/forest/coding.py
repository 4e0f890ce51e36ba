"""The training table coded by rank, column by column.

Where some columns get other values, the others stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.numerics.trees.arrays import LINK, MOST_BINS, Table
from core.typing import Array, Bools, Ints, Positions, Singles
from core.unlearning.code_types import code_type

EDGES = np.arange(2 * MOST_BINS + 1)


class Column(NamedTuple):
    """One column of a `Table`; the fields are as there."""

    values: Array
    codes: Array
    bins: Array
    edges: Array
    n_bins: int
    linked: int
    order: Array
    starts: Array


def code_table(X: Singles, n_classes: int) -> Table:
    """Return the table coded by rank, O(d n log n).

    A feature with missing values has a second column.
    """
    rows, chained = np.arange(len(X), dtype=np.int32), np.zeros(len(X), dtype=bool)
    incomplete = np.flatnonzero(np.isnan(X).any(axis=0))
    columns = [_coded(X[:, f], np.inf, rows, chained) for f in range(X.shape[1])]
    columns += [_coded(X[:, f], -np.inf, rows, chained) for f in incomplete]
    return side_by_side(columns, X.shape[1], incomplete, chained, n_classes)


def recoded(table: Table, columns: Positions, changed: Positions, values: Singles, known: Bools) -> Table:
    """Return the table with fewer features, or with other values in some.

    O(d n), and a sort where they change their order.

    Parameters
    ----------
    table : Table
    columns : ndarray of int, shape (n_features,)
        Which feature each was before.
    changed : ndarray of int
        Those, numbered as they are now, that get other values.
    values : ndarray of float32, shape (n_known, n_changed)
        What these are in the rows that are known; what the others hold there is never asked for again.
    known : ndarray of bool, shape (n_rows,)
    """
    rows, chained = np.flatnonzero(known).astype(np.int32), table.chained.copy()
    place, features, twins, incomplete = dict(zip(changed.tolist(), values.T, strict=True)), [], [], []
    for f, before in enumerate(columns):
        twin = int(table.twin[before])
        if f not in place:
            features.append(taken(table, before))
            twins += [taken(table, twin)] if twin >= 0 else []
            incomplete += [f] if twin >= 0 else []
            continue
        order = table.order[before]
        features.append(_coded(place[f], np.inf, rows, chained, order[known[order]]))
        if np.isnan(place[f]).any():
            twins.append(_coded(place[f], -np.inf, rows, chained))
            incomplete.append(f)
    return side_by_side(features + twins, len(columns), np.array(incomplete, dtype=np.intp), chained, table.n_classes)


def taken(table: Table, column: int) -> Column:
    """Return one column of a table."""
    first, last = table.first[column : column + 2]
    return Column(
        table.values[first:last],
        table.codes[column],
        table.bins[column],
        table.edges[column],
        int(table.n_bins[column]),
        int(table.linked[column]),
        table.order[column],
        table.starts[column],
    )


def _coded(column: Singles, missing: float, rows: Ints, chained: Bools, order: Ints | None = None) -> Column:
    """Code the values that some rows have in a column, `missing` standing for what is missing.

    Other rows get the lowest code.

    Rows that could split a chain of linked values are marked in `chained`. An `order` of the rows is tried before they are sorted.
    """
    n_rows, filled = len(chained), np.empty(len(chained), dtype=np.float32)
    filled[rows] = np.where(np.isnan(column), np.float32(missing), column)
    if order is None or not _ascending(filled[order]):
        order = rows[np.argsort(filled[rows], kind="stable")]
    ranked = filled[order]
    starts_value = np.append(True, ranked[1:] != ranked[:-1])
    values, ends = ranked[starts_value], np.append(np.flatnonzero(starts_value)[1:], len(rows))
    codes = np.zeros(n_rows, dtype=np.int32)
    codes[order] = np.cumsum(starts_value) - 1
    linked = linked_to_next(values)
    chained |= (linked & np.roll(linked, 1))[codes]
    bin_of = _bins(np.diff(ends, prepend=0), linked)
    known = np.zeros(n_rows, dtype=bool)
    known[rows] = True
    before = np.append(0, ends + (n_rows - len(rows)))
    return put_together(values, codes, bin_of, np.concatenate([np.flatnonzero(~known).astype(np.int32), order]), before)


def linked_to_next(values: Singles) -> Bools:
    """Return which of a column's ascending values are taken as one with the next."""
    return np.append(values[1:] <= values[:-1] + LINK, False)


def put_together(values: Singles, codes: Array, bin_of: Positions, order: Ints, before: Positions) -> Column:
    """Return a column from its rows' codes, in whose `order` they stand.

    With each code's bin, and how many rows stand `before` each code and in all.
    """
    edges = np.searchsorted(bin_of, EDGES).astype(np.int32)
    return Column(
        values,
        codes,
        bin_of.astype(np.uint8)[codes],
        edges,
        int(bin_of[-1]) + 1,
        int(np.diff(np.flatnonzero(np.append(True, ~linked_to_next(values)))).max()) - 1,
        order,
        before[edges].astype(np.int32),
    )


def _ascending(values: Singles) -> bool:
    return bool((values[1:] >= values[:-1]).all())


def _bins(counts: Positions, linked: Bools) -> Positions:
    """Return each code's bin, about as many rows in each; linked values share one."""
    few = len(counts) <= MOST_BINS
    wanted = np.arange(len(counts)) if few else (np.cumsum(counts) - counts) * MOST_BINS // counts.sum()
    starts = np.append(True, ~linked[:-1] & (np.diff(wanted) > 0))
    return np.cumsum(starts) - 1


def side_by_side(
    columns: Sequence[Column], n_features: int, incomplete: Positions, chained: Bools, n_classes: int
) -> Table:
    """Return coded columns as a table.

    Those of all features, then the second ones of the `incomplete`.
    """
    sizes = [len(column.values) for column in columns]
    kind = code_type(max(sizes))
    n_rows, twin = len(chained), np.full(n_features, -1, dtype=np.int32)
    twin[incomplete] = n_features + np.arange(len(incomplete))
    codes, bins = _padded(len(columns), n_rows, kind), _padded(len(columns), n_rows, np.uint8)
    order = np.empty((len(columns), n_rows), dtype=np.int32)
    for f, column in enumerate(columns):
        codes[f], bins[f], order[f] = column.codes, column.bins, column.order
    codes_by_row, bins_by_row = _padded(n_rows, len(columns), kind), _padded(n_rows, len(columns), np.uint8)
    codes_by_row[:], bins_by_row[:] = codes.T, bins.T
    return Table(
        codes,
        np.concatenate([column.values for column in columns]).astype(np.float32),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        chained,
        n_classes,
        bins,
        np.stack([column.edges for column in columns]),
        np.array([column.n_bins for column in columns], dtype=np.int64),
        twin,
        np.concatenate([np.arange(n_features), incomplete]).astype(np.int32),
        np.array([column.linked for column in columns], dtype=np.int64),
        codes_by_row.T,
        bins_by_row.T,
        order,
        np.stack([column.starts for column in columns]),
    )


def _padded(rows: int, columns: int, kind: type) -> Array:
    """Return an uninitialised array whose rows start on cache lines.

    Never contiguous, so that kernels see one type.
    """
    if rows == 1:
        return np.empty((columns, 2), dtype=kind)[:, 0][None]
    line = 64 // np.dtype(kind).itemsize
    return np.empty((rows, (columns // line + 1) * line), dtype=kind)[:, :columns]
