"""The coded table where columns get other values in the same order.

But for a few rows that rounding ranks otherwise.

A scale that is fitted again keeps the order of values, but single precision may round two that were equal apart, or the other way
round, and so it is with values so close that scikit-learn takes them as one. Rows of such values waver: they get codes by their new
values, where need be between those that there are. All others keep their bins, and their codes but for those put in between.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.families.forest.coding import Column, linked_to_next, put_together, side_by_side, taken
from core.numerics.trees.arrays import LINK, Table
from core.typing import Bools, Ints, Positions, Singles

MOST_STEPS = 64
"""Values that are taken as one in longer chains are not looked through."""
ONE_IN = 500
"""Where more than one row in so many wavers, they are not told apart from the others."""


class Revalued(NamedTuple):
    """A table with other values.

    Parameters
    ----------
    table : Table
    wavering : ndarray of int32
        Rows that may be ranked otherwise than before.
    shifts : ndarray of int32, shape (n_distinct,) or None
        By how much every code that there was has risen; None where none has.
    first : ndarray of int64, shape (n_columns + 1,)
        Where each column's start.
    """

    table: Table
    wavering: Ints
    shifts: Ints | None
    first: Positions


def revalued(table: Table, changed: Positions, values: Singles, known: Bools) -> Revalued | None:
    """Return the table with other values in some columns; None where their order does not stay.

    O(d n).

    Parameters
    ----------
    table : Table
    changed : ndarray of int
        Features that get other values.
    values : ndarray of float32, shape (n_known, n_changed)
        What these are in the rows that are known; the others are never asked for again.
    known : ndarray of bool, shape (n_rows,)
    """
    filled = np.empty((len(changed), len(known)), dtype=np.float32)
    filled[:, known] = np.where(np.isnan(values), np.float32(np.inf), values).T
    wavers = _wavering(table, changed, filled, known)
    if wavers is None:
        return None
    wavering = np.flatnonzero(wavers.any(axis=0)).astype(np.int32)
    columns = [taken(table, column) for column in range(len(table.codes))]
    shifts, chained = np.zeros(len(table.values), dtype=np.int32), table.chained.copy()
    for f, now, rows in zip(changed.tolist(), filled, wavers, strict=True):
        for column in (f, int(table.twin[f])) if table.twin[f] >= 0 else (f,):
            first, last = table.first[column : column + 2]
            if column != f:
                now = np.where(np.isinf(now), -now, now)
            made = _with_values(columns[column], now, known, rows, shifts[first:last], chained)
            if made is None:
                return None
            columns[column] = made
    if not len(wavering):
        return Revalued(
            table._replace(values=np.concatenate([column.values for column in columns])), wavering, None, table.first
        )
    n_features = len(table.twin)
    other = side_by_side(columns, n_features, table.owner[n_features:], chained, table.n_classes)
    return Revalued(other, wavering, shifts if shifts.any() else None, table.first)


def _wavering(table: Table, changed: Positions, filled: Singles, known: Bools) -> Bools | None:
    """Return for every changed feature which of the rows waver, None where these are not few."""
    wavers = np.zeros(filled.shape, dtype=bool)
    for f, now, rows in zip(changed.tolist(), filled, wavers, strict=True):
        found = _wavering_on(table, f, now, known)
        if found is None:
            return None
        rows[found] = True
    few = np.count_nonzero(wavers.any(axis=0)) * ONE_IN <= np.count_nonzero(known)
    return wavers if few else None


def _wavering_on(table: Table, f: int, now: Singles, known: Bools) -> Positions | None:
    """Return the known rows without which a feature's values `now` rank as they did.

    None where these are not few.
    """
    order = table.order[f]
    order = order[known[order]]
    codes, ranked = table.codes[f, order], now[order]
    if (ranked[1:] < ranked[:-1]).any():
        order = order[np.lexsort((ranked, codes))]
        ranked = now[order]
    starts = np.flatnonzero(np.append(True, (codes[1:] != codes[:-1]) | (ranked[1:] != ranked[:-1])))
    was, now = table.values[table.first[f] + codes[starts]], ranked[starts]
    if (now[1:] < now[:-1]).any() or not np.array_equal(np.isinf(was), np.isinf(now)):
        return None
    sizes = np.diff(starts, append=len(order))
    dropped = _unlike(was, now, sizes)
    return None if dropped is None else order[np.repeat(dropped, sizes)]


def _unlike(one: Singles, other: Singles, sizes: Positions) -> Bools | None:
    """Return which of two columns' ascending values to drop for the rest to be alike.

    Of the rest, the same are equal and the same are taken as one.

    Of two, that with fewer rows goes, as `sizes` says. None where they are not few.
    """
    dropped = np.zeros(len(one), dtype=bool)
    for step in range(1, MOST_STEPS):
        was, now = _closeness(one, step), _closeness(other, step)
        pairs = np.flatnonzero(was != now)
        if len(pairs) * ONE_IN > sizes.sum():
            return None
        for low in pairs.tolist():
            high = low + step
            if not (dropped[low] or dropped[high]):
                dropped[low if sizes[low] < sizes[high] else high] = True
        if not (was.any() or now.any()):
            return dropped
    return None


def _closeness(values: Singles, step: int) -> npt.NDArray[np.intp]:
    """Return of values so many places apart whether they are equal or taken as one.

    2 for equal, 1 for taken as one, 0 for neither.
    """
    low, high = values[:-step], values[step:]
    closeness: npt.NDArray[np.intp] = np.add(high <= low + LINK, high == low, dtype=np.intp)
    return closeness


def _with_values(
    column: Column, now: Singles, known: Bools, wavers: Bools, shifts: Ints, chained: Bools
) -> Column | None:
    """Return a column with the values that known rows have now, `wavers` ranked by them.

    None where no bin could hold one of these.

    By how much codes rise is written to `shifts`, and rows that could split a chain of linked values are marked in `chained`.
    """
    settled = known & ~wavers
    place = np.full(len(column.values), -1, dtype=np.intp)
    place[column.codes[settled]] = np.flatnonzero(settled)
    present = np.flatnonzero(place >= 0)
    values = now[place[present]]
    if not wavers.any():
        return column._replace(values=_filled_up(present, values, column.values))
    added = np.setdiff1d(now[wavers], values)
    bin_of = np.searchsorted(column.edges[: column.n_bins], np.arange(len(column.values)), side="right") - 1
    between = _between(present, values, added, bin_of)
    if between is None:
        return None
    before, bins = between
    shifts[:] = np.searchsorted(before, np.arange(len(shifts)), side="right")
    bin_of = np.insert(bin_of, before, bins)
    present = np.append(present + shifts[present], before + np.arange(len(before)))
    values = np.append(values, added)
    ranks = np.argsort(present)
    present, values = present[ranks], values[ranks]
    codes = column.codes + shifts[column.codes]
    codes[wavers] = present[np.searchsorted(values, now[wavers])]
    chained |= known & np.isin(codes, present[_inside_chains(values)])
    return _column(codes, bin_of, _filled_up(present, values, np.insert(column.values, before, 0.0)))


def _between(
    present: Positions, values: Singles, added: Singles, bin_of: Positions
) -> tuple[Positions, Positions] | None:
    """Return before which code each of the values that are `added` goes, and its bin.

    Linked values share one, None where they cannot.
    """
    before, bins = [], []
    for gap in np.unique(np.searchsorted(values, added)).tolist():
        low, high = max(gap - 1, 0), min(gap, len(values) - 1)
        own = added[np.searchsorted(values, added) == gap]
        if gap == 0:
            n_low = 0
        elif gap == len(values) or bin_of[present[low]] == bin_of[present[high]]:
            n_low = len(own)
        else:
            chain = np.concatenate([values[low : low + 1], own, values[high : high + 1]])
            breaks = np.flatnonzero(chain[1:] > chain[:-1] + LINK)
            if not len(breaks):
                return None
            n_low = int(breaks[0])
        before += [present[low] + 1] * n_low + [present[high]] * (len(own) - n_low)
        bins += [bin_of[present[low]]] * n_low + [bin_of[present[high]]] * (len(own) - n_low)
    return np.array(before, dtype=np.intp), np.array(bins, dtype=np.intp)


def _filled_up(present: Positions, values: Singles, before: Singles) -> Singles:
    """Return the values of all codes from those of codes that are present.

    What is missing stays infinite, as it was `before`.

    A code that no row has takes the value below it, so that values ascend.
    """
    at = np.searchsorted(present, np.arange(len(before)), side="right") - 1
    return np.where(np.isinf(before), before, values[np.maximum(at, 0)])


def _inside_chains(values: Singles) -> Bools:
    """Return which of a column's ascending values are linked to those on both sides."""
    linked = linked_to_next(values)
    return linked & np.roll(linked, 1)


def _column(codes: npt.NDArray[Any], bin_of: Positions, values: Singles) -> Column:
    """Return the column of rows with these codes."""
    before = np.append(0, np.cumsum(np.bincount(codes, minlength=len(values))))
    return put_together(values, codes, bin_of, np.argsort(codes, kind="stable").astype(np.int32), before)
