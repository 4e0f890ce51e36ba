"""Cells that reading would change for good: codes, words for missing, marked text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.case.readings.alike import EXACT, MISSING_WORDS, READ_AS_MISSING
from core.errors import listed

Spelled = Callable[[Sequence[int]], pd.DataFrame]
"""Gives columns, by their places, as the file spells their cells; an empty cell is an empty text."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MARKED = r"^'(?='*[=+\-@\t\r])"
"""An apostrophe before what a spreadsheet would take for a formula says that the cell is text."""

_ZEROS, _PLUS, _WHOLE = r"0\d+", r"\+\d{5,}", r"[+-]?\d+"
_POWER = r"\d+[eE]\d+"
"""Such as 12e5: programs write an exponent with a sign."""


@dataclass(frozen=True)
class Hints:
    """Kinds of cells that may occur in a file, found in one pass over its bytes.

    Parameters
    ----------
    codes : bool
        Numbers with leading zeros, a plus sign, or an exponent without a sign.
    words : bool
        Words that are read as missing.
    marks : bool
        Text marked by an apostrophe.
    """

    codes: bool = True
    words: bool = True
    marks: bool = True


def hints_of(data: bytes, delimiter: str, encoding: str) -> Hints:
    """Return what may occur in a CSV file. O(bytes)."""
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return Hints()
    try:
        between = re.escape(delimiter.encode(encoding))
    except UnicodeError:
        return Hints()
    start, end = rb'(?:^|[\r\n"]|' + between + rb')"?', rb'(?=$|[\r\n"]|' + between + rb")"
    words = b"|".join(re.escape(word.encode("ascii")) for word in sorted(MISSING_WORDS, key=len, reverse=True))
    return Hints(
        codes=re.search(start + rb"[ ]*(?:\+\d{5}|0\d|\d+[eE]\d)", data) is not None,
        words=re.search(start + b"(?:" + words + b")" + end, data) is not None,
        marks=re.search(rb"'[=+\-@\t\r]", data) is not None,
    )


def keep_spelling(
    frame: pd.DataFrame, spelled: Spelled, hints: Hints, decimal: str, text: Iterable[int] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Return a table in which codes are text as they are spelled, and notes.

    How the missing cells of text columns were spelled stands in the table's `attrs`.

    Parameters
    ----------
    frame : DataFrame
        As pandas reads it; its columns may repeat a name.
    spelled : callable
    hints : Hints
    decimal : str
        The file's decimal mark.
    text : iterable of int
        Places of columns to keep as they are spelled, words for missing cells included.
    """
    columns = {place: frame.iloc[:, place] for place in range(frame.shape[1])}
    asked, notes = set(text), list[str]()
    suspects = [place for place, column in columns.items() if place in asked or _may_be_codes(column, hints)]
    for place, cells in _cells(spelled, suspects):
        if place in asked:
            columns[place] = _text(cells, frozenset())
        elif (example := _code(cells, decimal)) is not None:
            columns[place] = _text(cells, frozenset(MISSING_WORDS))
            notes.append(
                f"{_name(frame, place)} has cells such as {example!r}, which numbers would not keep; it is text."
            )
    words = {}
    missing = [place for place, column in columns.items() if place not in asked and _has_gaps(column)]
    for place, cells in _cells(spelled, missing if hints.words else []):
        found = cells[cells.isin(MISSING_WORDS)].value_counts()
        if len(found):
            empty = int((cells.str.strip() == "").sum())
            words[str(frame.columns[place])] = {str(word): int(n) for word, n in found.items()} | (
                {"": empty} if empty else {}
            )
            notes.append(
                f"{int(found.sum()):,} cells of {_name(frame, place)} are read as missing: {listed(found.index)}. Where a model learned such "
                "a word as a category, they are kept as text."
            )
    if hints.marks:
        notes += _unmark(columns, frame)
    result = pd.DataFrame(columns)
    result.columns = frame.columns
    if words:
        result.attrs[READ_AS_MISSING] = words
    return result, notes


def without_mark(name: str) -> str:
    """Return a text without the apostrophe that says it is no formula.

    Examples
    --------
    >>> without_mark("'=1+1"), without_mark("'tis")
    ('=1+1', "'tis")
    """
    return re.sub(MARKED, "", name)


def _cells(spelled: Spelled, places: Sequence[int]) -> Iterable[tuple[int, pd.Series[str]]]:
    if places:
        table = spelled(places)
        yield from ((place, table.iloc[:, position]) for position, place in enumerate(places))


def _name(frame: pd.DataFrame, place: int) -> str:
    return repr(str(frame.columns[place]))


def _may_be_codes(column: pd.Series[float], hints: Hints) -> bool:
    """Whether numbers may stand for codes, or are too long to be kept as they are."""
    if column.dtype == object:
        return not column.dropna().map(lambda value: isinstance(value, bool)).all()
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    if hints.codes and not column.isna().all():
        return True
    return pd.api.types.is_float_dtype(column) and bool((np.abs(column) >= EXACT).any())


def _code(cells: pd.Series[str], decimal: str) -> str | None:
    """Return a cell that is a code, where all others are whole numbers or missing."""
    texts = cells.str.strip()
    texts = texts[~texts.isin(("", *MISSING_WORDS))]
    whole = texts.str.fullmatch(_WHOLE)
    if not whole.all():
        power = texts.str.fullmatch(_POWER)
        if power.any() and (whole | power).all():
            return str(texts[power].iloc[0])
        return None if texts.str.contains(rf"{re.escape(decimal)}|[eE]", regex=True).any() else _odd(texts, whole)
    padded = texts[texts.str.fullmatch(_ZEROS)]
    if len(padded):
        return str(padded.iloc[0])
    plus = texts[texts.str.fullmatch(_PLUS)]
    if len(plus) and not texts.str.startswith("-").any():
        return str(plus.iloc[0])
    long = texts[texts.str.len() > 15]
    long = long[[not -EXACT < int(text) < EXACT for text in long]]
    kept = len(texts) == len(cells) and all(-(1 << 63) <= int(text) < 1 << 63 for text in long)
    return None if kept or not len(long) else str(long.iloc[0])


def _odd(texts: pd.Series[str], whole: pd.Series[bool]) -> str | None:
    """Return a text that is no number, of a column that pandas leaves partly numbers."""
    odd = texts[~whole & ~texts.str.lower().isin(("true", "false", "inf", "-inf", "infinity", "-infinity"))]
    return str(odd.iloc[0]) if len(odd) else None


def _has_gaps(column: pd.Series[str]) -> bool:
    return isinstance(column.dtype, pd.StringDtype) and bool(column.isna().any())


def _text(cells: pd.Series[str], words: frozenset[str]) -> pd.Series[str]:
    empty = cells.str.strip() == ""
    return cells.mask(empty | cells.isin(words)).astype("str")


def _unmark(columns: dict[int, pd.Series[str]], frame: pd.DataFrame) -> Iterable[str]:
    for place, column in columns.items():
        if isinstance(column.dtype, pd.StringDtype):
            marked = column.str.contains(MARKED, regex=True, na=False)
            if marked.any():
                columns[place] = column.str.replace(MARKED, "", regex=True).astype("str")
                yield (
                    f"{int(marked.sum()):,} cells of {_name(frame, place)} start with an apostrophe that marks text, such as "
                    f"{column[marked].iloc[0][:40]!r}; it is left out."
                )
