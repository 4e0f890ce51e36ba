"""Bins of a number: quantiles, around a value that most rows have."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from core.typing import Floats

COMMON = 0.5
"""From this share of the rows on, one value is a bin of its own."""


def default_edges(column: pd.Series[Any]) -> tuple[float, ...]:
    """Return inner bin edges of a numeric column, each a value that occurs.

    They are the quartiles. Where half of the rows or more have one value, it is a bin of its own beside the rest: in thirds where all
    the rest lies on one side of it.

    Examples
    --------
    >>> default_edges(pd.Series(range(20, 60)))
    (30.0, 40.0, 50.0)
    >>> default_edges(pd.Series([0] * 80 + list(range(1, 21))))
    (1.0, 8.0, 14.0)
    """
    values = column.dropna().to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(
            f"A numeric sensitive feature must be finite. Got an infinity in {column.name!r}; replace it or leave the cell empty."
        )
    if values.size == 0:
        return ()
    distinct, counts = np.unique(values, return_counts=True)
    if counts.max() < COMMON * values.size:
        return _quantiles(values, [0.25, 0.5, 0.75])
    common = distinct[np.argmax(counts)]
    below, above = values[values < common], values[values > common]
    edges = [common] if below.size else []
    if above.size:
        edges += [above.min(), *([] if below.size else _quantiles(above, [1 / 3, 2 / 3]))]
    elif below.size:
        edges = [*_quantiles(below, [1 / 3, 2 / 3]), common]
    return tuple(float(edge) for edge in edges)


def _quantiles(values: Floats, at: list[float]) -> tuple[float, ...]:
    found = np.unique(np.quantile(values, at, method="higher"))
    return tuple(float(edge) for edge in found if edge > values.min())


def bin_names(column: pd.Series[Any], edges: tuple[float, ...]) -> tuple[str, ...]:
    """Return what bins are called; one whose rows all have the same value is called by it.

    Examples
    --------
    >>> bin_names(pd.Series([0, 0, 1, 5, 9]), (1.0, 5.0))
    ('0', '1 to <5', '5 and over')
    """
    values = column.dropna().to_numpy(dtype=np.float64)
    texts = [f"{edge:g}" for edge in edges]
    inner = [f"{low} to <{high}" for low, high in itertools.pairwise(texts)]
    names = [f"under {texts[0]}", *inner, f"{texts[-1]} and over"]
    of_bin = (
        pd.Series(values).groupby(np.searchsorted(np.asarray(edges), values, side="right")).agg(["min", "max", "size"])
    )
    for place, (low, high, size) in of_bin.iterrows():
        if low == high and size > 1:
            names[int(place)] = f"{low:g}"  # type: ignore[call-overload]
    return tuple(names)
