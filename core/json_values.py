"""Values as JSON knows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def rows_for_json(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as dictionaries of values that JSON knows, its index included."""
    return [
        {str(key): value_for_json(value) for key, value in row.items()}
        for row in frame.reset_index().to_dict("records")
    ]


def value_for_json(value: Any) -> Any:
    """Return a value as JSON knows it: NaN and infinities become null.

    Examples
    --------
    >>> value_for_json({"a": np.int64(3), "b": (float("nan"), True)})
    {'a': 3, 'b': [None, True]}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): value_for_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray) or hasattr(value, "to_numpy"):
        return [value_for_json(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
