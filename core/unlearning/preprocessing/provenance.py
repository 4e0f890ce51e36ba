"""Whether fitted preprocessing equals what the rows at hand give."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from core.errors import said


def preprocessing_difference(fitted: Pipeline, table: Any) -> str:
    """Return the first learned attribute that refitting on `table` changes, in words, or an empty string."""
    try:
        again = clone(fitted).fit(table)
    except (ValueError, TypeError) as error:
        return f"it cannot be fitted on them ({said(error)})"
    return _difference(fitted, again)


def _difference(one: Any, other: Any) -> str:
    for name, value in vars(one).items():
        if not name.endswith("_") or name.startswith("_"):
            continue
        found = _compare(value, getattr(other, name, None), f"{type(one).__name__}.{name}")
        if found:
            return found
    for (_, part), (_, twin) in zip(getattr(one, "steps", ()), getattr(other, "steps", ()), strict=False):
        found = "" if isinstance(part, str) else _difference(part, twin)
        if found:
            return found
    return ""


def _compare(value: Any, twin: Any, where: str) -> str:
    if isinstance(value, np.ndarray | np.generic | float | int):
        return _compare_arrays(np.asarray(value), np.asarray(twin), where)
    if isinstance(value, list | tuple):
        if not isinstance(twin, list | tuple) or len(value) != len(twin):
            return f"{where} has another length"
        return next(
            (found for pair in zip(value, twin, strict=True) for found in [_compare(*pair, where)] if found), ""
        )
    return _difference(value, twin) if hasattr(value, "get_params") and hasattr(twin, "get_params") else ""


def _compare_arrays(value: npt.NDArray[Any], twin: npt.NDArray[Any], where: str) -> str:
    if value.shape != twin.shape:
        return f"{where} has {value.size} values, these rows give {twin.size}"
    if value.dtype.kind in "fiu" and twin.dtype.kind in "fiu":
        close = np.isclose(value.astype(float), twin.astype(float), rtol=1e-9, atol=1e-12, equal_nan=True)
    else:
        close = np.array(
            [a is b or a == b or (a != a and b != b) for a, b in zip(value.ravel(), twin.ravel(), strict=True)],
            dtype=bool,
        )
    if close.all():
        return ""
    first = int(np.flatnonzero(~close.ravel())[0])
    return f"{where} stores {_short(value.ravel()[first])} where these rows give {_short(twin.ravel()[first])}"


def _short(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float | np.floating) else repr(getattr(value, "item", lambda: value)())
