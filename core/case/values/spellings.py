"""Values that people wrote in several ways: 'Male', 'male' and 'Male '."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

MOST_SPELLINGS = 5_000
"""Columns of more different texts than this are no groups, and not looked through."""
MOST_SHOWN = 3


def folded(text: str) -> str:
    r"""Return a text without what people write differently: capitals, spaces, widths of signs.

    Examples
    --------
    >>> folded("  New\u00a0 York ") == folded("new york")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def spelled_alike(sizes: Mapping[str, int]) -> tuple[dict[str, int], ...]:
    """Return sets of texts that differ by capitals or spaces only, the commonest first.

    Parameters
    ----------
    sizes : mapping of str to int
        Texts, and how many rows have each.

    Examples
    --------
    >>> spelled_alike({"Male": 5, "male ": 7, "Female": 9})
    ({'male ': 7, 'Male': 5},)
    """
    by_folding: dict[str, dict[str, int]] = {}
    for text, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        by_folding.setdefault(folded(text), {})[text] = size
    return tuple(one for one in by_folding.values() if len(one) > 1)


def spellings_of(column: pd.Series[Any]) -> tuple[dict[str, int], ...]:
    """Return the sets of a column's texts that differ by capitals or spaces only. O(rows)."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return ()
    try:
        counts = column.value_counts()
    except TypeError:  # cells that are lists, say
        return ()
    if len(counts) > MOST_SPELLINGS:
        return ()
    return spelled_alike({text: int(size) for text, size in counts.items() if isinstance(text, str)})


def one_spelling(texts: Iterable[str]) -> dict[str, str]:
    """Return a name for each folded text: its commonest spelling, without outer spaces.

    Examples
    --------
    >>> one_spelling(["Male", "male ", "male ", "Female"])
    {'female': 'Female', 'male': 'male'}
    """
    counts = Counter(texts)
    names: dict[str, str] = {}
    for text in sorted(counts, key=lambda one: (-counts[one], one)):
        names.setdefault(folded(text), " ".join(text.split()))
    return dict(sorted(names.items(), key=lambda item: item[1]))


def alike_sentence(feature: str, sets: Iterable[Mapping[str, int]]) -> str:
    """Return in a sentence which groups differ by capitals or spaces only.

    Examples
    --------
    >>> alike_sentence("sex", [{"male": 7, "Male ": 5}])
    "In sex, 'male' (7 rows) and 'Male ' (5 rows) differ by capitals or spaces only."
    """
    every = list(sets)
    told = [
        " and ".join(f"{text!r} ({size:,} {'row' if size == 1 else 'rows'})" for text, size in one.items())
        for one in every[:MOST_SHOWN]
    ]
    more = len(every) - MOST_SHOWN
    told += [f"{more:,} more such sets"] if more > 0 else []
    return f"In {feature}, {'; '.join(told)} differ by capitals or spaces only."
