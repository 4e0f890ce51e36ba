"""Means, variances and extremes of retained rows, from sums, with bounds on rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import NotSupportedError
from core.typing import Floats
from core.unlearning.preprocessing.atoms import AtomTable, NumericColumn, Sums
from core.unlearning.preprocessing.blocks import EPS, Linear, Numbers

CANCELLED = 1e-5
"""A variance below this share of the sums it is the difference of is taken from the rows instead."""
SUMMING = 64.0
"""Rounding of a sum in units of the last place of its absolute sum: of blocks of 512, and of thousands of removals by subtraction."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and variance of some columns.

    Parameters
    ----------
    base, near : ndarray, shape (n,)
        The mean in two parts, as the constants of the block have them.
    error : ndarray, shape (n,)
        Bound on the error of the near part, that of the constant left out: it moves values and mean alike.
    variance : ndarray, shape (n,)
    relative : ndarray, shape (n,)
        Bound on the relative error of the standard deviation.
    """

    base: Floats
    near: Floats
    error: Floats
    variance: Floats
    relative: Floats

    @property
    def mean(self) -> Floats:
        """The mean, rounded."""
        return self.base + self.near


@dataclass(frozen=True, eq=False)
class ValueRanges:
    """Smallest and largest value of some columns.

    Parameters
    ----------
    low, high : ndarray, shape (n,)
    near : ndarray, shape (n,)
        The near part of the smallest, its far part being the constant's.
    spread : ndarray, shape (n,)
        The largest less the smallest.
    relative : ndarray, shape (n,)
        Bound on the relative error of the spread.
    """

    low: Floats
    high: Floats
    near: Floats
    spread: Floats
    relative: Floats


def present(block: Numbers, sums: Sums) -> Floats:
    """Return the number of retained rows where each column has a value."""
    count = np.full(len(block), float(sums.n))
    count[block.columns.with_missing] -= sums.first[block.columns.missing]
    return count


def moments(block: Numbers | Linear, sums: Sums, atoms: AtomTable) -> Moments:
    """Return mean and variance of columns or features over rows that have a value."""
    if isinstance(block, Numbers):
        return _of_numbers(block, sums, atoms)
    near = block.coef @ sums.first / sums.n
    squared = block.coef * block.coef
    variance = squared @ sums.second / sums.n - near * near
    numeric = squared[:, atoms.observed].sum(axis=1)
    summed = numeric * len(sums.retained) / sums.n
    counted = np.maximum(squared @ sums.second / sums.n, summed)
    lost = (numeric > 0.0) & _cancelled(variance, summed, near)
    for index in np.flatnonzero(lost):
        values = atoms.train[sums.retained] @ block.coef[index]
        near[index], variance[index] = _two_passes(values, float(block.at.total[index]))
    error = SUMMING * EPS * np.sqrt(counted)
    return Moments(
        block.at.base,
        near + block.at.rest,
        error + EPS * np.abs(block.at.rest),
        np.maximum(variance, 0.0),
        _relative(variance, counted, near, lost),
    )


def _of_numbers(block: Numbers, sums: Sums, atoms: AtomTable) -> Moments:
    columns = block.columns
    count = present(block, sums)
    if (count <= 0).any():
        raise NotSupportedError("a column has no values left")
    mean = sums.first[columns.observed] / count
    variance = sums.second[columns.observed] / count - mean * mean
    summed = len(sums.retained) / count
    lost = _cancelled(variance, summed, mean)
    for index in np.flatnonzero(lost):
        given = sums.retained & ~np.isnan(columns.columns[index].values)
        offset = float(columns.center[index] / columns.spread[index])
        mean[index], variance[index] = _two_passes(atoms.train[given, columns.observed[index]], offset)
    size = np.abs(block.scale)
    return Moments(
        block.at.base,
        block.scale * mean + block.at.rest,
        size * SUMMING * EPS * np.sqrt(summed) + EPS * (size * np.abs(mean) + np.abs(block.at.rest)),
        block.scale**2 * np.maximum(variance, 0.0),
        _relative(variance, summed, mean, lost),
    )


def _cancelled(variance: Floats, summed: Floats, mean: Floats) -> npt.NDArray[np.bool_]:
    """Return which variances are differences of sums so large that digits are lost.

    `summed` is the mean square before any removal.
    """
    return np.asarray(variance < CANCELLED * (summed + mean * mean))


def _relative(variance: Floats, summed: Floats, mean: Floats, from_rows: npt.NDArray[np.bool_]) -> Floats:
    """Bound the relative error of standard deviations taken from sums, and from rows.

    Values of rows are rounded before their mean is taken off.
    """
    spread = np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny))
    of_sums = 0.5 * (summed + mean * mean) / spread**2
    return SUMMING * EPS * np.where(from_rows, 1.0 + np.abs(mean) / spread, of_sums + 1.0)


def _two_passes(values: Floats, offset: float) -> tuple[float, float]:
    """Return mean and variance, which is 0 where it is no more than rounding.

    The values stand for `values` + `offset`.
    """
    mean = float(values.mean())
    variance = float(np.mean((values - mean) ** 2))
    rounding = len(values) * EPS * max(abs(mean), abs(offset))
    return mean, variance if variance > rounding**2 else 0.0


def extremes(block: Numbers | Linear, sums: Sums, atoms: AtomTable) -> ValueRanges:
    """Return the extremes of columns or features over rows that have a value."""
    if isinstance(block, Numbers):
        return _ends_of_numbers(block, sums)
    by_atom = {column.observed: column for column in atoms.numeric.values()}
    ends = np.array([_feature_ends(row, sums, by_atom) for row in block.coef]) + block.at.rest[:, None]
    low, high = ends.T
    spread = high - low
    relative = 4.0 * EPS * (np.abs(low) + np.abs(high)) / np.maximum(spread, np.finfo(np.float64).tiny)
    return ValueRanges(block.at.base + low, block.at.base + high, low, spread, relative)


def _ends_of_numbers(block: Numbers, sums: Sums) -> ValueRanges:
    columns, at = block.columns, block.at
    given = np.array([column.extremes(sums.retained) for column in columns.columns])
    ends = (given - columns.center[:, None]) / columns.spread[:, None] * block.scale[:, None] + at.rest[:, None]
    low, high = ends.min(axis=1), ends.max(axis=1)
    spread = np.abs((given[:, 1] - given[:, 0]) / columns.spread * block.scale)
    return ValueRanges(
        np.where(block.untouched, given[:, 0], at.base + low),
        np.where(block.untouched, given[:, 1], at.base + high),
        low,
        spread,
        np.full(len(block), 4.0 * EPS),
    )


def _feature_ends(row: Floats, sums: Sums, by_atom: dict[int, NumericColumn]) -> tuple[float, float]:
    values: list[float] = []
    covered = 0.0
    for atom in np.flatnonzero(row):
        column = by_atom.get(int(atom))
        if column is not None:
            values.extend(_observed_ends(column, float(row[atom]), sums))
            covered += sums.n - (0.0 if column.missing is None else sums.first[column.missing])
        elif sums.first[atom] > 0.5:
            values.append(float(row[atom]))
            covered += sums.first[atom]
    if covered < sums.n - 0.5:
        values.append(0.0)
    return min(values), max(values)


def _observed_ends(column: NumericColumn, scale: float, sums: Sums) -> tuple[float, float]:
    low, high = ((value - column.center) / column.spread * scale for value in column.extremes(sums.retained))
    return min(low, high), max(low, high)
