"""Raw columns as bins.

Every value of a category, quantiles or chosen bins of a number, and a bin for what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.arguments import check_items
from core.case.case import Case
from core.case.roles import Roles
from core.errors import InputError, InputTypeError, listed, nearest
from core.rules.conditions import Condition
from core.typing import Ints

MOST_CATEGORIES = 50
"""Values of one column that become conditions, the most frequent first."""


@dataclass(frozen=True, eq=False)
class Binned:
    """Columns of the retained rows as bins, and the conditions they allow.

    Parameters
    ----------
    bins : ndarray of int32, shape (n_rows, n_columns)
        The bin of every row, counted over all columns.
    n_bins : int
        Over all columns.
    conditions : tuple of Condition
    columns, starts, stops : ndarray of int32, shape (n_conditions,)
        Column of every condition, and the run of bins it takes.
    chosen : frozenset of str
        Columns whose edges the user chose.
    notes : tuple of str
        Which columns were left out, and why.
    """

    bins: Ints
    n_bins: int
    conditions: tuple[Condition, ...]
    columns: Ints
    starts: Ints
    stops: Ints
    chosen: frozenset[str]
    notes: tuple[str, ...]

    def in_order(self, conditions: Iterable[Condition]) -> tuple[Condition, ...]:
        """Return conditions in the order of their columns, so that a rule has one name."""
        places = {one.column: place for place, one in enumerate(self.conditions)}
        return tuple(sorted(conditions, key=lambda one: places[one.column]))


@dataclass(frozen=True, eq=False)
class _Column:
    codes: Ints
    n_bins: int
    runs: list[tuple[Condition, int, int]]


def bin_columns(
    case: Case, n_bins: int, min_count: int, edges: Mapping[str, Sequence[float]] | None, columns: Iterable[str] | None
) -> Binned:
    """Return the retained training rows as bins.

    Parameters
    ----------
    case : Case
    n_bins : int
        Quantile bins of a numeric column without edges of its own.
    min_count : int
        A condition must hold for so many rows, or no rule with it could.
    edges : mapping, optional
        Inner bin edges by column; those of the case's roles come after them.
    columns : iterable of str, optional
        Columns to take; None is every one that is not an id, the target or the weight.
    """
    return bin_table(case.train[case.retained], case.roles, n_bins, min_count, edges, columns)


def bin_table(
    table: pd.DataFrame,
    roles: Roles,
    n_bins: int,
    min_count: int,
    edges: Mapping[str, Sequence[float]] | None,
    columns: Iterable[str] | None,
    *,
    called: str = "training table",
    without: Iterable[str] = (),
) -> Binned:
    """Return the rows of a table as bins; as `bin_columns`, whatever the table is called.

    Columns named in `without` are not taken.
    """
    notes: list[str] = []
    found = []
    chosen = {**(roles.bins or {}), **(edges or {})}
    unknown = [name for name in chosen if name not in table.columns]
    if unknown:
        where = "" if unknown[0] in (edges or {}) else " in Roles.bins"
        raise InputError(
            f"Bins must be of columns of the {called}. Got {unknown[0]!r}{where}.{nearest(unknown[0], table.columns)}"
        )
    for name in _candidates(table, roles, columns, notes, called, set(without)):
        values = table[name]
        own = chosen.get(name)
        numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if own is not None and not numeric:
            raise InputError(f"Bins need a numeric column. Got {values.dtype} in {name!r}; leave its bins out.")
        made = _numbers(values, own, n_bins) if numeric else _categories(values, min_count, notes)
        if made is not None:
            counts = np.bincount(made.codes, minlength=made.n_bins)
            runs = [run for run in made.runs if min_count <= counts[run[1] : run[2]].sum() < len(values)]
            if runs:
                found.append(_Column(made.codes, made.n_bins, runs))
    return _joined(found, len(table), frozenset(chosen), notes)


def _joined(found: list[_Column], n_rows: int, chosen: frozenset[str], notes: list[str]) -> Binned:
    first = np.concatenate([[0], np.cumsum([column.n_bins for column in found])]).astype(np.int32)
    bins = np.empty((n_rows, len(found)), dtype=np.int32)
    runs: list[tuple[Condition, int, int, int]] = []
    for index, column in enumerate(found):
        bins[:, index] = column.codes + first[index]
        runs += [(one, index, low + first[index], high + first[index]) for one, low, high in column.runs]
    numbers = np.array([run[1:] for run in runs], dtype=np.int32).reshape(-1, 3)
    columns, starts, stops = (np.ascontiguousarray(part) for part in numbers.T)
    return Binned(bins, int(first[-1]), tuple(run[0] for run in runs), columns, starts, stops, chosen, tuple(notes))


def _candidates(
    table: pd.DataFrame, roles: Roles, columns: Iterable[str] | None, notes: list[str], called: str, without: set[str]
) -> list[str]:
    known = [str(name) for name in table.columns]
    never = {roles.target, roles.record_id, roles.subject_id, roles.sample_weight, *roles.exclude, *without}
    if columns is not None:
        check_items("columns", columns, f"columns of the {called}")
        wanted = list(columns)
        for name in wanted:
            if not isinstance(name, str) or name not in known or name in never:
                raise InputError(
                    f"A column of rules must be one of the {called}, and not the target, an id or the weight. "
                    f"Got {name!r}.{nearest(name, [one for one in known if one not in never])}"
                )
        return list(dict.fromkeys(wanted))
    ids = [name for name in known if name not in never and _looks_like_an_id(table[name])]
    if ids:
        notes.append(f"Left out, as every record has its own value: {listed(ids)}.")
    return [name for name in known if name not in never and name not in ids]


def _looks_like_an_id(values: pd.Series[Any]) -> bool:
    """Return whether whole numbers or texts are all different.

    Measured numbers with decimals mostly are.
    """
    if pd.api.types.is_float_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    try:
        return bool(values.is_unique)
    except TypeError:
        return False


def _numbers(values: pd.Series[Any], edges: Sequence[float] | None, n_bins: int) -> _Column | None:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.isnan(numbers)
    present = np.unique(numbers[~missing])
    if edges is None:
        shares = np.arange(1, n_bins) / n_bins
        cuts = present[1:] if len(present) <= n_bins else np.quantile(numbers[~missing], shares, method="higher")
    else:
        cuts = _as_edges(edges, str(values.name))
    cuts = np.unique(cuts[cuts > present[0]]) if len(present) else np.empty(0)
    cuts = short_cuts(cuts, present) if edges is None else cuts
    last = len(cuts) + 1
    codes = np.searchsorted(cuts, numbers, side="right").astype(np.int32)
    codes[missing] = last
    runs = [
        (_interval(str(values.name), cuts, present, start, stop), start, stop)
        for start in range(last)
        for stop in range(start + 1, last + 1)
        if stop - start < last
    ]
    return _Column(codes, last + 1, [*runs, (Condition(str(values.name)), last, last + 1)])


def _as_edges(edges: Sequence[float], name: str) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(edges, dtype=np.float64).reshape(len(edges))
    except (TypeError, ValueError) as error:
        raise InputTypeError(
            f"Bins must be given as lists of numbers, their inner edges. Got {edges!r} for {name!r}."
        ) from error


def short_cuts(cuts: npt.NDArray[np.float64], present: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return cuts between the same values, written with as few digits as that takes.

    Parameters
    ----------
    cuts : ndarray
        Values of `present` but the first; a cut belongs to what lies above it.
    present : ndarray
        Distinct values, ascending.

    Examples
    --------
    >>> short_cuts(np.array([17.038738989963953, 40.0]), np.array([3.2, 17.0291, 17.038738989963953, 40.0])).tolist()
    [17.03, 40.0]
    """
    below = present[np.searchsorted(present, cuts) - 1]
    rounding = [Context(prec=digits, rounding=ROUND_FLOOR) for digits in range(1, 17)]
    tries = [[float(one.create_decimal(repr(float(cut)))) for one in rounding] for cut in cuts]
    return np.array(
        [
            next((one for one in some if under < one <= cut), cut)
            for cut, under, some in zip(cuts, below, tries, strict=True)
        ]
    )


def _interval(
    name: str, cuts: npt.NDArray[np.float64], present: npt.NDArray[np.float64], start: int, stop: int
) -> Condition:
    low = float(cuts[start - 1]) if start > 0 else None
    high = float(cuts[stop - 1]) if stop <= len(cuts) else None
    inside = present[(present >= (-np.inf if low is None else low)) & (present < (np.inf if high is None else high))]
    return Condition(name, equals=float(inside[0])) if len(inside) == 1 else Condition(name, low=low, high=high)


def _categories(values: pd.Series[Any], min_count: int, notes: list[str]) -> _Column | None:
    name = str(values.name)
    if pd.api.types.is_datetime64_any_dtype(values):
        notes.append(f"Left out, as dates have no bins: {name!r}.")
        return None
    try:
        codes, kinds = pd.factorize(values)
    except TypeError:
        notes.append(f"Left out, as its values cannot be compared: {name!r}.")
        return None
    counts = np.bincount(codes[codes >= 0], minlength=len(kinds))
    often = np.flatnonzero(counts >= min_count)
    kept = np.sort(often[np.argsort(-counts[often], kind="stable")[:MOST_CATEGORIES]])
    if len(often) > MOST_CATEGORIES:
        notes.append(f"Of {name!r} the {MOST_CATEGORIES} most frequent of {len(kinds):,} values were tried.")
    elif not len(often) and len(kinds) > 1:
        notes.append(f"No value of {name!r} is frequent enough for a rule; it has {len(kinds):,} different ones.")
    place = np.full(len(kinds) + 1, len(kept), dtype=np.int32)
    place[kept] = np.arange(len(kept))
    place[-1] = len(kept) + 1
    runs = [(Condition(name, equals=kinds[kind]), index, index + 1) for index, kind in enumerate(kept)]
    missing = (Condition(name), len(kept) + 1, len(kept) + 2)
    return _Column(place[codes], len(kept) + 2, [*runs, missing])
