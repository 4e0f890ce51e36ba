"""Values of a column compared with those that a condition names."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from core.errors import InputError, nearest
from core.typing import Bools

Compare: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "in", "missing", "not missing"]
MOST_NAMED = 3


def compare_with(values: pd.Series[Any], asks: Compare, wanted: tuple[Any, ...]) -> Bools:
    """Return which values of a column, none missing, compare as asked with those written.

    Raises
    ------
    InputError
        If a value written is of another kind than the column's, or is named and does not occur.

    Examples
    --------
    >>> compare_with(pd.Series([20.0, 30.0, 40.0]), ">=", (30,)).tolist()
    [False, True, True]
    """
    if asks == "in":
        return np.asarray(np.any([_equal(values, one) for one in wanted], axis=0))
    (value,) = wanted
    if asks in ("=", "!="):
        same = _equal(values, value)
        return same if asks == "=" else ~same
    return _ordered(values, asks, value)


def _equal(values: pd.Series[Any], wanted: Any) -> Bools:
    kind = _kind(values)
    if kind == "date":
        first, last = _span(values, wanted)
        found = (values >= first) & (values <= last)
    elif kind == "number":
        found = values == _number(values, wanted)
    elif kind == "flag":
        found = values.map(str) == str(wanted)
    else:
        texts = values.map(str)
        found = texts == str(wanted)
        if not found.any() and isinstance(wanted, float | int):
            found = values == wanted
    same = found.to_numpy(dtype=bool)
    if not same.any():
        raise InputError(
            f"A condition must name values that occur. No row has {values.name} = {wanted!r}.{_near(values, wanted, kind)}"
        )
    return same


def _ordered(values: pd.Series[Any], asks: Compare, wanted: Any) -> Bools:
    kind = _kind(values)
    if kind == "date":
        first, last = _span(values, wanted)
        limit: Any = first if asks in (">=", "<") else last
    elif kind == "number":
        limit = _number(values, wanted)
    elif kind == "flag":
        raise InputError(f"True and False have no order. Got {asks} on {values.name!r}; write {values.name} = True.")
    elif isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered:
        order = [str(one) for one in values.dtype.categories]
        if str(wanted) not in order:
            raise InputError(
                f"A condition must name values that occur. {values.name!r} has no {wanted!r}.{_near(values, wanted, kind)}"
            )
        values, limit = pd.Series(values.cat.codes, name=values.name), order.index(str(wanted))
    else:
        if not isinstance(wanted, str):
            raise InputError(
                f"Texts must be compared with texts. {values.name!r} holds {_some(values)}; got {wanted!r} without quotes."
            )
        values, limit = values.map(str), wanted
    ways = {"<": values.lt, "<=": values.le, ">": values.gt, ">=": values.ge}
    return np.asarray(ways[asks](limit).to_numpy(dtype=bool))


def _kind(values: pd.Series[Any]) -> str:
    if pd.api.types.is_bool_dtype(values):
        return "flag"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(values) else "text"


def _number(values: pd.Series[Any], wanted: Any) -> Any:
    if isinstance(wanted, str):
        raise InputError(
            f"Numbers must be compared with numbers. {values.name!r} holds numbers; got {wanted!r} in quotes; write it without."
        )
    return wanted


def _span(values: pd.Series[Any], wanted: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last moment of a date: '2025-07' is a whole month."""
    try:
        period = pd.Period(wanted) if isinstance(wanted, str) else None
    except ValueError:
        period = None
    if period is None:
        raise InputError(
            f"Dates must be compared with dates. {values.name!r} holds dates; got {wanted!r}; write '2025-07' or '2025-07-31'."
        )
    zone = getattr(values.dtype, "tz", None)
    return period.start_time.tz_localize(zone), period.end_time.tz_localize(zone)


def _near(values: pd.Series[Any], wanted: Any, kind: str) -> str:
    if kind == "number":
        present = np.unique(values.to_numpy(dtype=np.float64))
        closest = present[np.argsort(np.abs(present - float(wanted)), kind="stable")[:MOST_NAMED]]
        return f" The nearest are {', '.join(f'{one:g}' for one in np.sort(closest))}."
    texts = list(dict.fromkeys(map(str, values.unique())))
    return nearest(wanted, texts) or f" It holds {_some(values)}."


def _some(values: pd.Series[Any]) -> str:
    texts = list(dict.fromkeys(map(str, values.unique())))
    more = len(texts) - MOST_NAMED
    return ", ".join(map(repr, texts[:MOST_NAMED])) + (f" and {more:,} more" if more > 0 else "")
