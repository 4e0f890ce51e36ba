"""How inner loops are compiled: they neither make arrays nor keep any, so that none is counted.

Numba counts who holds an array, by an atomic step for every function it passes through. Where threads share the arrays, these steps
wait for one another, and cost more than the work done in small nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function that makes no array and, but for other kernels, returns none; divisions by 0 give infinity."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]
    return compiled(function)  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """Compile a kernel into each of its callers, so that no arguments are handed over: with so many arrays, that takes a tenth of a microsecond."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)  # type: ignore[call-overload]
    return compiled(function)  # type: ignore[no-any-return]
