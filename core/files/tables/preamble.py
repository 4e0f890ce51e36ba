"""Comments, a line `sep=` and bytes of two encodings, mended before a CSV file is read."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import listed
from core.files.tables.csv_format import SAMPLE_BYTES, find_encoding

COMMENT = "#"
SHOWN = 3
_SEP = re.compile(r'^\ufeff?"?sep=(.|\\t)"?\s*$', re.IGNORECASE)
_NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?"


@dataclass
class Plain:
    """A CSV file of lines of cells alone.

    Parameters
    ----------
    data : bytes
    encoding : str or None
        Where it was settled on the way.
    delimiter : str or None
        What a line `sep=` says.
    notes : list of str
    """

    data: bytes
    encoding: str | None = None
    delimiter: str | None = None
    notes: list[str] = field(default_factory=list)


def plain_lines(data: bytes, encoding: str | None) -> Plain:
    """Return a file without its line `sep=` and comments, in one encoding. O(bytes).

    Parameters
    ----------
    data : bytes
    encoding : str, optional
        Where the user has set one; bytes that do not fit it are left to the reader.
    """
    found = Plain(data)
    if encoding is None:
        _in_one_encoding(found)
    used = found.encoding or encoding or find_encoding(found.data)[0]
    if not _may_have_more(found.data, used):
        return found
    try:
        text = found.data.decode(used)
    except (UnicodeError, LookupError):
        return found
    lines = text.splitlines(keepends=True)
    kept = _without_comments(_without_sep(lines, found), found)
    if kept != lines:
        name = {"utf-8-sig": "utf-8"}.get(used, used)
        found.data = "".join(kept).removeprefix("\ufeff").encode(name)
        found.encoding = name
    return found


def _may_have_more(data: bytes, encoding: str) -> bool:
    if encoding.lower().startswith(("utf-16", "utf-32")):
        return True
    head = data[:64].removeprefix(codecs.BOM_UTF8).lower()
    return head.startswith((b"sep=", b'"sep=', b"#")) or re.search(rb"[\r\n]#", data) is not None


def _without_sep(lines: list[str], found: Plain) -> list[str]:
    match = _SEP.match(lines[0].rstrip("\r\n")) if lines else None
    if match is None:
        return lines
    found.delimiter = "\t" if match[1] == "\\t" else match[1]
    return lines[1:]


def _without_comments(lines: list[str], found: Plain) -> list[str]:
    """Leave out lines that start with # and are no rows."""
    start = 0
    while start < len(lines) and lines[start].lstrip("\ufeff").startswith(COMMENT):
        start += 1
    rest, taken = lines[start:], lines[:start]
    if not rest:
        return lines
    width = max(_cells(rest[0], found.delimiter))
    if taken and _is_names(taken[-1], rest[0], found.delimiter):
        rest, taken = [taken[-1].lstrip("\ufeff").lstrip(COMMENT).lstrip(), *rest], taken[:-1]
    kept, quotes = [], 0
    for line in rest:
        if quotes % 2 == 0 and line.startswith(COMMENT) and width > 1 and max(_cells(line, found.delimiter)) < width:
            taken.append(line)
            continue
        quotes += line.count('"')
        kept.append(line)
    if taken:
        shown = listed([line.strip()[:60] for line in taken], most=SHOWN)
        found.notes.append(f"{len(taken):,} lines that start with # are comments and left out: {shown}.")
    return kept


def _cells(line: str, delimiter: str | None) -> list[int]:
    marks = (",", ";", "\t", "|") if delimiter is None else (delimiter,)
    return [len(next(csv.reader([line], delimiter=mark), [])) for mark in marks]


def _is_names(comment: str, line: str, delimiter: str | None) -> bool:
    """Whether the last comment names the columns: as many cells as the first row, no number."""
    widths, cells = _cells(line, delimiter), _cells(comment, delimiter)
    marks = (",", ";", "\t", "|") if delimiter is None else (delimiter,)
    best = max(range(len(marks)), key=lambda place: widths[place])
    names = next(csv.reader([comment.strip().lstrip(COMMENT)], delimiter=marks[best]), [])
    first = next(csv.reader([line], delimiter=marks[best]), [])
    like_row = any(re.fullmatch(_NUMBER, cell.strip()) for cell in first)
    return (
        widths[best] > 1
        and cells[best] == widths[best]
        and like_row
        and not any(re.fullmatch(_NUMBER, name.strip()) for name in names)
    )


def _in_one_encoding(found: Plain) -> None:
    """Turn a file that is UTF-8 but for some lines into UTF-8, and say which these are."""
    data = found.data
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or 0 in data[:SAMPLE_BYTES]:
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        lines = data.splitlines(keepends=True)
    else:
        return
    odd = [place for place, line in enumerate(lines) if not _is_utf8(line)]
    encoded = sum(not line.isascii() for line in lines) > len(odd)
    example = lines[odd[0]]
    byte = next(one for one in re.findall(rb"[\x80-\xff]+", example) if not _is_utf8(one))
    guess = _guess(byte)
    where = f"line {odd[0] + 1:,} has the byte{'s' if len(byte) > 1 else ''} {byte.hex(' ')}, read as {guess!r}"
    if not encoded:
        found.notes.append(
            f"The file is not in UTF-8 and is read as {find_encoding(data)[0]}: {where}; check letters with accents."
        )
        return
    for place in odd:
        lines[place] = _guess(lines[place]).encode()
    found.data, found.encoding = b"".join(lines), "utf-8"
    found.notes.append(
        f"The file mixes encodings: {len(odd):,} of {len(lines):,} lines are not UTF-8 and are read as cp1252; {where}. Check these letters."
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _guess(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def looks_like_row(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether column names are a row: they occur as cells below themselves.

    Examples
    --------
    >>> looks_like_row(["39", "private", "yes"], [["50", "public", "yes"], ["38", "private", "no"]])
    True
    >>> looks_like_row(["age", "work", "yes"], [["50", "public", "yes"], ["38", "private", "no"]])
    False
    """
    cells = [name.strip() for name in names]
    below = [{row[place].strip() for row in rows if place < len(row)} for place in range(len(cells))]
    again = [bool(cell) and cell in seen for cell, seen in zip(cells, below, strict=True)]
    numbers = [re.fullmatch(_NUMBER, cell) is not None for cell in cells]
    words = [hit for hit, number in zip(again, numbers, strict=True) if not number]
    return (any(numbers) and any(words)) or (len(cells) > 1 and sum(again) * 2 > len(cells))
