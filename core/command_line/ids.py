"""Ids of records or subjects as they are typed, listed in a file, or asked for by harm."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import core

MAX_BYTES = 50 << 20


class BadArgumentError(core.RedressError, ValueError):
    """Something on the command line cannot be used."""


def typed_ids(texts: Sequence[str], known: pd.Index[Any]) -> list[Any]:
    """Return the ids meant by texts: those of `known` that read so; a text that fits none stays text.

    Examples
    --------
    >>> typed_ids(["7", "x"], pd.Index([5, 7]))
    [7, 'x']
    """
    by_text = {str(one): one for one in known.unique()}
    return [by_text.get(text, text) for text in texts]


def ids_from_list(text: str) -> list[str]:
    """Return the ids in a list separated by commas.

    Examples
    --------
    >>> ids_from_list("a, b,c,")
    ['a', 'b', 'c']
    """
    ids = [part.strip() for part in text.split(",") if part.strip()]
    if not ids:
        raise BadArgumentError(f"--ids must name at least one id. Got {text!r}; write them as a,b,c.")
    return ids


def ids_from_file(path: str, column: str, known: pd.Index[Any]) -> list[str]:
    """Return the ids in a CSV file: its only column, or the one called `column`.

    Parameters
    ----------
    path : str
        The file, in UTF-8.
    column : str
        The name to look for in the first line.
    known : Index
        Ids there are, to tell a first line that is a heading.

    Raises
    ------
    BadArgumentError
        If the file is missing, empty or too large, is not text, or leaves open which column holds the ids.
    """
    rows = _rows(path)
    if column in rows[0]:
        position, rows = rows[0].index(column), rows[1:]
    elif all(len(row) == 1 for row in rows):
        position = 0
        texts = {str(one) for one in known}
        if rows[0][0] not in texts and len(rows) > 1 and rows[1][0] in texts:
            rows = rows[1:]
    else:
        near = difflib.get_close_matches(column, rows[0], n=1)
        hint = f" Is it {near[0]!r}?" if near else ""
        raise BadArgumentError(
            f"{path} must have one column, or one called {column!r}. Got {', '.join(map(repr, rows[0][:5]))}; rename it.{hint}"
        )
    ids = [row[position].strip() for row in rows if len(row) > position and row[position].strip()]
    if not ids:
        raise BadArgumentError(f"{path} must list at least one id. Got none; add a line for each.")
    return ids


def _rows(path: str) -> list[list[str]]:
    file = Path(path)
    if not file.is_file():
        raise BadArgumentError(f"--forget must name a file with ids. Got {path!r}, which is none; check the path.")
    if file.stat().st_size > MAX_BYTES:
        raise BadArgumentError(
            f"A list of ids can be at most {MAX_BYTES >> 20} MB. Got {file.stat().st_size >> 20} MB; leave other columns out."
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
        lines = text.splitlines()
        marks = {mark: lines[0].count(mark) for mark in ",;\t"} if lines else {}
        rows = [
            row
            for row in csv.reader(
                io.StringIO(text, newline=""), delimiter=max(marks, key=lambda mark: marks[mark], default=",")
            )
            if row
        ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadArgumentError(f"{path} must be a CSV file in UTF-8. It is not ({error}); save it so.") from error
    if not rows:
        raise BadArgumentError(f"{path} must list at least one id. Got an empty file; add a line for each.")
    return rows


def amount(text: str, n: int) -> int:
    """Return how many of `n` records "1%" or "120" asks for, at least one.

    Examples
    --------
    >>> amount("1%", 12_000), amount("7", 10)
    (120, 7)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
    if not found or (not found[2] and "." in found[1]) or float(found[1]) == 0:
        raise BadArgumentError(
            f"An amount must be a share such as 1% or a number such as 120. Got {text!r}; write one of these."
        )
    wanted = max(1, round(float(found[1]) / 100 * n)) if found[2] else int(found[1])
    if wanted >= n:
        raise BadArgumentError(
            f"An amount must leave some of the {n:,} records. Got {text!r}, which is {wanted:,}; ask for fewer."
        )
    return wanted
