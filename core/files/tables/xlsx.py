"""Reading a sheet of an Excel workbook into a table."""

from __future__ import annotations

import datetime
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.case.readings.alike import MISSING_WORDS, READ_AS_MISSING, meaning
from core.errors import InputError, LimitError, listed, nearest, said
from core.files.tables.limits import Limits, show_bytes

LOOKED_AT = 20
MOST_LINES = 1 << 20
"""As many as Excel itself allows."""

_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")


def read_xlsx(data: bytes, limits: Limits, sheet: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Return the table on a sheet, by default the first one shown that is filled, and notes.

    A number shown with zeros in front is text as it is shown; formulas count by the value they had when the file was saved.

    Raises
    ------
    InputError
        If the workbook is damaged, or there is no such sheet, or nothing on it.
    LimitError
        If it has too many columns or cells, or would take too much memory.
    """
    from openpyxl import load_workbook  # takes long to import

    _check_archive(data, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            names = [one.title for one in book.worksheets]
            chosen = _chosen(book, names, sheet)
            rows = list(_rows(chosen, limits))
            book.close()
    except (InputError, MemoryError):
        raise
    except Exception as error:  # what is in the workbook decides which
        raise InputError(f"A spreadsheet must be whole. It cannot be read ({said(error)}); save it again.") from error
    if len(rows) < 2:
        raise InputError(
            f"A table must have a line of column names and rows. The sheet {chosen.title!r} has {len(rows)} lines; choose another of {listed(names)}."
        )
    notes = [
        f"The sheet {chosen.title!r} is read; the file has others: {listed(n for n in names if n != chosen.title)}."
    ]
    frame, more = _table(rows)
    return frame, [*(notes if len(names) > 1 else []), *more]


def _check_archive(data: bytes, limits: Limits) -> None:
    """Raise if the parts of a workbook are too large, or define entities as Excel never does."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > limits.max_memory // 2:
                raise LimitError(
                    f"A spreadsheet can take at most {show_bytes(limits.max_memory // 2)} unpacked. Got {show_bytes(size)}; save the table as CSV."
                )
            for name in archive.namelist():
                if name.endswith((".xml", ".rels")):
                    with archive.open(name) as file:
                        head = file.read(4096)
                    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                        raise InputError(
                            "A spreadsheet must not define entities. This one does; save it again, or as CSV."
                        )
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"A spreadsheet must be whole. It is not ({said(error)}); save or upload it again.") from error


def _chosen(book: Any, names: Sequence[str], sheet: str | None) -> Any:
    if sheet is not None:
        if sheet not in names:
            raise InputError(f"`sheet` must be one of {listed(names)}. Got {sheet!r}.{nearest(sheet, names)}")
        return book[sheet]
    shown = [one for one in book.worksheets if one.sheet_state == "visible"] or book.worksheets
    filled = (one for one in shown if any(any(row) for row in one.iter_rows(max_row=LOOKED_AT, values_only=True)))
    found = next(filled, shown[0] if shown else None)
    if found is None:
        raise InputError("A spreadsheet must have a sheet with cells. This one has none; check the file.")
    return found


def _rows(sheet: Any, limits: Limits) -> Iterator[list[Any]]:
    """Yield the cells of every line that is not empty, as wide as the line of names."""
    width, taken = 0, 0
    for line, row in enumerate(sheet.iter_rows()):
        if line > MOST_LINES:
            raise LimitError(f"A sheet can have at most {MOST_LINES:,} lines. Got more; save it again, or as CSV.")
        values = [_value(cell) for cell in row]
        while values and values[-1] is None:
            values.pop()
        if not values:
            continue
        if not width:
            width = len(values)
            if width > limits.max_columns:
                raise LimitError(
                    f"A table can have at most {limits.max_columns:,} columns. Got {width:,}; leave out what is not needed."
                )
        if len(values) > width:
            raise InputError(
                f"Every row must have a cell per column, {width} here. Line {row[0].row} has {len(values)}; name every column in the first line."
            )
        taken += width
        if taken > limits.max_cells:
            raise LimitError(
                f"A table can have at most {limits.max_cells:,} cells, rows x columns. Got more; leave out rows that are not needed."
            )
        yield values + [None] * (width - len(values))


def _value(cell: Any) -> Any:
    value = cell.value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        padded = re.fullmatch(r"0{2,}", str(cell.number_format or ""))
        return str(int(value)).zfill(len(padded[0])) if padded and value >= 0 and float(value).is_integer() else value
    if isinstance(value, datetime.datetime | datetime.date):
        return value
    text = str(value)
    return None if not text.strip() or (cell.data_type == "e" and text in _ERRORS) else text


def _table(rows: Sequence[Sequence[Any]]) -> tuple[pd.DataFrame, list[str]]:
    names = ["" if name is None else str(meaning(name) if isinstance(name, float) else name) for name in rows[0]]
    columns, words, notes = {}, dict[str, dict[str, int]](), list[str]()
    for place, name in enumerate(names):
        values = [row[place] for row in rows[1:]]
        found = [value for value in values if isinstance(value, str) and value in MISSING_WORDS]
        known = [None if isinstance(value, str) and value in MISSING_WORDS else value for value in values]
        columns[place] = typed_column(known)
        if found and isinstance(columns[place].dtype, pd.StringDtype):
            words[name] = {word: found.count(word) for word in dict.fromkeys(found)}
            empty = values.count(None)
            words[name] |= {"": empty} if empty else {}
            notes.append(f"{len(found):,} cells of {name!r} are read as missing: {listed(words[name])}.")
    frame = pd.DataFrame(columns)
    frame.columns = pd.Index(names)
    if words:
        frame.attrs[READ_AS_MISSING] = words
    return frame, notes


def typed_column(values: Sequence[Any]) -> pd.Series[Any]:
    """Return a column of one kind: numbers, truth values or dates where all are, else text.

    Examples
    --------
    >>> typed_column([1, None, 2.5]).tolist(), typed_column([1, "a"]).tolist()
    ([1.0, nan, 2.5], ['1', 'a'])
    """
    kept = [value for value in values if value is not None]
    gaps = len(kept) < len(values)
    if kept and all(isinstance(value, bool) for value in kept):
        return pd.Series(list(values), dtype=object if gaps else bool)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in kept):
        whole = kept and not gaps and all(isinstance(value, int) and abs(value) < 1 << 63 for value in kept)
        return pd.Series(list(values), dtype=np.int64 if whole else np.float64)
    if all(isinstance(value, datetime.date) for value in kept):
        with_errors = pd.to_datetime(pd.Series(list(values), dtype=object), errors="coerce")
        if int(with_errors.isna().sum()) == len(values) - len(kept):
            return pd.Series(with_errors)
    texts = [value if isinstance(value, str) or value is None else _text(value) for value in values]
    return pd.Series(texts, dtype="str")


def _text(value: Any) -> str:
    if isinstance(value, datetime.date):
        return str(value.isoformat())
    return str(value) if isinstance(value, bool) else str(meaning(value))
