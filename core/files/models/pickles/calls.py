"""Calls that a pickle asks for and that stand for plain data.

They give numpy's arrays, scalars and types, bytes and sets.

Everything else that is called becomes a stand-in that remembers the call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from core.files.models.arrays import array_of, objects_of, plain_dtype, record_dtype, scalar_of, shape_of
from core.files.models.inert import InertArray, Made, Name, named
from core.files.models.pickles.stream import Stream, damaged

_NUMPY = ("numpy.core.", "numpy._core.")
_MOST_IN_KEY = 100
_MOST_NUMBERS = 10_000
_PLAIN_KEYS = (str, bytes, int, float, complex, Name, Made, np.generic, type(None))


def call(maker: Any, args: Any, stream: Stream) -> Any:
    """Return what a call stands for, or a stand-in.

    Parameters
    ----------
    maker : object
        What would be called.
    args : object
        A tuple in a proper pickle.
    stream : Stream
        Counts the bytes that are made.
    """
    if not isinstance(maker, Name) or not isinstance(args, tuple):
        return Made(maker, args)
    name = str(maker)
    if name.startswith(_NUMPY):
        return _numpy(name.removeprefix("numpy.").removeprefix("core.").removeprefix("_core."), maker, args, stream)
    if name == "_codecs.encode":
        return _encoded(args, stream)
    if name in ("builtins.bytes", "builtins.bytearray"):
        return _bytes(args, stream)
    if name in ("builtins.set", "builtins.frozenset") and all(isinstance(one, list) for one in args[:1]):
        return (set if name.endswith(".set") else frozenset)(keys(args[0] if args else [], ()))
    if name in ("copyreg._reconstructor", "copyreg.__newobj__") and args:
        return Made(args[0], ())
    return Made(maker, args)


def _numpy(name: str, maker: Name, args: tuple[Any, ...], stream: Stream) -> Any:
    if name == "multiarray.scalar" and len(args) == 2 and isinstance(args[1], bytes):
        stream.spend(len(args[1]))
        return scalar_of(args[1], dtype_of(args[0]))
    if name == "multiarray._reconstruct" and args and named(args[0]) == "numpy.ndarray":
        return InertArray()
    if name == "numeric._frombuffer" and len(args) == 4 and isinstance(args[0], bytes):
        return array_of(args[0], shape_of(args[2]), dtype_of(args[1]), "F" if args[3] == "F" else "C")
    return Made(maker, args)


def _encoded(args: tuple[Any, ...], stream: Stream) -> bytes:
    text, how = args
    if how not in ("latin1", "latin-1"):
        raise damaged("bytes are spelled in an unusual way")
    stream.spend(len(text))
    return bytes(text.encode("latin-1"))


def _bytes(args: tuple[Any, ...], stream: Stream) -> bytes:
    if not args:
        return b""
    if isinstance(args[0], bytes):
        return args[0]
    if not isinstance(args[0], str):
        raise damaged("bytes are made of something else")
    return _encoded((args[0], args[1] if len(args) == 2 else "latin-1"), stream)


def dtype_of(part: Any) -> np.dtype[Any]:
    """Return the type of data that a stand-in for one describes."""
    state = part.state if isinstance(part, Made) else None
    if state is None or not state[3]:
        return _plain(part, state)
    names, fields = state[3], state[4]
    types = [_plain(one, one.state if isinstance(one, Made) else None) for one in (fields[name][0] for name in names)]
    return record_dtype(names, types, [fields[name][1] for name in names], state[5])


def _plain(part: Any, state: Any) -> np.dtype[Any]:
    if isinstance(part, Name) and part.module == "numpy":
        return plain_dtype(part.name)
    maker = named(part.maker) if isinstance(part, Made) else ""
    if maker.startswith("numpy.dtypes."):
        return plain_dtype(maker.removeprefix("numpy.dtypes.").removesuffix("DType").lower())
    if maker != "numpy.dtype":
        raise damaged("an array has no type")
    code = "O" if named(part.args[0]) == "builtins.object" else part.args[0]
    plain = plain_dtype(code)
    if state is None:
        return plain
    if state[2] is not None or state[3]:
        raise damaged("an array has a type within a type")
    return plain.newbyteorder(">") if state[1] == ">" else plain


def set_state(target: Any, state: Any, stream: Stream) -> None:
    """Give a stand-in the state that a pickle asks it to be given."""
    if isinstance(target, Made):
        target.state = state
    elif isinstance(target, InertArray):
        if target.values is not None:
            raise damaged("an array gets its items twice")
        target.values = _filled(state, stream).values
    else:
        raise damaged("a state is given to what has none")


def _filled(state: Any, stream: Stream) -> InertArray:
    _, shape, kind, by_columns, items = state
    dtype, order = dtype_of(kind), "F" if by_columns else "C"
    if dtype.hasobject:
        stream.spend(8 * len(items))
        return objects_of(items, shape_of(shape), order)
    if not isinstance(items, bytes):
        raise damaged("an array has no bytes")
    return array_of(items, shape_of(shape), dtype, order)


def keys(found: list[Any], beside: Any) -> list[Any]:
    """Return what may be looked up quickly; raise for what cannot be, or is made to be slow.

    Parameters
    ----------
    found : list
        Keys to add.
    beside : collection
        Those there are. Numbers can be chosen to meet in one place of a table; of them there may be `_MOST_NUMBERS`.
    """
    for one in found:
        if isinstance(one, tuple):
            if len(one) > _MOST_IN_KEY or not all(isinstance(item, _PLAIN_KEYS) for item in one):
                raise damaged("a dictionary has a key that is no plain value")
        elif not isinstance(one, _PLAIN_KEYS) or isinstance(one, np.void):
            raise damaged("a dictionary has a key that is no plain value")
    if len(found) + len(beside) > _MOST_NUMBERS and not _words(found):
        raise damaged(f"a dictionary has more than {_MOST_NUMBERS:,} keys that are not words")
    return found


def _words(found: Iterable[Any]) -> bool:
    return all(isinstance(one, str | bytes) for one in found)
