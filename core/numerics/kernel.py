"""How loops are compiled, and what is kept of that on disk.

Kernels, the inner loops of trees, neither make arrays nor keep any, so that none is counted: numba counts who holds an array by an
atomic step for every function it passes through. Where threads share the arrays, these steps wait for one another, and cost more than
the work done in small nodes.

A function is compiled anew for every combination of types it is called with, a literal being a type of its own, and what calls it from
Python takes as long to compile as a small function does. Kernels are therefore called with whole numbers of 64 bits, and only entries
can be called from Python. Assigning a tuple to a row of an array compiles the wording of errors: rows are written number by number.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numba import njit, typeof

Function = TypeVar("Function", bound=Callable[..., Any])
int64: Any = np.int64
boolean: Any = np.bool_
"""Make a value one of this type, whatever it is given as, to numba and to type checkers."""


def _sources(folder: Path) -> str:
    """Return what tells the sources of all kernels from any others."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.py")))).hexdigest()


_SOURCES = _sources(Path(__file__).parent)


def compiled(function: Function) -> Function:
    """Compile a function that may make arrays; divisions by 0 raise, as in Python."""
    return _compiled(function)


def unchecked(function: Function) -> Function:
    """Compile a function that may make arrays; divisions by 0 give infinity."""
    return _compiled(function, error_model="numpy")


def reordered(function: Function) -> Function:
    """Compile a function that may make arrays, and whose sums may be taken in another order."""
    return _compiled(function, fastmath=True)


def entry(function: Function) -> Function:
    """Compile a kernel that Python calls."""
    return _compiled(function, **_KERNEL)


def kernel(function: Function) -> Function:
    """Compile a function that makes no array and, but for other kernels, returns none.

    Divisions by 0 give infinity.
    """
    return _compiled(function, **_KERNEL, no_cpython_wrapper=True)


def inlined(function: Function) -> Function:
    """Put a kernel into each of its callers before these are compiled.

    So it is not compiled on its own as well, and no arguments are handed over: with so many arrays, that takes a tenth of a microsecond.
    """
    return _compiled(function, **_KERNEL, no_cpython_wrapper=True, inline="always")


_KERNEL = {"error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}


def direct(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[..., Any]:
    """Return what calls a compiled function with arguments of the same types as these.

    The types of arguments are not looked at again.

    With a hundred arrays among them, looking takes 20 microseconds; other threads of Python wait meanwhile. Arrays have to be as
    contiguous as those given, too.
    """
    if not hasattr(function, "overloads"):  # numba is told not to compile
        return function
    types = tuple(typeof(argument) for argument in arguments)  # type: ignore[no-untyped-call]
    if types not in function.overloads:
        function.compile(types)  # type: ignore[attr-defined]
    return function.overloads[types].entry_point  # type: ignore[no-any-return]


def _make_optional(kept: Any) -> None:
    """Let nothing depend on what is kept on disk.

    What is damaged is compiled anew, and what the disk has no room for is compiled by the next process again.
    """
    load, save = kept.load, kept.save

    def loaded(key: Any) -> Any:
        try:
            return load(key)
        except Exception:  # what a loss of power left may be anything
            return None

    def saved(key: Any, data: Any) -> None:
        try:
            save(key, data)
        except OSError:
            return
        except Exception:
            _begin_anew(kept, lambda: save(key, data))

    kept.load, kept.save = loaded, saved


def _begin_anew(kept: Any, save: Callable[[], None]) -> None:
    """Replace an index that cannot be read."""
    try:
        kept.flush()
        save()
    except OSError:
        return


def _compiled(function: Function, **options: Any) -> Function:
    """Compile a function.

    What is kept of it on disk holds for these sources alone, as numba looks at none that it calls into. Numba keeps it beside the
    sources, or in the user's cache where that folder may not be written; where neither may, nothing is kept.
    """
    try:
        dispatcher: Any = njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # no folder can be written
        return njit(nogil=True, **options)(function)  # type: ignore[no-any-return]
    if hasattr(dispatcher, "_cache"):  # else numba is told not to compile
        kept = dispatcher._cache._cache_file
        # What other sources left, or the same ones by another name, is not even read: it may name modules there are no more.
        kept._version = f"{kept._version} {function.__module__} {_SOURCES}"
        kept._source_stamp = _SOURCES
        # Of two processes that compile at once none writes to a file that the other's index names.
        kept._data_name_pattern = kept._data_name_pattern.replace("{number", f"{os.getpid()}-{{number")
        _make_optional(kept)
    return dispatcher  # type: ignore[no-any-return]
