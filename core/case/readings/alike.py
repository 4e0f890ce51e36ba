"""Values that a file spells alike: 1, '1', '01', 1.0 and True."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

MISSING_WORDS = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None",
    "n/a", "nan", "null",
)  # fmt: skip
"""Words that pandas reads as a missing cell, besides the empty one."""

READ_AS_MISSING = "read as missing"
"""Where a table's `attrs` say how the missing cells of text columns were spelled, and how often each."""

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
EXACT = 1 << 53
_TRUTH = {"true": 1, "false": 0}


def meaning(value: Any) -> Any:
    """Return what a value reads as: the number it spells or stands for, else its text.

    None is missing.

    Examples
    --------
    >>> [meaning(value) for value in ("01", 1.0, True, "True", "+1", " a ", None)]
    [1, 1, 1, 1, 1, 'a', None]
    """
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return None if np.isnan(number) else int(number) if number.is_integer() else number
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _of_text(text: str) -> Any:
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if NUMBER.fullmatch(text) is None or not text.isascii():
        return text
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text) if len(text) < 4000 else text
    number = float(text)
    return int(number) if number.is_integer() else number


def by_meaning(values: Iterable[Any]) -> tuple[dict[Any, Any], list[Any]]:
    """Return values by what they read as, and those that others read like.

    The latter are in no dictionary: nothing tells which is meant.

    Examples
    --------
    >>> by_meaning(["1", "01", "2"])
    ({2: '2'}, ['1', '01'])
    """
    found = [(meaning(value), value) for value in values]
    times = Counter(read for read, _ in found)
    return (
        {read: value for read, value in found if times[read] == 1},
        [value for read, value in found if times[read] > 1],
    )


def plain_numbers(texts: pd.Series[Any]) -> bool:
    """Return whether all of some texts are numbers, with a point or none."""
    return bool(len(texts)) and all(
        isinstance(text, str) and NUMBER.fullmatch(text.strip()) is not None for text in texts.unique()
    )


def numbers_of_texts(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts that are numbers as numbers: whole ones where all are and none is missing."""
    texts = column.astype(object).map(lambda text: text.strip() if isinstance(text, str) else text)
    return pd.Series(pd.to_numeric(texts), index=column.index, name=column.name)


def texts_of_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers as a file without marks would spell them, missing ones left missing."""
    kept = column.astype(object).where(column.notna(), None)
    return kept.map(lambda value: value if value is None else str(meaning(value)), na_action="ignore").astype("str")
