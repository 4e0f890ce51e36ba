"""Atoms: functions of a row whose linear combinations are all preprocessed features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.errors import NotSupportedError
from core.typing import Bools, Floats, Positions

LARGEST = 1e100
MOST_BYTES = 4 * 2**30
SUMMED = 512
"""Rows added up in one running sum; longer sums lose digits."""


@dataclass(eq=False)
class NumericColumn:
    """A numeric raw column: value = center + spread * atom where present.

    Another atom is 1 where it is missing.
    """

    name: str
    observed: int
    missing: int | None
    center: float
    spread: float
    values: Floats
    _order: Positions | None = field(default=None, repr=False)

    def order(self) -> Positions:
        """Return the training rows where the value is present, by ascending value."""
        if self._order is None:
            rows = np.flatnonzero(~np.isnan(self.values))
            self._order = rows[np.argsort(self.values[rows], kind="stable")]
        return self._order

    def ranked(self, retained: Bools) -> Floats:
        """Return the present values of the retained rows, ascending."""
        order = self.order()
        return np.asarray(self.values[order[retained[order]]])

    def extremes(self, retained: Bools) -> tuple[float, float]:
        """Return the smallest and the largest present value of the retained rows."""
        order = self.order()
        return float(self._first(order, retained)), float(self._first(order[::-1], retained))

    def _first(self, order: Positions, retained: Bools) -> np.float64:
        for low in range(0, len(order), 256):
            kept = order[low : low + 256][retained[order[low : low + 256]]]
            if len(kept):
                return self.values[kept[0]]  # type: ignore[no-any-return]
        raise NotSupportedError(f"No retained record has a value in {self.name!r}")


@dataclass(frozen=True, eq=False)
class NumericColumns:
    """Several numeric columns side by side.

    Parameters
    ----------
    columns : tuple of NumericColumn
    observed : ndarray of int, shape (n_columns,)
        Their atoms.
    with_missing, missing : ndarray of int
        Which of them have missing values, and the atoms that say so.
    center, spread : ndarray, shape (n_columns,)
    """

    columns: tuple[NumericColumn, ...]
    observed: Positions
    with_missing: Positions
    missing: Positions
    center: Floats
    spread: Floats

    @classmethod
    def of(cls, columns: Sequence[NumericColumn]) -> NumericColumns:
        """Gather columns."""
        gaps = [index for index, column in enumerate(columns) if column.missing is not None]
        return cls(
            tuple(columns),
            np.array([column.observed for column in columns], dtype=np.intp),
            np.array(gaps, dtype=np.intp),
            np.array([columns[index].missing for index in gaps], dtype=np.intp),
            np.array([column.center for column in columns]),
            np.array([column.spread for column in columns]),
        )


@dataclass(eq=False)
class CategoryColumn:
    """A raw column of categories: one atom per category, and one for a missing value.

    They stand in the encoder's order.

    `refuses_unknown` says whether the encoder raises for a category that no training row has.
    """

    name: str
    categories: npt.NDArray[Any]
    atoms: Positions
    missing: int | None
    refuses_unknown: bool
    _indicators: dict[tuple[int | None, int], Floats] = field(default_factory=dict, repr=False)

    def indicators(self, fill: int | None, n_atoms: int) -> Floats:
        """Return one row per category over the atoms.

        A missing value is a category of its own unless `fill` stands for it.
        """
        if (fill, n_atoms) not in self._indicators:
            own = self.missing is not None and fill is None
            features = np.zeros((len(self.categories) + own, n_atoms))
            features[np.arange(len(self.categories)), self.atoms] = 1.0
            if self.missing is not None and fill is None:
                features[-1, self.missing] = 1.0
            elif self.missing is not None and fill is not None and fill >= 0:
                features[fill, self.missing] = 1.0
            features.flags.writeable = False
            self._indicators[fill, n_atoms] = features
        return self._indicators[fill, n_atoms]


@dataclass(eq=False)
class AtomTable:
    """The atoms of every training and test row; the last one is the constant 1."""

    train: Floats
    test: Floats
    numeric: dict[str, NumericColumn]
    categorical: dict[str, CategoryColumn]
    _numbers: dict[tuple[str, ...], NumericColumns] = field(default_factory=dict, repr=False)

    def numbers(self, names: tuple[str, ...]) -> NumericColumns:
        """Return numeric columns side by side."""
        if names not in self._numbers:
            self._numbers[names] = NumericColumns.of([self.numeric[name] for name in names])
        return self._numbers[names]

    @cached_property
    def indicators(self) -> Positions:
        """Indices of the atoms that indicate a category."""
        return np.concatenate([np.empty(0, dtype=np.intp), *(column.atoms for column in self.categorical.values())])

    @cached_property
    def observed(self) -> Positions:
        """Indices of the atoms that hold numbers."""
        return np.array([column.observed for column in self.numeric.values()], dtype=np.intp)

    @property
    def one(self) -> int:
        """Index of the constant atom."""
        return int(self.train.shape[1]) - 1


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the retained rows: their number, and of every atom and its square.

    Parameters
    ----------
    n : int
        Number of retained rows.
    first, second : ndarray, shape (n_atoms,)
        Sums of the atoms and of their squares.
    retained : ndarray of bool, shape (n_train,)
        The retained rows, for order statistics.
    """

    n: int
    first: Floats
    second: Floats
    retained: Bools

    @classmethod
    def of(cls, Z: Floats, retained: Bools) -> Sums:
        """Return the sums over the retained rows of `Z`."""
        rows = Z if retained.all() else Z[retained]
        blocks = [rows[low : low + SUMMED] for low in range(0, len(rows), SUMMED)]
        first = np.sum([block.sum(axis=0) for block in blocks], axis=0, dtype=np.longdouble)
        second = np.sum([np.einsum("ij,ij->j", block, block) for block in blocks], axis=0, dtype=np.longdouble)
        return cls(len(rows), np.asarray(first, np.float64), np.asarray(second, np.float64), retained)

    def without(self, rows: Floats, retained: Bools) -> Sums:
        """Return the sums after taking some rows out."""
        ones = np.ones(len(rows))
        return Sums(self.n - len(rows), self.first - ones @ rows, self.second - ones @ (rows * rows), retained)


class AtomCheck:
    """Check the requests that `AtomBuilder` takes, without writing atoms.

    Raises where a column cannot be used as asked.
    """

    def __init__(self, train: pd.DataFrame, test: pd.DataFrame) -> None:
        self._frames = (train, test)
        self._atoms = 1

    def number(self, name: str) -> None:
        """Check a numeric column."""
        for frame in self._frames:
            check_numeric(frame[name])
        self._add(2)

    def categories(self, name: str, categories: npt.NDArray[Any], *, refuses_unknown: bool) -> None:  # noqa: ARG002
        """Check a categorical column."""
        self._add(len(categories) + 1)

    def _add(self, count: int) -> None:
        self._atoms += count
        check_size(self._atoms, sum(map(len, self._frames)))


class AtomBuilder:
    """Collect the atoms that the steps of a pipeline ask for, then write them.

    They are written in one array per table.
    """

    def __init__(self, train: pd.DataFrame, test: pd.DataFrame) -> None:
        self._frames = (train, test)
        self._columns: list[tuple[Floats, Floats]] = []
        self.numeric: dict[str, NumericColumn] = {}
        self.categorical: dict[str, CategoryColumn] = {}

    def number(self, name: str) -> NumericColumn:
        """Return the numeric column `name`, adding its atoms the first time."""
        if name in self.numeric:
            return self.numeric[name]
        train, test = (self._as_numbers(frame[name]) for frame in self._frames)
        missing_train, missing_test = np.isnan(train), np.isnan(test)
        if missing_train.all():
            raise NotSupportedError(f"column {name!r} has no values")
        if np.isinf(train).any() or np.isinf(test).any():
            raise NotSupportedError(f"column {name!r} holds infinities")
        if max(np.nanmax(np.abs(train)), np.nanmax(np.abs(test), initial=0.0)) > LARGEST:
            raise NotSupportedError(f"column {name!r} holds values beyond {LARGEST:g}, too large for sums of squares")
        center, spread = float(np.nanmean(train)), float(np.nanstd(train)) or 1.0
        observed = self._add(
            *(
                np.where(gone, 0.0, (values - center) / spread)
                for values, gone in ((train, missing_train), (test, missing_test))
            )
        )
        missing = None
        if missing_train.any() or missing_test.any():
            missing = self._add(missing_train.astype(np.float64), missing_test.astype(np.float64))
        self.numeric[name] = NumericColumn(name, observed, missing, center, spread, train)
        return self.numeric[name]

    def categories(self, name: str, categories: npt.NDArray[Any], *, refuses_unknown: bool) -> CategoryColumn:
        """Return the categorical column `name` with the encoder's categories.

        Its atoms are added the first time.
        """
        if name in self.categorical:
            return self.categorical[name]
        known = pd.Index(categories[~pd.isna(categories)])
        if not pd.api.types.is_numeric_dtype(known):
            known = known.astype(object)
        elif any(not isinstance(frame[name].dtype, np.dtype) for frame in self._frames):
            known = known.astype(np.float64)
        codes = []
        for frame in self._frames:
            column = frame[name]
            found = known.get_indexer(_alike(column, known))
            found[column.isna().to_numpy()] = len(known)
            codes.append(found)
        atoms = [self._add(*((found == code).astype(np.float64) for found in codes)) for code in range(len(known))]
        missing = None
        if any((found == len(known)).any() for found in codes):
            missing = self._add(*((found == len(known)).astype(np.float64) for found in codes))
        self.categorical[name] = CategoryColumn(
            name, known.to_numpy(), np.array(atoms, dtype=np.intp), missing, refuses_unknown
        )
        return self.categorical[name]

    def build(self) -> AtomTable:
        """Write all atoms, the constant last."""
        tables = []
        for side, frame in enumerate(self._frames):
            Z = np.ones((len(frame), len(self._columns) + 1))
            for index, columns in enumerate(self._columns):
                Z[:, index] = columns[side]
            Z.flags.writeable = False
            tables.append(Z)
        self._columns = []
        return AtomTable(tables[0], tables[1], self.numeric, self.categorical)

    def _add(self, train: Floats, test: Floats) -> int:
        self._columns.append((train, test))
        check_size(len(self._columns), len(train) + len(test))
        return len(self._columns) - 1

    @staticmethod
    def _as_numbers(column: pd.Series[Any]) -> Floats:
        check_numeric(column)
        return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _alike(column: pd.Series[Any], known: pd.Index[Any]) -> Any:
    """Return a column's values as the encoder's categories are held.

    scikit-learn reads pandas' nullable columns as floats once a value is missing.
    """
    if known.dtype == object:
        return pd.Index(column.astype(object))
    if isinstance(column.dtype, np.dtype):
        return pd.Index(column)
    return pd.Index(column.to_numpy(dtype=np.float64, na_value=np.nan))


def check_numeric(column: pd.Series[Any]) -> None:
    """Raise unless a column holds numbers or truth values."""
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise NotSupportedError(f"column {column.name!r} is used as numbers but holds text")


def check_size(atoms: int, rows: int) -> None:
    """Raise if the atoms of all rows would not fit in memory."""
    if 8 * atoms * rows > MOST_BYTES:
        raise NotSupportedError(f"{atoms:,} preprocessed columns of {rows:,} rows are too many to hold in memory")
