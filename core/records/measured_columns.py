"""A table as a matrix of numbers, in which distances between rows are measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from core.typing import Floats

MOST_TEXTS = 200
"""Texts of a column beyond which it is left out of distances: it names records rather than tells of them."""
MOST_COLUMNS = 50
"""Texts of a column that get a column of their own; the rarer ones share one."""


def holds_numbers(values: pd.Series[Any]) -> bool:
    """Return whether a column holds numbers, and not True and False."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def measured_columns(table: pd.DataFrame, names: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """Return some columns of a table as numbers, and the columns that were left out.

    A number less its mean over its standard deviation, a date likewise; a missing one is the median, with a column that says so. A text, and a
    missing one, is a column of zeros and ones over the root of two, so that two texts are as far apart as numbers one deviation apart.
    """
    parts, left_out = [np.empty((len(table), 0))], list[str]()
    for name in names:
        values = table[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            values = values.astype("int64").astype("float64").where(values.notna())
        if holds_numbers(values):
            parts.append(_numbers(values))
            continue
        texts = values.astype(object).where(values.notna(), "").map(str).to_numpy(dtype=object)[:, np.newaxis]
        if len(np.unique(texts)) > MOST_TEXTS:
            left_out.append(name)
            continue
        encoder = OneHotEncoder(max_categories=MOST_COLUMNS, sparse_output=False, handle_unknown="ignore")
        parts.append(encoder.fit_transform(texts) / np.sqrt(2.0))
    return np.hstack(parts), tuple(left_out)


def _numbers(values: pd.Series[Any]) -> Floats:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = ~np.isfinite(numbers)
    if missing.all():
        return np.zeros((len(numbers), 1))
    filled = np.where(missing, np.median(numbers[~missing]), numbers)
    largest = np.abs(filled).max()
    filled = filled / largest if largest > 0.0 else filled
    spread = filled.std()
    scaled = (filled - filled.mean()) / (spread if spread > 0.0 else 1.0)
    return np.column_stack([scaled, missing]) if missing.any() else scaled[:, np.newaxis]
