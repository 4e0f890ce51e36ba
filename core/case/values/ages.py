"""Ages in whole years, from dates or years of birth."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError

FORMATS = (
    "ISO8601",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
)
"""How dates are written; the first that fits every cell is taken."""
OLDEST = 150
YEARS = (1850, 2150)
"""Whole numbers between these are years."""


def day_of(value: object) -> date:
    """Return the day that a text or a date stands for.

    Raises
    ------
    InputError
        If it stands for none.

    Examples
    --------
    >>> day_of("2024-12-31")
    datetime.date(2024, 12, 31)
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(f"A day must be written as 2024-12-31. Got {value!r}; correct it.") from error


def dates_of(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Return the dates in a column, or None where it holds anything else.

    Whole numbers are years, or as 19841231; texts are read by the first of the usual ways that fits every cell.

    Examples
    --------
    >>> dates_of(pd.Series(["31.12.1984", None])).dt.year.tolist()
    [1984.0, nan]
    >>> dates_of(pd.Series(["f", "m"])) is None
    True
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize(None) if isinstance(column.dtype, pd.DatetimeTZDtype) else column
    cells = column.dropna()
    if cells.empty or pd.api.types.is_bool_dtype(column):
        return None
    if pd.api.types.is_numeric_dtype(column):
        return _of_numbers(column)
    texts = pd.Series(cells.unique()).map(lambda cell: cell.isoformat() if isinstance(cell, date) else cell)
    if not texts.map(lambda text: isinstance(text, str)).all() or not texts.str.contains(r"\d{4}|\d{8}").all():
        return None
    for form in FORMATS:
        found = pd.to_datetime(texts.str.strip(), format=form, errors="coerce", utc=form == "ISO8601")
        if found.notna().all():
            days = found.dt.tz_localize(None) if form == "ISO8601" else found
            read = column.map(dict(zip(cells.unique(), days, strict=True)), na_action="ignore")
            return pd.Series(pd.to_datetime(read), index=column.index, name=column.name)
    return None


def _of_numbers(column: pd.Series[Any]) -> pd.Series[Any] | None:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    if not (known == np.floor(known)).all():
        return None
    whole = pd.Series(np.where(np.isnan(values), 0, values), index=column.index, name=column.name).astype(np.int64)
    years = bool(((known >= YEARS[0]) & (known < YEARS[1])).all())
    texts = whole.astype(str) + ("0101" if years else "")
    found = pd.to_datetime(texts.where(~np.isnan(values)), format="%Y%m%d", errors="coerce")
    return found if found.notna().sum() == len(known) else None


def ages(column: pd.Series[Any], day: date) -> pd.Series[Any]:
    """Return ages in whole years on a day; of a year of birth, those reached in that year.

    Raises
    ------
    InputError
        If the column holds no dates, or dates after the day.

    Examples
    --------
    >>> ages(pd.Series(["1984-06-30", "1984-07-01"]), date(2024, 6, 30)).tolist()
    [40.0, 39.0]
    """
    born = dates_of(column)
    if born is None:
        raise InputError(
            f"Ages need dates or years of birth. {column.name!r} holds other cells, such as "
            f"{next(iter(column.dropna().unique()), None)!r}; write them as 1984-12-31, or leave it out of ages_on."
        )
    before = (born.dt.month > day.month) | ((born.dt.month == day.month) & (born.dt.day > day.day))
    if pd.api.types.is_numeric_dtype(column) and column.max() < YEARS[1]:
        before = pd.Series(False, index=column.index)
    found: pd.Series[Any] = (day.year - born.dt.year - before).astype(np.float64).where(born.notna())
    wrong = int(((found < 0) | (found > OLDEST)).sum())
    if wrong:
        raise InputError(
            f"Dates of birth must lie before the day ages are counted on. {wrong:,} of {column.name!r} do not, or are {OLDEST} years "
            f"before {day.isoformat()}; correct them, or name another day."
        )
    return found
