"""What flows between the steps of a pipeline while it is refitted from sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import NotSupportedError
from core.typing import Floats
from core.unlearning.preprocessing.atoms import AtomTable, CategoryColumn, NumericColumn, NumericColumns, Sums

CANCELLED = 1e-5
"""A variance below this share of the sums it is the difference of is taken from the rows instead."""


@dataclass(frozen=True, eq=False)
class Raw:
    """Raw columns that no step has touched."""

    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numeric columns that may hold missing values: value = scale * atom + shift where present."""

    columns: NumericColumns
    scale: Floats
    shift: Floats


@dataclass(frozen=True, eq=False)
class Categories:
    """Columns of categories; `fill` is the category that stands for a missing value, or None."""

    columns: Sequence[CategoryColumn]
    fill: tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Linear:
    """Complete features: ``coef @ atoms + const``.

    Atoms of one feature are never nonzero in the same row.

    Parameters
    ----------
    coef : ndarray, shape (n_features, n_atoms)
        Coefficients of the atoms, the constant one left out (it stays 0).
    const : ndarray, shape (n_features,)
        The constant part.
    """

    coef: Floats
    const: Floats


Block = Raw | Numbers | Categories | Linear


def as_numbers(block: Block, atoms: AtomTable) -> Numbers | Linear:
    """Return raw columns as numbers; numbers and features as they are."""
    if isinstance(block, Raw):
        columns = atoms.numbers(block.names)
        return Numbers(columns, columns.spread, columns.center)
    if isinstance(block, Categories):
        raise NotSupportedError("categories reach a step that needs numbers")
    return block


def as_linear(block: Block, atoms: AtomTable) -> Linear:
    """Return numbers without missing values as features."""
    block = as_numbers(block, atoms)
    if isinstance(block, Linear):
        return block
    if len(block.columns.missing):
        raise NotSupportedError("missing values reach the model without imputation")
    return filled(block, block.shift, atoms)


def filled(block: Numbers, statistics: Floats, atoms: AtomTable) -> Linear:
    """Return numbers as features, with `statistics` in place of missing values."""
    columns = block.columns
    coef = np.zeros((len(block.scale), atoms.train.shape[1]))
    coef[np.arange(len(block.scale)), columns.observed] = block.scale
    gaps = columns.with_missing
    coef[gaps, columns.missing] = statistics[gaps] - block.shift[gaps]
    return Linear(coef, block.shift)


def stack(parts: Sequence[Linear]) -> Linear:
    """Return several blocks side by side."""
    if len(parts) == 1:
        return parts[0]
    return Linear(np.concatenate([part.coef for part in parts]), np.concatenate([part.const for part in parts]))


def present(block: Numbers, sums: Sums) -> Floats:
    """Return the number of retained rows where each column has a value."""
    count = np.full(len(block.scale), float(sums.n))
    count[block.columns.with_missing] -= sums.first[block.columns.missing]
    return count


def moments(block: Numbers | Linear, sums: Sums, atoms: AtomTable) -> tuple[Floats, Floats]:
    """Return mean and variance of every column or feature over the retained rows.

    Over those where it has a value.
    """
    if isinstance(block, Numbers):
        return _number_moments(block, sums, atoms)
    first = block.coef @ sums.first / sums.n
    squared = block.coef * block.coef
    variance = squared @ sums.second / sums.n - first * first
    numeric = squared[:, atoms.observed].sum(axis=1)
    for index in np.flatnonzero((numeric > 0.0) & _cancelled(variance, numeric * len(sums.retained) / sums.n, first)):
        values = atoms.train[sums.retained] @ block.coef[index]
        first[index], variance[index] = _two_passes(values, float(block.const[index]))
    return first + block.const, np.maximum(variance, 0.0)


def _number_moments(block: Numbers, sums: Sums, atoms: AtomTable) -> tuple[Floats, Floats]:
    columns = block.columns
    count = present(block, sums)
    if (count <= 0).any():
        raise NotSupportedError("a column has no values left")
    mean = sums.first[columns.observed] / count
    variance = sums.second[columns.observed] / count - mean * mean
    for index in np.flatnonzero(_cancelled(variance, len(sums.retained) / count, mean)):
        given = sums.retained & ~np.isnan(columns.columns[index].values)
        offset = float(columns.center[index] / columns.spread[index])
        mean[index], variance[index] = _two_passes(atoms.train[given, columns.observed[index]], offset)
    return block.scale * mean + block.shift, block.scale**2 * np.maximum(variance, 0.0)


def _cancelled(variance: Floats, summed: Floats, mean: Floats) -> npt.NDArray[np.bool_]:
    """Return which variances are a difference of sums so much larger that digits are lost.

    `summed` is the mean square before any removal.
    """
    return variance < CANCELLED * (summed + mean * mean)


def _two_passes(values: Floats, offset: float) -> tuple[float, float]:
    """Return mean and variance, 0 where it is no more than rounding.

    That is of values that stand for `values` + `offset`.
    """
    mean = float(values.mean())
    variance = float(np.mean((values - mean) ** 2))
    rounding = len(values) * float(np.finfo(np.float64).eps) * max(abs(mean), abs(offset))
    return mean, variance if variance > rounding**2 else 0.0


def extremes(block: Numbers | Linear, sums: Sums, atoms: AtomTable) -> tuple[Floats, Floats]:
    """Return the smallest and largest value of every column or feature.

    Over the retained rows where it has a value.
    """
    if isinstance(block, Numbers):
        ends = np.array(
            [
                _observed_ends(column, scale, sums)
                for column, scale in zip(block.columns.columns, block.scale, strict=True)
            ]
        )
        return ends[:, 0] + block.shift, ends[:, 1] + block.shift
    by_atom = {column.observed: column for column in atoms.numeric.values()}
    ends = np.array([_feature_ends(row, sums, by_atom) for row in block.coef])
    return ends[:, 0] + block.const, ends[:, 1] + block.const


def _observed_ends(column: NumericColumn, scale: float, sums: Sums) -> tuple[float, float]:
    low, high = ((value - column.center) / column.spread * scale for value in column.extremes(sums.retained))
    return min(low, high), max(low, high)


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
