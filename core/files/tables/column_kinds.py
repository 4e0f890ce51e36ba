"""Kinds of columns (numbers, text, truth values, dates), and reading cells as one of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from core.case.readings.alike import MISSING_WORDS, READ_AS_MISSING, meaning, texts_of_numbers
from core.files.tables.read import LoadedTable

KINDS = ("numbers", "text", "text with gaps", "truth values", "dates")
LOOKED_AT = 200
"""Cells that tell which other reading to offer."""


def column_kind(frame: pd.DataFrame, name: Any) -> str:
    """Return what a column of a table is read as."""
    column = frame[name]
    if pd.api.types.is_bool_dtype(column):
        return "truth values"
    if pd.api.types.is_numeric_dtype(column):
        return "numbers"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "dates"
    if isinstance(column.dtype, pd.StringDtype):
        return "text with gaps" if str(name) in frame.attrs.get(READ_AS_MISSING, {}) else "text"
    return "other"


def other_kind(table: LoadedTable, frame: pd.DataFrame, name: Any) -> str:
    """Return the likeliest other reading of a column; empty where there is none."""
    now, column = column_kind(frame, name), frame[name]
    if now in ("numbers", "truth values", "dates"):
        return "text"
    if now == "text with gaps":
        return "text"
    if now != "text":
        return ""
    first = column_kind(table.frame, name)
    if first != "text":
        return first
    cells = column.dropna().head(LOOKED_AT)
    if len(cells) and pd.api.types.is_string_dtype(cells):
        read = pd.Series([meaning(cell) for cell in cells])
        if read.map(lambda value: isinstance(value, int | float)).mean() >= 0.5:
            return "numbers"
        if _as_dates(cells).notna().mean() >= 0.5:
            return "dates"
    return "text with gaps" if bool(column.isin(MISSING_WORDS).any()) else ""


def read_as(table: LoadedTable, name: str, kind: str) -> pd.Series[Any]:
    """Return a column read as a kind; cells that are none of it are missing. O(size of file)."""
    cells = table.spelled([name])[name]
    column = table.frame[name]
    if table.spelling is None:
        cells = _texts_of(column).fillna("") if kind != "other" else column
    if kind == "text":
        return cells.mask(cells.str.strip() == "").astype("str")
    cells = cells.str.strip()
    cells = cells.mask(cells.isin(("", *MISSING_WORDS)))
    if kind == "text with gaps":
        return cells.astype("str")
    if kind == "numbers":
        return column if pd.api.types.is_numeric_dtype(column) and not _bool(column) else _numbers(table, cells)
    if kind == "truth values":
        means = {cell: meaning(cell) for cell in cells.dropna().unique()}
        truth = cells.map({cell: bool(value) for cell, value in means.items() if value in (0, 1)})
        return truth.astype(object if truth.isna().any() else bool)
    return _as_dates(cells)


def _bool(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_bool_dtype(column))


def _texts_of(column: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_numeric_dtype(column) and not _bool(column):
        return texts_of_numbers(column)
    return column.astype(object).where(column.notna(), None).map(str, na_action="ignore").astype("str")


def _numbers(table: LoadedTable, cells: pd.Series[Any]) -> pd.Series[Any]:
    if table.format is not None:
        if table.format.thousands is not None:
            cells = cells.str.replace(table.format.thousands, "", regex=False)
        cells = cells.str.replace(table.format.decimal, ".", regex=False)
    numbers = pd.to_numeric(cells, errors="coerce")
    return numbers.astype(np.float64) if numbers.isna().any() else pd.Series(numbers)


def _as_dates(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates, the day first where the cells say so; times as they are, without a zone."""
    day_first = bool(cells.str.match(r"^\s*(?:1[3-9]|2\d|3[01])[./-]", na=False).any()) or bool(
        cells.str.match(r"^\s*\d{1,2}\.\d{1,2}\.\d{4}", na=False).any()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dates = pd.to_datetime(cells, errors="coerce", dayfirst=day_first, format="mixed", utc=True)
    return dates.dt.tz_localize(None)
