"""Attributes that a fitted transformer has learned, compared with those of another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.tree._tree import Tree

CLOSE = 1e-9
ROUNDING = 1e-12
MOST_SHOWN = 6
KEPT_ROWS = frozenset({"_fit_X"})
"""Attributes without a trailing underscore that hold the rows a transformer was fitted on."""


def difference(stored: Any, given: Any) -> str:
    """Return the first attribute that two fits have not learned alike, in words.

    Those that only one of them has say nothing.
    """
    for name, value in vars(stored).items():
        if _is_learned(name) and hasattr(given, name):
            found = _compare(value, getattr(given, name), f"{type(stored).__name__}.{name}", _rounding(stored, name))
            if found:
                return found
    return ""


def _is_learned(name: str) -> bool:
    return name in KEPT_ROWS or (name.endswith("_") and not name.startswith("_") and "time" not in name)


def _rounding(stored: Any, name: str) -> Any:
    """Return what an attribute may be off by.

    A mean is known to a share of the deviations it is the mean of, which it may be far below.
    """
    if name == "mean_" and getattr(stored, "var_", None) is not None:
        return np.maximum(ROUNDING, CLOSE * np.sqrt(stored.var_))
    return ROUNDING


def _compare(value: Any, twin: Any, where: str, rounding: Any = ROUNDING) -> str:
    if _is_sparse(value) and _is_sparse(twin):
        return "" if same_table(value, twin) else f"{where} stores other values than these rows give"
    if isinstance(value, np.ndarray | np.generic | float | int | str):
        return _compare_arrays(np.asarray(value), np.asarray(twin), where, rounding)
    if isinstance(value, list | tuple):
        if not isinstance(twin, list | tuple) or len(value) != len(twin):
            return f"{where} has another length"
        return _first(_compare(*pair, where) for pair in zip(value, twin, strict=True))
    if isinstance(value, Mapping):
        if not isinstance(twin, Mapping) or list(value) != list(twin):
            return f"{where} has other entries"
        return _first(_compare(value[key], twin[key], where) for key in value if "time" not in str(key))
    if isinstance(value, Tree) and isinstance(twin, Tree):
        nodes, given = (tree.__getstate__()["nodes"] for tree in (value, twin))
        return _compare_arrays(nodes, given, where) or _compare_arrays(value.value, twin.value, where)
    return difference(value, twin) if hasattr(value, "get_params") and hasattr(twin, "get_params") else ""


def _first(found: Iterable[str]) -> str:
    return next((one for one in found if one), "")


def _compare_arrays(value: npt.NDArray[Any], twin: npt.NDArray[Any], where: str, rounding: Any = ROUNDING) -> str:
    if value.shape != twin.shape:
        return f"{where} has {value.size:,} values, these rows give {twin.size:,}"
    if value.dtype.names and value.dtype == twin.dtype:
        return _first(_compare_arrays(value[name], twin[name], where) for name in value.dtype.names)
    if value.dtype.kind in "fiu" and twin.dtype.kind in "fiu":
        close = np.isclose(value.astype(float), twin.astype(float), rtol=CLOSE, atol=rounding, equal_nan=True)
    elif "O" in (value.dtype.kind, twin.dtype.kind):
        pairs = zip(value.ravel(), twin.ravel(), strict=True)
        close = np.array([_alike(one, other) for one, other in pairs], dtype=bool)
    else:
        close = np.asarray(value == twin)
    if close.all():
        return ""
    first = int(np.flatnonzero(~close.ravel())[0])
    return f"{where} stores {_short(value.ravel()[first])} where these rows give {_short(twin.ravel()[first])}"


def _alike(one: Any, other: Any) -> bool:
    """Return whether two entries are the same.

    Where they are arrays of their own, entry by entry, and missing ones are alike.
    """
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return not _compare_arrays(np.asarray(one), np.asarray(other), "")
    if pd.api.types.is_scalar(one) and pd.isna(one):
        return bool(pd.api.types.is_scalar(other) and pd.isna(other))
    try:
        return bool(one == other)
    except (TypeError, ValueError):
        return False


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.size:,} values" if value.size > MOST_SHOWN else f"[{', '.join(map(_short, value.ravel()))}]"
    return f"{value:.10g}" if isinstance(value, float | np.floating) else repr(getattr(value, "item", lambda: value)())


def _is_sparse(value: Any) -> bool:
    return bool(sparse.issparse(value))


def same_table(one: Any, other: Any) -> bool:
    """Return whether two tables hold the same values.

    Numbers to within 1e-9 of their column's largest.
    """
    if one.shape != other.shape:
        return False
    if _is_sparse(one) and _is_sparse(other):
        apart, largest = (np.asarray(abs(each).max(axis=0).todense()) for each in (one - other, one))
        return bool((apart <= CLOSE * largest).all())
    one, other = (np.asarray(each.toarray() if _is_sparse(each) else each) for each in (one, other))
    if one.dtype.kind not in "fiub" or other.dtype.kind not in "fiub":
        return all(map(_alike, one.ravel(), other.ravel()))
    one, other = one.astype(float), other.astype(float)
    allowed = CLOSE * np.max(np.abs(np.nan_to_num(one)), axis=0, initial=0.0)
    with np.errstate(invalid="ignore"):
        alike = (np.abs(one - other) <= allowed) | (one == other) | (np.isnan(one) & np.isnan(other))
    return bool(alike.all())
