"""The groups of a sensitive feature.

Category values, bins of numbers, intersections, and a group for missing values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.roles import Roles
from core.case.values.ages import ages, dates_of
from core.case.values.bins import bin_names, default_edges
from core.case.values.spellings import folded, one_spelling
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
    day : date or None
        The day that ages are counted on, where the column holds dates of birth.
    spelled : mapping of str to str, or None
        The group of each text without capitals and spaces, where those that differ by them only are one.
    """

    feature: str
    names: tuple[str, ...]
    edges: tuple[float, ...] | None
    day: date | None = None
    spelled: Mapping[str, str] | None = None

    def apply(self, column: pd.Series[Any]) -> Groups:
        """Return the group of every value of `column`."""
        column = column if self.day is None else ages(column, self.day)
        missing = column.isna().to_numpy()
        if self.edges is None:
            texts = _texts(column)
            if self.spelled is not None:
                texts = [self.spelled.get(folded(text), text) for text in texts]
            found = pd.Index(self.names).get_indexer(pd.Index(texts))
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
    day = roles.day(feature)
    cells = pd.concat([train, test], ignore_index=True)
    both, own = (cells, train) if day is None else (ages(cells, day), ages(train, day))
    edges, spelled = roles.edges(feature), None
    numeric = pd.api.types.is_numeric_dtype(both) and not pd.api.types.is_bool_dtype(both)
    if edges is not None and not numeric:
        raise InputError(f"Bins need a numeric column. Got text in {feature!r}; leave its bins out.")
    if edges is None and numeric and both.nunique() > FEW_VALUES:
        edges = default_edges(own)
    if edges is not None:
        names = bin_names(both, edges) if edges else ("all values",)
    elif feature in roles.merge:
        spelled = one_spelling(_texts(both.dropna()))
        names = tuple(spelled.values())
    else:
        names = _texts_in_order(both)
    if both.isna().any() and MISSING not in names:
        names = (*names, MISSING)
    _check_number(names, both, own, edges, kind)
    return Grouping(feature, names, edges, day, spelled)


def _check_number(
    names: tuple[str, ...], both: pd.Series[Any], own: pd.Series[Any], edges: tuple[float, ...] | None, kind: str
) -> None:
    """Raise where values make a single group, or too many, with what is true of them."""
    feature = str(both.name)
    if len(names) < 2:
        only = names[0] if names else "nothing"
        has = f"{feature!r} has only {only!r}; choose another column."
        if edges is not None and own.dropna().unique().size > 1:
            has = f"The bins of {feature!r} have no edge, so that all its values are one group; name an edge, or leave its bins out."
        elif edges is not None:
            value = f"{own.dropna().iloc[0]:g}" if own.notna().any() else "no value"
            has = f"Every training row has {value} in {feature!r}, so that no bins follow from it; name their edges, or choose another column."
        raise InputError(f"A {kind} must have at least two groups. {has}")
    if len(names) > MAX_GROUPS:
        way = "merge them into fewer groups or choose another column."
        if dates_of(both) is not None:
            way = f"where they are dates of birth, ages_on={{{feature!r}: '2024-12-31'}} makes ages of them, counted on that day."
        raise InputError(f"A {kind} can have at most {MAX_GROUPS} groups. {feature!r} has {len(names)} values; {way}")


def intersect(parts: Sequence[Groups]) -> Groups:
    """Return the intersection of several groupings of the same rows.

    Every combination keeps its code. A name with a comma or a quotation mark in it is quoted, so that no two combinations are called alike.

    Examples
    --------
    >>> sex = Groups("sex", ("f", "m"), np.array([0, 1], dtype=np.int32))
    >>> age = Groups("age", ("old", "young"), np.array([1, 1], dtype=np.int32))
    >>> both = intersect([sex, age])
    >>> both.names, both.codes.tolist()
    (('f, old', 'f, young', 'm, old', 'm, young'), [1, 3])
    >>> job = Groups("job", ("clerk", "law, other"), np.array([0, 1], dtype=np.int32))
    >>> intersect([sex, job]).names
    ('f, clerk', 'f, "law, other"', 'm, clerk', 'm, "law, other"')
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
        own = [_quoted(name) for name in part.names]
        names = tuple(f"{left}, {right}" if left else right for left in names for right in own)
        codes = (codes * len(part) + part.codes).astype(np.int32)
    codes.flags.writeable = False
    return Groups(tuple(str(part.feature) for part in parts), names, codes)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name or not name else name


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
