"""Tables for a terminal, and values for JSON."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from core.command_line.terminal import plain

GAP = "  "
DIGITS = 4
"""Decimals of a number."""
NARROWEST = 16
"""Of a column that gives way."""


def aligned(headers: Sequence[str], rows: Iterable[Sequence[str]], *, keys: int = 1, width: int | None = None) -> str:
    """Return rows as aligned columns.

    A table that is too wide goes on below, its first `keys` columns repeated.

    Parameters
    ----------
    headers : sequence of str
        Column names.
    rows : iterable of sequence of str
        Cells.
    keys : int
        Columns that say what a row is about; aligned left, the others right.
    width : int, optional
        Characters per line; None is the terminal's width.

    Examples
    --------
    >>> print(aligned(["group", "n", "rate"], [["women", "120", "0.5"], ["men", "7", "0.25"]], width=80))
    group    n  rate
    women  120   0.5
    men      7  0.25
    """
    table = _cells(headers, rows)
    widths = [max(len(row[i]) for row in table) for i in range(len(headers))]
    blocks = []
    for columns in _chunks(widths, keys, _columns(width)):
        lines = [
            GAP.join(row[i].ljust(widths[i]) if i < keys else row[i].rjust(widths[i]) for i in columns).rstrip()
            for row in table
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def wrapped(
    headers: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[int], *, width: int | None = None
) -> str:
    """Return rows as aligned columns no wider than the terminal.

    The first column gives way, its words going on below.

    Parameters
    ----------
    headers : sequence of str
        Column names.
    rows : iterable of sequence of str
        Cells.
    words : sequence of int
        Columns of words, which may go on below and are aligned left; the first one, column 0, is as wide as there is room, the others as wide
        as their longest part between commas. Numbers stay on one line.
    width : int, optional
        Characters per line; None is the terminal's width.

    Examples
    --------
    >>> print(wrapped(["rule", "n", "remark"], [["age >= 25 and age < 40", "120", "may be chance"]], [0, 2], width=34))
    rule              n  remark
    age >= 25 and   120  may be chance
    age < 40
    """
    table = _cells(headers, rows)
    parts = [[_parts(cell, i) if i in words else [cell] for i, cell in enumerate(row)] for row in table]
    widths = [max(len(part) for row in parts for part in row[i]) for i in range(len(headers))]
    room = _columns(width) - sum(widths[1:]) - len(GAP) * (len(headers) - 1)
    widths[0] = min(max(room, widths[0], NARROWEST), max(len(row[0]) for row in table))
    lines = []
    for row in table:
        cells = [textwrap.wrap(cell, widths[i]) or [""] if i in words else [cell] for i, cell in enumerate(row)]
        for line in zip_longest(*cells, fillvalue=""):
            shown = (part.ljust(widths[i]) if i in words else part.rjust(widths[i]) for i, part in enumerate(line))
            lines.append(GAP.join(shown).rstrip())
    return "\n".join(lines)


def _cells(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[list[str]]:
    return [[plain(cell) for cell in row] for row in (headers, *rows)]


def _columns(width: int | None) -> int:
    """Return how many characters a line may hold.

    Where None is given, as many as the terminal's.
    """
    return width or shutil.get_terminal_size((120, 24)).columns


def _parts(cell: str, column: int) -> list[str]:
    """Return what must stay on one line.

    Of the first column its words, of others what stands between commas.
    """
    return cell.split() or [""] if column == 0 else cell.replace(", ", ",\n").split("\n")


def _chunks(widths: Sequence[int], keys: int, width: int) -> list[list[int]]:
    first = list(range(keys))
    room = width - sum(widths[i] + len(GAP) for i in first)
    chunks, used = [list(first)], 0
    for i in range(keys, len(widths)):
        if used and used + widths[i] > room:
            chunks.append(list(first))
            used = 0
        chunks[-1].append(i)
        used += widths[i] + len(GAP)
    return chunks


def decimal(value: Any, digits: int = DIGITS) -> str:
    """Return a number with some decimals; "-" where there is none.

    Examples
    --------
    >>> decimal(0.12345), decimal(float("nan")), decimal(1.5e-7), decimal(0.0)
    ('0.1235', '-', '1.5e-07', '0.0000')
    """
    if value is None or (isinstance(value, float | np.floating) and not math.isfinite(value)):
        return "-"
    small = value != 0 and abs(value) < 0.5 * 10**-digits
    return f"{value:.2g}" if small else f"{value:.{digits}f}"


def value_with_interval(value: Any, low: Any, high: Any) -> str:
    """Return a value with its interval.

    Examples
    --------
    >>> value_with_interval(0.5, 0.25, 0.75)
    '0.5000 [0.2500, 0.7500]'
    """
    return f"{decimal(value)} [{decimal(low)}, {decimal(high)}]"
