"""The groups of a sensitive feature.

Category values, bins of numbers, intersections, and a group for missing values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.roles import Roles
from core.errors import InputError, listed

MISSING = "(missing)"
MAX_GROUPS = 50
MAX_COMBINATIONS = 200_000
FEW_VALUES = 6
"""A numeric column with this many values or fewer is taken as categories."""


@dataclass(frozen=True)
class Groups:
    """Which group each row belongs to.

    Parameters
    ----------
    feature : str or tuple of str
        The sensitive feature; a tuple for an intersection.
    names : tuple of str
        Group names, in order of their codes.
    codes : ndarray of int32, shape (n_rows,)
        Index into `names` for every row.
    """

    feature: str | tuple[str, ...]
    names: tuple[str, ...]
    codes: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Grouping:
    """How one column's values become groups; the same for training and test rows.

    Parameters
    ----------
    feature : str
        The column.
    names : tuple of str
        Group names.
    edges : tuple of float or None
        Inner bin edges of a numeric column; None for categories.
    """

    feature: str
    names: tuple[str, ...]
    edges: tuple[float, ...] | None

    def apply(self, column: pd.Series[Any]) -> Groups:
        """Return the group of every value of `column`."""
        missing = column.isna().to_numpy()
        if self.edges is None:
            found = pd.Index(self.names).get_indexer(pd.Index(_texts(column)))
        else:
            values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            found = np.searchsorted(np.asarray(self.edges), values, side="right")
        codes: npt.NDArray[np.int32] = found.astype(np.int32)
        if missing.any():
            codes[missing] = self.names.index(MISSING)
        codes.flags.writeable = False
        return Groups(self.feature, self.names, codes)


def make_grouping(
    roles: Roles, feature: str, train: pd.Series[Any], test: pd.Series[Any], kind: str = "sensitive feature"
) -> Grouping:
    """Decide the groups of `feature` from its values in both tables.

    Parameters
    ----------
    roles : Roles
        Gives the bin edges where the user chose them.
    feature : str
        The column's name.
    train, test : Series
        The column in both tables.
    kind : str
        What errors call it.

    Returns
    -------
    Grouping

    Raises
    ------
    InputError
        If there is a single group, or more than 50.
    """
    both = pd.concat([train, test], ignore_index=True)
    edges = roles.edges(feature)
    numeric = pd.api.types.is_numeric_dtype(both) and not pd.api.types.is_bool_dtype(both)
    if edges is not None and not numeric:
        raise InputError(f"Bins need a numeric column. Got text in {feature!r}; leave its bins out.")
    if edges is None and numeric and both.nunique() > FEW_VALUES:
        edges = default_edges(train)
    names = _texts_in_order(both) if edges is None else _bin_names(both, edges)
    if both.isna().any() and MISSING not in names:
        names = (*names, MISSING)
    if len(names) < 2:
        only = names[0] if names else "nothing"
        raise InputError(
            f"A {kind} must have at least two groups. {feature!r} has only {only!r}; choose another column or finer bins."
        )
    if len(names) > MAX_GROUPS:
        raise InputError(
            f"A {kind} can have at most {MAX_GROUPS} groups. {feature!r} has {len(names)} values; "
            "merge them into fewer groups or choose another column."
        )
    return Grouping(feature, names, edges)


def default_edges(column: pd.Series[Any]) -> tuple[float, ...]:
    """Return the quartiles of a numeric column, as inner bin edges, each a value that occurs.

    Examples
    --------
    >>> default_edges(pd.Series(range(20, 60)))
    (30.0, 40.0, 50.0)
    """
    values = column.dropna().to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(
            f"A numeric sensitive feature must be finite. Got an infinity in {column.name!r}; replace it or leave the cell empty."
        )
    if values.size == 0:
        return ()
    quartiles = np.unique(np.quantile(values, [0.25, 0.5, 0.75], method="higher"))
    return tuple(float(edge) for edge in quartiles if edge > values.min())


def intersect(parts: Sequence[Groups]) -> Groups:
    """Return the intersection of several groupings of the same rows.

    Every combination keeps its code.

    Examples
    --------
    >>> sex = Groups("sex", ("f", "m"), np.array([0, 1], dtype=np.int32))
    >>> age = Groups("age", ("old", "young"), np.array([1, 1], dtype=np.int32))
    >>> both = intersect([sex, age])
    >>> both.names, both.codes.tolist()
    (('f, old', 'f, young', 'm, old', 'm, young'), [1, 3])
    """
    size = math.prod(len(part) for part in parts)
    if size > MAX_COMBINATIONS:
        raise InputError(
            f"An intersection can have at most {MAX_COMBINATIONS:,} combinations of groups. "
            f"{listed([part.feature for part in parts])} have {size:,}; name fewer features or choose wider bins."
        )
    names: tuple[str, ...] = ("",)
    codes = np.zeros(len(parts[0].codes), dtype=np.int32)
    for part in parts:
        names = tuple(f"{left}, {right}" if left else right for left in names for right in part.names)
        codes = (codes * len(part) + part.codes).astype(np.int32)
    codes.flags.writeable = False
    return Groups(tuple(str(part.feature) for part in parts), names, codes)


def _texts(column: pd.Series[Any]) -> list[str]:
    return [_text(value) for value in column]


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _texts_in_order(column: pd.Series[Any]) -> tuple[str, ...]:
    values = list(column.dropna().unique())
    try:
        values = sorted(values)
    except TypeError:
        values = sorted(values, key=str)
    return tuple(dict.fromkeys(_text(value) for value in values))


def _bin_names(column: pd.Series[Any], edges: tuple[float, ...]) -> tuple[str, ...]:
    if not edges:
        return (str(column.name),) if column.notna().any() else ()
    texts = [f"{edge:g}" for edge in edges]
    inner = [f"{low} to <{high}" for low, high in itertools.pairwise(texts)]
    return (f"under {texts[0]}", *inner, f"{texts[-1]} and over")
