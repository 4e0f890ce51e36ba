"""Type aliases of arrays, sensitive features and progress callbacks, once for all modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Bools: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Codes: TypeAlias = npt.NDArray[np.integer[Any]]
"""Whole numbers of any width, such as indices of classes."""
Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int32]
Longs: TypeAlias = npt.NDArray[np.int64]
Positions: TypeAlias = npt.NDArray[np.intp]
"""Indices of rows, as numpy takes them."""
Singles: TypeAlias = npt.NDArray[np.float32]

Feature: TypeAlias = str | tuple[str, ...]
"""A sensitive feature, or the intersection of several, by name."""
Progress: TypeAlias = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done; may raise to cancel."""


def part_of(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Return a callback for a part of the work, from one share of it to another.

    None where nobody listens.

    Examples
    --------
    >>> shares = []
    >>> half = part_of(lambda share, doing: shares.append(share), 0.5, 1.0)
    >>> half(0.5, "Searching")
    >>> shares
    [0.75]
    """
    if progress is None:
        return None
    report = progress
    return lambda share, doing: report(start + (stop - start) * share, doing)
