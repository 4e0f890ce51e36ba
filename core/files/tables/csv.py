"""Reading a CSV file into a table."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError, InputTypeError, LimitError, listed
from core.files.tables import csv_format
from core.files.tables.csv_format import CsvFormat
from core.files.tables.limits import Limits
from core.files.tables.preamble import looks_like_row, plain_lines
from core.files.tables.spelling import Spelled, hints_of, keep_spelling, without_mark

PLAIN_NUMBER = r"[+-]?\d+"


def read_csv(
    data: bytes, limits: Limits, known: dict[str, Any], text: Sequence[str] = ()
) -> tuple[pd.DataFrame, CsvFormat, list[str], Spelled]:
    """Return the table in a CSV file, its format, notes, and what spells its cells again.

    Parameters
    ----------
    data : bytes
        The file.
    limits : Limits
        What the table must keep.
    known : dict
        Fields of `CsvFormat` that the user has set, the others are found out; `header`, whether the first line holds names; `names`.
    text : sequence of str
        Columns to keep as they are spelled.

    Raises
    ------
    InputError
        If it is no table: empty, one column, cut off, or rows longer than the line of names.
    LimitError
        If it has too many columns or cells.
    """
    plain = plain_lines(data, known.get("encoding"))
    data, notes = plain.data, plain.notes
    lines, encoding, bom = _head(data, plain.encoding or known.get("encoding"))
    try:
        delimiter = known.get("delimiter") or plain.delimiter or csv_format.find_delimiter(lines)
        CsvFormat(delimiter=delimiter)
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise InputError(
            f"A CSV table must be readable as rows and columns. It is not ({error}); save it again."
        ) from error
    header = known.get("header", known.get("names") is None)
    if not header:
        rows.insert(0, given_names(rows, known.get("names")))
        data = _with_names(data, rows[0], delimiter, encoding)
        notes.append(f"The file has no line of column names; they are {listed(rows[0], most=3)} here.")
    names = _names(rows, doubtful="header" not in known and header)
    if header and known.get("names") is not None:
        names = given_names(rows, known["names"])
    if len(names) > limits.max_columns:
        raise LimitError(
            f"A table can have at most {limits.max_columns:,} columns. Got {len(names):,}; leave out what is not needed."
        )
    cells = [cell for row in rows[1:] for cell in row]
    decimal, thousands, unclear = csv_format.find_marks(cells, delimiter)
    if "decimal" in known or "thousands" in known:
        decimal, unclear = known.get("decimal") or decimal, None
        thousands = known.get("thousands", thousands if thousands != decimal else None)
    found = CsvFormat(delimiter, decimal, thousands, encoding, bom)
    _check_last_row(data, found, len(names))
    frame = _parse(data, found, names, limits)
    asked = [place for place, name in enumerate(names) if without_mark(name) in text]
    hints = hints_of(data, delimiter, encoding)
    frame, kept = keep_spelling(frame, partial(spelled_cells, data, found, len(names)), hints, decimal, asked)
    if thousands is not None:
        frame = _join_thousands(frame, found, asked)
    frame.columns = pd.Index([without_mark(name) for name in names])
    notes = [*notes, *([unclear] if unclear else []), *kept]
    return frame, found, notes, partial(spelled_cells, data, found, len(names))


def _head(data: bytes, encoding: str | None) -> tuple[list[str], str, bool]:
    found, bom = csv_format.find_encoding(data)
    if encoding is not None:
        CsvFormat(encoding=encoding)
        bom = bom and found.startswith(encoding.lower().replace("_", "-")[:5])
        found = found if bom else encoding
    try:
        text = data[: csv_format.SAMPLE_BYTES].decode(
            found, errors="strict" if len(data) <= csv_format.SAMPLE_BYTES else "ignore"
        )
    except UnicodeError as error:
        raise _wrong_encoding(found, error) from error
    if "\x00" in text:
        raise InputError("A CSV table must be text. Got zero bytes, as in a binary file; save it as CSV or Parquet.")
    if not text.strip():
        raise InputError(
            "A table must have a line of column names and rows. Got an empty file; check that the right one was chosen."
        )
    lines = list(io.StringIO(text, newline=""))
    if len(data) > csv_format.SAMPLE_BYTES:
        lines = lines[:-1] or lines
    return lines[: csv_format.SAMPLE_LINES], found, bom


def _wrong_encoding(encoding: str, error: UnicodeError) -> InputError:
    return InputError(
        f"The file must be in the encoding {encoding}. It is not ({error}); choose another, such as cp1252."
    )


def _names(rows: Sequence[Sequence[str]], *, doubtful: bool) -> list[str]:
    names = list(next((row for row in rows if row), []))
    if len(names) < 2:
        raise InputError("A table must have at least two columns. Got one; check the file, or the delimiter chosen.")
    numbers = all(re.fullmatch(r"[+-]?\d+(?:[.,]\d+)*", name.strip()) for name in names)
    if doubtful and numbers and names != [str(position) for position in range(len(names))]:
        raise _no_names("Got numbers only")
    if doubtful and looks_like_row(names, [row for row in rows[1:] if row]):
        raise _no_names(f"Got what looks like a row ({listed(names, most=3)})")
    return names


def _no_names(got: str) -> InputError:
    return InputError(
        f"The first line of a table must hold column names. {got}; say that it has none (header=False), name the columns (names=[...]), or "
        "say that these are names (header=True)."
    )


def given_names(rows: Sequence[Sequence[str]], names: Sequence[str] | None) -> list[str]:
    """Return names for the columns of a file without any: those given, else their numbers."""
    width = len(next((row for row in rows if row), []))
    if names is None:
        return [f"column {place + 1}" for place in range(width)]
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise InputTypeError(f"`names` must be a list of column names. Got {names!r} instead.")
    if len(names) != width:
        raise InputError(
            f"`names` must name each of the {width} columns. Got {len(names)}; the first row is {listed(rows[0])}."
        )
    return list(names)


def _with_names(data: bytes, names: Sequence[str], delimiter: str, encoding: str) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(names)
    try:
        return (line.getvalue() + data.decode(encoding)).encode(encoding)
    except UnicodeError as error:
        raise _wrong_encoding(encoding, error) from error


def _check_last_row(data: bytes, form: CsvFormat, n_columns: int) -> None:
    """Raise if the file ends within a row: no line end, and fewer cells than there are names."""
    tail = data[-csv_format.SAMPLE_BYTES :]
    encoding = form.encoding
    if encoding.startswith("utf-16"):
        tail = tail[len(tail) % 2 :]
        encoding = "utf-16-be" if encoding.endswith("be") or data.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
    text = tail.decode(encoding, errors="ignore")
    last = text[max(text.rfind("\n"), text.rfind("\r")) + 1 :]
    if not last or last.count('"') % 2:
        return
    cells = next(csv.reader([last], delimiter=form.delimiter))
    if len(cells) < n_columns:
        raise InputError(
            f"A table must be whole. The last row has {len(cells)} of {n_columns} cells and no end, as in a file cut off; save or upload it again."
        )


def _parse(data: bytes, form: CsvFormat, names: list[str], limits: Limits) -> pd.DataFrame:
    most = limits.max_cells // len(names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(data), sep=form.delimiter, decimal=form.decimal, encoding=form.encoding, header=0,
                names=list(range(len(names))), index_col=False, low_memory=False, nrows=most + 1,
            )  # fmt: skip
    except UnicodeError as error:
        raise _wrong_encoding(form.encoding, error) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, csv.Error, ValueError) as error:
        raise _not_regular(error, len(names)) from error
    if len(frame) > most:
        raise LimitError(
            f"A table can have at most {limits.max_cells:,} cells, rows x columns. Got more than {most:,} rows of "
            f"{len(names)} columns; leave out rows or columns that are not needed."
        )
    frame.columns = pd.Index(names)
    return frame


def _not_regular(error: Exception, n_columns: int) -> InputError:
    text = str(error)
    if "EOF inside string" in text:
        return InputError(
            "A table must be whole. It ends inside quotes, as in a file cut off; save or upload it again."
        )
    found = re.search(r"line (\d+), saw (\d+)", text)
    if found:
        return InputError(
            f"Every row must have a cell per column, {n_columns} here. Line {found[1]} has {found[2]}; correct it, or choose another delimiter."
        )
    if "Length of header" in text:
        return InputError(
            f"Every row must have a cell per column, {n_columns} here. Rows have more; name every column in the first line."
        )
    return InputError(
        f"A CSV table must be readable as rows and columns. It is not ({text.strip()[:200]}); save it again."
    )


def spelled_cells(data: bytes, form: CsvFormat, n_columns: int, places: Sequence[int]) -> pd.DataFrame:
    """Return columns of a CSV file that was read before, every cell as it is spelled.

    Columns come in the order of the file.
    """
    return pd.read_csv(
        io.BytesIO(data), sep=form.delimiter, encoding=form.encoding, header=0, names=list(range(n_columns)), index_col=False,
        usecols=sorted(places), dtype="str", keep_default_na=False, na_filter=False,
    )  # fmt: skip


def _join_thousands(frame: pd.DataFrame, form: CsvFormat, text: Sequence[int]) -> pd.DataFrame:
    """Turn text columns whose every cell is a number, some with thousands marks, into numbers."""
    mark = form.thousands or ""
    pattern = (
        f"(?:{csv_format.number_pattern(form.decimal, mark)})|(?:{PLAIN_NUMBER}(?:{re.escape(form.decimal)}\\d+)?)"
    )
    columns = {}
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        if isinstance(column.dtype, pd.StringDtype) and position not in text:
            texts = column.str.strip()
            grouped = texts.notna().any() and texts.str.contains(mark, regex=False, na=False).any()
            if grouped and texts.dropna().str.fullmatch(pattern).all():
                plain = texts.str.replace(mark, "", regex=False).str.replace(form.decimal, ".", regex=False)
                column = pd.Series(pd.to_numeric(plain), name=name)
                if column.isna().any() or not np.array_equal(column, column.round()):
                    column = column.astype(np.float64)
        columns[position] = column
    result = pd.DataFrame(columns)
    result.columns, result.attrs = frame.columns, frame.attrs
    return result
