"""Splitting test rows once into a half for exploring and a half for confirming."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError


def seed_of(y: npt.ArrayLike, group_codes: Sequence[npt.NDArray[Any]]) -> int:
    """Return a seed that follows from the labels and groups alone.

    The same table and roles are therefore split alike by every way in.

    Parameters
    ----------
    y : array-like, shape (n,)
        Labels, as codes.
    group_codes : sequence of ndarray, each of shape (n,)
        The group of every row, one array per sensitive feature.

    Examples
    --------
    >>> seed_of([0, 1, 1], [np.array([0, 1, 0])]) == seed_of(np.array([0, 1, 1]), [np.array([0, 1, 0], dtype=np.int8)])
    True
    """
    columns = [np.asarray(column).astype(np.int64) for column in (y, *group_codes)]
    return zlib.crc32(b"".join(column.tobytes() for column in columns))


def split_test(y: npt.ArrayLike, group_codes: Sequence[npt.NDArray[Any]], seed: int = 0) -> npt.NDArray[np.bool_]:
    """Choose which test rows are kept for confirming, the same rows for the same seed.

    Rows are ordered by label, then by group of each feature, with random order inside; of every two neighbours a coin
    sends one to each half. So every combination of label and groups is halved to within one row. O(n log n).

    Parameters
    ----------
    y : array-like, shape (n,)
        Labels.
    group_codes : sequence of ndarray, each of shape (n,)
        The group of every row, one array per sensitive feature.
    seed : int
        Seed of the random order.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for the rows of the confirm half.

    Raises
    ------
    InputError
        If there are fewer than two rows, or the lengths differ.

    Examples
    --------
    >>> confirm = split_test([0, 0, 0, 0, 1, 1], [np.array([0, 0, 1, 1, 0, 0])])
    >>> [int(confirm[pair].sum()) for pair in ([0, 1], [2, 3], [4, 5])]
    [1, 1, 1]
    """
    labels = np.asarray(y)
    n = len(labels)
    if n < 2:
        raise InputError(
            f"A test table must have at least 2 rows to be split. Got {n}; hand in more rows or switch it off."
        )
    for codes in group_codes:
        if len(codes) != n:
            raise InputError(f"Group codes must have one entry per test row. Got {len(codes)} for {n} rows.")
    generator = np.random.default_rng(seed)
    order = np.lexsort((generator.random(n), *reversed(group_codes), labels))
    coins = generator.integers(0, 2, size=(n + 1) // 2).astype(bool)
    first = np.repeat(coins, 2)[:n]
    confirm = np.empty(n, dtype=bool)
    confirm[order] = first ^ (np.arange(n) % 2 == 1)
    return confirm
