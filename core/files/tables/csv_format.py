"""Finding out how a CSV file is written: encoding, delimiter, decimal mark, thousands mark."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import InputError, listed

DELIMITERS = (",", ";", "\t", "|")
DECIMALS = (".", ",")
THOUSANDS = (",", ".", " ", "\u00a0", "\u202f", "'")
SAMPLE_BYTES = 1 << 18
SAMPLE_LINES = 1000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written.

    Parameters
    ----------
    delimiter : str
        What stands between cells.
    decimal : str
        ``"."`` or ``","``.
    thousands : str or None
        What stands between groups of three digits.
    encoding : str
        Python's name of the encoding.
    bom : bool
        Whether the file starts with a byte order mark.
    """

    delimiter: str = ","
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    bom: bool = False

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise InputError(
                f"A delimiter must be one character. Got {self.delimiter!r}; use one of {listed(DELIMITERS)}."
            )
        if self.decimal not in DECIMALS:
            raise InputError(f"A decimal mark must be '.' or ','. Got {self.decimal!r}; use one of these.")
        if self.thousands is not None and (self.thousands not in THOUSANDS or self.thousands == self.decimal):
            raise InputError(
                f"A thousands mark must differ from the decimal mark {self.decimal!r} and be one of "
                f"{listed(THOUSANDS, most=6)}. Got {self.thousands!r}; choose another or none."
            )
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise InputError(
                f"An encoding must be one that Python knows. Got {self.encoding!r}; use 'utf-8' or 'cp1252'."
            ) from error


def find_encoding(data: bytes) -> tuple[str, bool]:
    """Return the encoding of `data` and whether it starts with a byte order mark. O(bytes).

    Examples
    --------
    >>> find_encoding("für".encode("cp1252")), find_encoding("a,b".encode("utf-16"))
    (('cp1252', False), ('utf-16', True))
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding, True
    sample = data[:SAMPLE_BYTES]
    if sample[1::2].count(0) > len(sample) // 5:
        return "utf-16-le", False
    if sample[0::2].count(0) > len(sample) // 5:
        return "utf-16-be", False
    for encoding in ("utf-8", "cp1252"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding, False
    return "latin-1", False


def find_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that gives the lines the most regular number of cells, at least two.

    Raises
    ------
    InputError
        If none gives the first line two cells.

    Examples
    --------
    >>> find_delimiter(["name;income", "Ann;1,5", "Bob;2,25"])
    ';'
    """
    best = (0.0, 0, "")
    for delimiter in DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if counts and counts[0] > 1:
            regular = sum(count == counts[0] for count in counts) / len(counts)
            best = max(best, (regular, counts[0], delimiter))
    if not best[2]:
        raise InputError(
            "A table must have at least two columns. Got one; check that the file is the right one, or say which character "
            f"stands between its cells (tried {listed(DELIMITERS)})."
        )
    return best[2]


def find_marks(cells: Iterable[str], delimiter: str) -> tuple[str, str | None, str | None]:
    """Return the decimal mark, the thousands mark or None, and a note on open questions.

    There is a note where the cells leave it open.

    Parameters
    ----------
    cells : iterable of str
        Cells of a sample.
    delimiter : str
        The file's delimiter; with a semicolon, a comma that could be either is taken as a decimal mark.

    Examples
    --------
    >>> find_marks(["1.234,5", "12,25"], ";"), find_marks(["1,234.5", "0.25"], ",")
    ((',', '.', None), ('.', ',', None))
    """
    texts = {cell.strip() for cell in cells}
    sure = {mark: any(_surely_decimal(text, mark) for text in texts) for mark in DECIMALS}
    if sure["."] and sure[","]:
        kept, other = (",", "point") if delimiter == ";" else (".", "comma")
        return kept, None, f"Decimal commas and decimal points both occur; numbers with a {other} stay text."
    if sure[","]:
        return ",", _thousands(texts, ","), None
    grouped = {mark: _example(texts, _other(mark), mark) for mark in DECIMALS}
    certain = {
        mark: any(text.count(mark) > 1 and is_number(text, _other(mark), mark) for text in texts) for mark in DECIMALS
    }
    if grouped[","] and (sure["."] or certain[","]):
        return ".", ",", None
    if certain["."]:
        return ",", ".", None
    if grouped[","]:
        as_decimal = delimiter == ";"
        kind, other = ("decimal", "thousands") if as_decimal else ("thousands", "decimal")
        note = f"A comma is read as {kind} mark in numbers such as {grouped[',']!r}; it could be a {other} mark."
        return (",", _thousands(texts, ","), note) if as_decimal else (".", ",", note)
    note = f"A point is read as decimal mark in numbers such as {grouped['.']!r}; it could be a thousands mark."
    unclear = delimiter == ";" and grouped["."] and not sure["."]
    return ".", _thousands(texts, "."), note if unclear else None


def is_number(text: str, decimal: str, thousands: str) -> bool:
    """Return whether `text` is a number with at least one thousands mark.

    Examples
    --------
    >>> is_number("1.234.567,5", ",", "."), is_number("01.02.2003", ",", ".")
    (True, False)
    """
    return re.fullmatch(number_pattern(decimal, thousands), text) is not None


def number_pattern(decimal: str, thousands: str) -> str:
    """Return the regular expression of numbers whose digits are grouped by a thousands mark."""
    return rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}})+(?:{re.escape(decimal)}\d+)?"


def _other(thousands: str) -> str:
    return "," if thousands == "." else "."


def _thousands(texts: set[str], decimal: str) -> str | None:
    marks = (mark for mark in THOUSANDS if mark != decimal)
    return next((mark for mark in marks if _example(texts, decimal, mark) is not None), None)


def _example(texts: set[str], decimal: str, thousands: str) -> str | None:
    return min((text for text in texts if is_number(text, decimal, thousands)), default=None)


def _surely_decimal(text: str, mark: str) -> bool:
    """Whether `mark` can only be a decimal mark in `text`.

    Not three digits after one to three digits.
    """
    other = _other(mark)
    if re.fullmatch(rf"[+-]?\d*{re.escape(mark)}\d+(?:[eE][+-]?\d+)?", text):
        return re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}", text) is None
    return (
        re.fullmatch(rf"[+-]?\d{{1,3}}(?:[{re.escape(other)} \u00a0\u202f']\d{{3}})+{re.escape(mark)}\d+", text)
        is not None
    )
