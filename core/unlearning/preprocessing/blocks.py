"""Blocks of features that flow between a pipeline's steps while it is refitted from sums.

Columns may lie far from zero: timestamps, ids. Their constants are therefore kept in two parts, one far and exact, one near, so that
subtracting a mean leaves no digits behind; and with what rounding may have made of them, which a certificate has to allow for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import NotSupportedError
from core.typing import Floats
from core.unlearning.preprocessing.atoms import AtomTable, CategoryColumn, NumericColumns

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Raw:
    """Raw columns that no step has touched."""

    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Constants:
    """The constant part of some columns, and how far rounding may have put their values.

    Parameters
    ----------
    base, rest : ndarray, shape (n,)
        Its far part, which later steps take out again as it is, and the near one; their sum is the constant.
    relative : ndarray, shape (n,)
        Bound on the relative error of what the atoms are multiplied by.
    absolute : ndarray, shape (n,)
        Bound on the error of the constant, and of what stands for a missing value.
    """

    base: Floats
    rest: Floats
    relative: Floats
    absolute: Floats

    @classmethod
    def exactly(cls, base: Floats) -> Constants:
        """Return constants without error."""
        none = np.zeros(len(base))
        return cls(base, none, none, none)

    @property
    def total(self) -> Floats:
        """The constant itself, rounded."""
        return self.base + self.rest

    def __len__(self) -> int:
        return len(self.base)

    def take(self, where: Sequence[int]) -> Constants:
        """Select columns."""
        return Constants(*(part[where] for part in (self.base, self.rest, self.relative, self.absolute)))

    def less(self, near: Floats, error: Floats) -> Constants:
        """Subtract the far part, and a near one known to within an error.

        The error holds that of the constant.
        """
        rest = self.rest - near
        rounding = EPS * (np.abs(self.rest) + np.abs(near))
        return Constants(np.zeros(len(rest)), rest, self.relative, error + rounding)

    def times(self, factor: Floats, relative: Floats) -> Constants:
        """Multiply by a factor that is known to within a relative error."""
        error = relative + 2.0 * EPS
        size = np.abs(factor)
        absolute = size * (self.absolute + error * (np.abs(self.base) + np.abs(self.rest)))
        return Constants(self.base * factor, self.rest * factor, self.relative + error, absolute)

    def plus(self, number: float) -> Constants:
        """Add a number to all."""
        rest = self.rest + number
        return Constants(self.base, rest, self.relative, self.absolute + EPS * np.abs(rest))


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numeric columns that may have gaps: value = scale * atom + constant where present."""

    columns: NumericColumns
    scale: Floats
    at: Constants

    def __len__(self) -> int:
        return len(self.scale)

    @property
    def untouched(self) -> npt.NDArray[np.bool_]:
        """Which columns no step has changed."""
        same = (self.scale == self.columns.spread) & (self.at.base == self.columns.center)
        return np.asarray(same & (self.at.rest == 0.0))

    def moved(self, factor: Floats, at: Constants) -> Numbers:
        """Return the columns multiplied, with other constants."""
        return Numbers(self.columns, self.scale * factor, at)


@dataclass(frozen=True, eq=False)
class Categories:
    """Columns of categories; `fill` is the category that stands for a missing value, or None."""

    columns: Sequence[CategoryColumn]
    fill: tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Linear:
    """Complete features: ``coef @ atoms + constant``.

    Atoms of one feature are never nonzero in the same row.

    Parameters
    ----------
    coef : ndarray, shape (n_features, n_atoms)
        Coefficients of the atoms, the constant one left out (it stays 0).
    at : Constants
    """

    coef: Floats
    at: Constants

    def __len__(self) -> int:
        return len(self.coef)

    def moved(self, factor: Floats, at: Constants) -> Linear:
        """Return the features multiplied, with other constants."""
        return Linear(self.coef * factor[:, None], at)


Block = Raw | Numbers | Categories | Linear


def as_numbers(block: Block, atoms: AtomTable) -> Numbers | Linear:
    """Return raw columns as numbers; numbers and features as they are."""
    if isinstance(block, Raw):
        columns = atoms.numbers(block.names)
        return Numbers(columns, columns.spread, Constants.exactly(columns.center))
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
    return filled(block, block.at.rest, np.zeros(len(block)), atoms)


def filled(block: Numbers, near: Floats, error: Floats, atoms: AtomTable) -> Linear:
    """Return numbers as features; the constant's far part and `near` fill gaps.

    `error` is that of `near`.
    """
    columns, at = block.columns, block.at
    coef = np.zeros((len(block), atoms.train.shape[1]))
    coef[np.arange(len(block)), columns.observed] = block.scale
    gaps = columns.with_missing
    coef[gaps, columns.missing] = near[gaps] - at.rest[gaps]
    absolute = at.absolute.copy()
    absolute[gaps] += error[gaps] + EPS * (np.abs(near[gaps]) + np.abs(at.rest[gaps]))
    return Linear(coef, Constants(at.base, at.rest, at.relative, absolute))


def stack(parts: Sequence[Linear]) -> Linear:
    """Return several blocks side by side."""
    if len(parts) == 1:
        return parts[0]
    at = (
        np.concatenate([getattr(part.at, name) for part in parts]) for name in ("base", "rest", "relative", "absolute")
    )
    return Linear(np.concatenate([part.coef for part in parts]), Constants(*at))
