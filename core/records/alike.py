"""Rows that are alike: keys that equal rows share, with all columns or all but one.

A column's values are numbered by what they are, a missing one like any other, and the numbers of several columns are numbered again: O(n) for
each column, and no two different rows share a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.typing import Bools, Positions


@dataclass(frozen=True, eq=False)
class Coded:
    """Columns of one or two tables with their values numbered.

    Parameters
    ----------
    names : tuple of str
        Columns that could be compared.
    codes : list of ndarray of int
        The number of every row's value, by column.
    left_out : tuple of str
        Columns whose values cannot be compared, such as lists.
    """

    names: tuple[str, ...]
    codes: list[Positions]
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], *tables: pd.DataFrame) -> Coded:
        """Give numbers to the values of some columns of one table, or of several below one another."""
        kept, codes, left_out = [], [], []
        for name in names:
            values = pd.concat([table[name] for table in tables], ignore_index=True)
            try:
                codes.append(numbered(values))
                kept.append(name)
            except TypeError:
                left_out.append(name)
        return cls(tuple(kept), codes, tuple(left_out))

    def keys(self) -> Positions:
        """Return the key of every row over all columns."""
        return joined(self.codes, len(self.codes[0]))

    def keys_but_one(self) -> Iterator[tuple[str, Positions]]:
        """Yield each column with the keys of all rows over the other columns."""
        n = len(self.codes[0])
        later = [np.zeros(n, dtype=np.intp)]
        for codes in reversed(self.codes[1:]):
            later.append(joined([later[-1], codes], n))
        before = np.zeros(n, dtype=np.intp)
        for name, codes, after in zip(self.names, self.codes, reversed(later), strict=True):
            yield name, joined([before, after], n)
            before = joined([before, codes], n)


def numbered(values: pd.Series[Any]) -> Positions:
    """Return the same number for the same value, a missing one included.

    Examples
    --------
    >>> numbered(pd.Series([2.5, None, 1.0, 2.5])).tolist()
    [0, 2, 1, 0]
    """
    codes, kinds = pd.factorize(values)
    return np.where(codes < 0, len(kinds), codes).astype(np.intp)


def joined(parts: Sequence[Positions], n_rows: int) -> Positions:
    """Return one number for every combination of several, from 0 up in order of appearance."""
    key = np.zeros(n_rows, dtype=np.intp)
    for part in parts:
        key = pd.factorize(key * (int(part.max(initial=0)) + 1) + part)[0].astype(np.intp)
    return key


def shared(keys: Positions) -> Bools:
    """Return which rows have a key that another row has, too."""
    return np.asarray(np.bincount(keys)[keys] > 1)


def firsts(keys: Positions) -> Positions:
    """Return for every row where its key appears first."""
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return np.asarray(first[place])


def partners(keys: Positions) -> Positions:
    """Return for every row another one of its key, or the row itself.

    The first with the key; for the first, the second.
    """
    order = np.argsort(keys, kind="stable")
    found, first = np.arange(len(keys)), firsts(keys)
    found[first != found] = first[first != found]
    begins = np.flatnonzero(np.diff(keys[order], prepend=-1) != 0)
    several = begins[np.bincount(keys)[keys[order[begins]]] > 1]
    found[order[several]] = order[several + 1]
    return found
