"""Arrays, scalars and types of data from the bytes of a file, by rules of our own.

Declared sizes are checked before anything is made.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np

from core.errors import InputError
from core.files.models.inert import InertArray
from core.files.tables.limits import show_bytes

NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")

_SIZES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8)}
_PLAIN = re.compile(r"([<>=|]?)(?:([biuf])([1248])|([SU])(\d{1,6}))")
_FIELD = re.compile(r"\w{1,60}")
_MOST_FIELDS = 60
_MOST_DIMENSIONS = 32


def plain_dtype(text: Any) -> np.dtype[Any]:
    """Return the type of data that a short code such as ``<f8`` names.

    Examples
    --------
    >>> plain_dtype("<f8"), plain_dtype("U3")
    (dtype('float64'), dtype('<U3'))
    >>> plain_dtype("i4," * 20_000)
    Traceback (most recent call last):
    core.errors.InputError: A model file must hold arrays of numbers, words or objects. Got one of type 'i4,i4,i4,i4,i4,i4,i4,' and more; save the model again.
    """
    if isinstance(text, str) and text in ("O", "|O", "O8", "|O8"):
        return np.dtype(object)
    if isinstance(text, str) and text in NUMBERS:
        return np.dtype(text)
    found = _PLAIN.fullmatch(text) if isinstance(text, str) else None
    if found is None or (found[2] and int(found[3]) not in _SIZES[found[2]]):
        raise _unknown(text)
    return np.dtype(found[0].replace("=", "<") if found[1] == "=" else found[0])


def record_dtype(names: Any, types: Any, offsets: Any, size: Any) -> np.dtype[Any]:
    """Return a type of data with named fields of plain types that lie within its size."""
    whole = isinstance(size, int) and 0 < size <= 1 << 16
    words = all(isinstance(name, str) and _FIELD.fullmatch(name) for name in names)
    if not whole or not words or not 0 < len(names) <= _MOST_FIELDS or len(names) != len(set(names)):
        raise _unknown(None)
    for kind, offset in zip(types, offsets, strict=True):
        inside = isinstance(offset, int) and 0 <= offset <= size - kind.itemsize
        if kind.hasobject or kind.names or not inside:
            raise _unknown(None)
    return np.dtype({"names": list(names), "formats": list(types), "offsets": list(offsets), "itemsize": size})


def shape_of(value: Any) -> tuple[int, ...]:
    """Return a shape, checked."""
    whole = isinstance(value, tuple | list) and all(type(size) is int and 0 <= size < 1 << 40 for size in value)
    if not whole or len(value) > _MOST_DIMENSIONS:
        raise InputError("A model file must hold arrays of a proper shape. Got one without; save the model again.")
    return tuple(value)


def bytes_needed(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Return how many bytes an array takes; raise where it would hold more items than bytes."""
    count = prod(shape)
    if 0 in shape and max(shape) > 1 << 31:
        raise InputError(
            f"A model file must hold arrays of a proper shape. Got an empty one of {shape}; save the model again."
        )
    if count and not dtype.itemsize and count > 1 << 20:
        raise _unknown(dtype)
    return count * dtype.itemsize


def array_of(data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], order: str) -> InertArray:
    """Return an array over bytes, sharing them.

    Raises unless they are just as many as the array takes.
    """
    needed = bytes_needed(shape, dtype)
    if dtype.hasobject or needed != len(data):
        raise InputError(
            f"An array in a model file must hold what its header says. One says {show_bytes(needed)} and holds {show_bytes(len(data))}; "
            "save or upload it again."
        )
    flat = np.frombuffer(data, dtype=dtype) if needed else np.empty(prod(shape), dtype=dtype)
    return InertArray(flat.reshape(shape[::-1]).T if order == "F" else flat.reshape(shape))


def objects_of(items: Any, shape: tuple[int, ...], order: str) -> InertArray:
    """Return an array of parts of the tree."""
    if not isinstance(items, list) or len(items) != prod(shape):
        raise InputError(
            "An array in a model file must hold what its header says. One does not; save or upload it again."
        )
    flat = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        flat[place] = item
    return InertArray(flat.reshape(shape[::-1]).T if order == "F" else flat.reshape(shape))


def scalar_of(data: bytes, dtype: np.dtype[Any]) -> Any:
    """Return one of numpy's scalars."""
    if dtype.names or dtype.hasobject or len(data) != dtype.itemsize:
        raise InputError(
            "A number in a model file must have as many bytes as its type. One does not; save the model again."
        )
    value = np.zeros(1, dtype=dtype)[0] if not dtype.itemsize else np.frombuffer(data, dtype=dtype)[0]
    return value if dtype.kind in "SU" else dtype.newbyteorder("=").type(value)


def _unknown(got: Any) -> InputError:
    text = str(got) if isinstance(got, str | np.dtype) else "another kind"
    shown = repr(text) if len(text) <= 21 else f"{text[:21]!r} and more"
    return InputError(
        f"A model file must hold arrays of numbers, words or objects. Got one of type {shown}; save the model again."
    )
