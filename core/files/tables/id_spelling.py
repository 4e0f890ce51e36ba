"""Ids of a list beside those of a table, which may spell them otherwise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.case.readings.alike import meaning
from core.errors import listed
from core.files.tables.csv_format import THOUSANDS, number_pattern
from core.files.tables.spelling import without_mark


def match_ids(texts: Iterable[str], known: pd.Index[Any]) -> list[Any]:
    """Return the ids that texts mean: those spelled so, else the one that reads so.

    Zeros in front, a plus sign, thousands marks, decimals that are zero and an apostrophe that marks text are no part of what a number reads
    as. Where several known ids read alike, the spelling decides alone. A text that fits none stays text.

    Examples
    --------
    >>> match_ids(["7", "5.0", "007", "x"], pd.Index([5, 7]))
    [7, 5, 7, 'x']
    >>> match_ids(["7", "07", "8"], pd.Index(["007", "07", "0008"]))
    ['7', '07', '0008']
    """
    by_text: dict[str, Any] = {}
    for one in known.unique():
        if isinstance(one, float) and one.is_integer():
            by_text[str(int(one))] = one
        by_text[str(one)] = one
    found = [by_text.get(text, text) for text in texts]
    if all(text in by_text for text in found if isinstance(text, str)):
        return found
    whole = [(_whole(one), one) for one in known.unique()]
    times = Counter(number for number, _ in whole)
    read = {number: one for number, one in whole if number is not None and times[number] == 1}
    return [_read(one, read) if isinstance(one, str) and one not in by_text else one for one in found]


def spelled_otherwise(texts: Sequence[str], ids: Sequence[Any], known: pd.Index[Any]) -> str:
    """Return a sentence on ids that were found though the table spells them otherwise."""
    own = set(map(str, known))
    pairs = [(text, one) for text, one in zip(texts, ids, strict=True) if text not in own and str(one) in own]
    pairs = [(text, one) for text, one in pairs if text.removesuffix(".0") != str(one).removesuffix(".0")]
    if not pairs:
        return ""
    text, one = pairs[0]
    was = "is" if len(pairs) == 1 else "are"
    return (
        f"{len(pairs):,} of {len(texts):,} {was} spelled otherwise than in the training table, and found by what they read as: "
        f"{text!r} is {listed([one])}."
    )


def _read(text: str, read: dict[int, Any]) -> Any:
    bare = without_mark(text)
    for candidate in (bare, *_without_thousands(bare)):
        number = _whole(candidate)
        if number is not None and number in read:
            return read[number]
    return text


def _whole(one: Any) -> int | None:
    """Return the whole number that an id is or spells; an exponent spells none."""
    if isinstance(one, str):
        text = without_mark(one).strip()
        digits = re.fullmatch(r"([+-]?[0-9]{1,400})(?:\.0*)?", text)
        return int(digits[1]) if digits else None
    found = None if isinstance(one, bool | np.bool_) else meaning(one)
    return found if isinstance(found, int) else None


def _without_thousands(text: str) -> Iterable[str]:
    for mark in THOUSANDS:
        if mark in text and re.fullmatch(number_pattern("," if mark == "." else ".", mark), text):
            yield text.replace(mark, "")
