"""How inner loops are compiled: they neither make arrays nor keep any, so that none is counted.

Numba counts who holds an array, by an atomic step for every function it passes through. Where threads share the arrays, these steps
wait for one another, and cost more than the work done in small nodes.

A function is compiled anew for every combination of types it is called with, a literal being a type of its own, and what calls it from
Python takes as long to compile as a small function does. Kernels are therefore called with whole numbers of 64 bits, and only entries
can be called from Python. Assigning a tuple to a row of an array compiles the wording of errors: rows are written number by number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
int64: Any = np.int64
boolean: Any = np.bool_
"""Make a value one of this type, whatever it is given as, to numba and to type checkers."""


def entry(function: Function) -> Function:
    """Compile a kernel that Python calls."""
    return _compiled(function)


def kernel(function: Function) -> Function:
    """Compile a function that makes no array and, but for other kernels, returns none; divisions by 0 give infinity."""
    return _compiled(function, no_cpython_wrapper=True)


def inlined(function: Function) -> Function:
    """Compile a kernel into each of its callers, so that no arguments are handed over: with so many arrays, that takes a tenth of a microsecond."""
    return _compiled(function, no_cpython_wrapper=True, forceinline=True)


def _compiled(function: Function, **options: bool) -> Function:
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True, **options)  # type: ignore[call-overload]
    return compiled(function)  # type: ignore[no-any-return]
