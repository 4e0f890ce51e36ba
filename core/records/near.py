"""Near duplicates: distinct records that differ in one column or in close numbers.

Two numbers are close where they differ by at most `RELATIVE` of themselves and by at most `ABSOLUTE` standard deviations. Where leaving a column out
gives more than `COMMON` of the records a twin, that column is what tells records apart, and differing in it says nothing; likewise for close
numbers. Both are then left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from core.records.alike import Coded, firsts, joined, numbered, partners, shared
from core.records.measured_columns import holds_numbers
from core.typing import Floats, Positions

RELATIVE, ABSOLUTE = 0.01, 0.05
"""Close numbers differ by at most this share of the smaller one, and this share of the column's standard deviation."""
COMMON = 0.1
"""Share of the records with a twin from which on a likeness is common and not pointed out."""


@dataclass(frozen=True, eq=False)
class Twins:
    """Records with their near duplicates.

    Parameters
    ----------
    rows, others : ndarray of int
        Positions in the table: a record, and the one it is much like.
    differs : list of str
        The columns in which they differ.
    common : tuple of str
        Columns that alone tell records apart, so that differing in one of them was not looked at.
    coarse : bool
        Whether close numbers were too common to be looked at.
    """

    rows: Positions
    others: Positions
    differs: list[str]
    common: tuple[str, ...]
    coarse: bool


def near_duplicates(table: pd.DataFrame, coded: Coded) -> Twins:
    """Find distinct rows of a table that are much alike.

    Parameters
    ----------
    table : DataFrame
    coded : Coded
        Its columns that are compared.
    """
    keys = coded.keys()
    distinct = np.unique(firsts(keys))
    only = Coded(coded.names, [codes[distinct] for codes in coded.codes], ())
    other, common = _but_one(only)
    close = _close_numbers(table.iloc[distinct], only)
    few = np.count_nonzero(close >= 0) <= COMMON * len(distinct)
    if few:
        other = np.where(other < 0, close, other)
    rows = np.flatnonzero(other >= 0)
    differs = [
        ", ".join(name for name, codes in zip(only.names, only.codes, strict=True) if codes[row] != codes[other[row]])
        for row in rows
    ]
    return Twins(distinct[rows], distinct[other[rows]], differs, common, not few)


def _but_one(coded: Coded) -> tuple[Positions, tuple[str, ...]]:
    """Return for every row one that differs from it in a single column, or -1.

    And the columns that alone tell records apart.
    """
    n = len(coded.codes[0])
    other, common = np.full(n, -1, dtype=np.intp), []
    for name, keys in coded.keys_but_one():
        twin = shared(keys)
        if twin.sum() > COMMON * n:
            common.append(name)
            continue
        free = twin & (other < 0)
        other[free] = partners(keys)[free]
    return other, tuple(common)


def _close_numbers(table: pd.DataFrame, coded: Coded) -> Positions:
    """Return for every row one with the same texts and gaps, and close numbers, or -1."""
    n = len(table)
    numeric = [name for name in coded.names if holds_numbers(table[name])]
    none = np.full(n, -1, dtype=np.intp)
    if not numeric:
        return none
    numbers = [table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numeric]
    signs = [numbered(pd.Series(np.sign(one))) for one in numbers]
    texts = [codes for name, codes in zip(coded.names, coded.codes, strict=True) if name not in numeric]
    block = 3.0 * joined([*texts, *signs], n)
    points = np.column_stack([block, *(part for one in numbers for part in _places(one))])
    found = cKDTree(points).query(points, k=2, p=np.inf, distance_upper_bound=1.0 + 1e-9)[1]
    nearest = np.where(found == np.arange(n)[:, None], n, found).min(axis=1)
    return np.where(nearest < n, nearest, none).astype(np.intp)


def _places(numbers: Floats) -> tuple[Floats, Floats]:
    """Return a column twice, on scales where close numbers are at most 1 apart.

    A missing number, an infinite one and 0 stand alike: those of one sign are compared, and their signs are told apart.
    """
    known = np.isfinite(numbers) & (numbers != 0.0)
    if not known.any():
        return np.zeros(len(numbers)), np.zeros(len(numbers))
    size = np.log(np.abs(numbers, out=np.ones(len(numbers)), where=known))
    largest = np.abs(numbers[known]).max()
    part = np.where(known, numbers, 0.0) / largest
    spread = ABSOLUTE * np.nanstd(np.where(np.isfinite(numbers), numbers / largest, np.nan))
    return size / np.log1p(RELATIVE), part / spread if spread > 0.0 else part
