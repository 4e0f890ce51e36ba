"""How many bits codes of values and of leaves take.

16 where they are few, else 32, for which kernels are compiled apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_SHORT = np.iinfo(np.uint16).max
_largest_short = _SHORT


def code_type(most: int) -> type[np.integer[Any]]:
    """Return the type of codes up to `most`.

    Examples
    --------
    >>> code_type(65_535).__name__, code_type(65_536).__name__
    ('uint16', 'int32')
    """
    return np.uint16 if most <= _largest_short else np.int32


@contextmanager
def long_codes() -> Iterator[None]:
    """Take 32 bits for all codes of this process meanwhile.

    A small table then compiles what a large one needs.
    """
    global _largest_short
    _largest_short = -1
    try:
        yield
    finally:
        _largest_short = _SHORT
