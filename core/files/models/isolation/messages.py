"""Plain values as bytes, for what processes tell one another.

A closed form that builds nothing but what it lists: `None`, `bool`, `int`, `float`, `str`, `bytes`, lists, tuples, dictionaries, and numpy's
arrays of numbers and truth values.
"""

from __future__ import annotations

import json
import struct
from math import prod
from typing import Any

import numpy as np

_PLAIN = (bool, int, float, str, type(None))
_LENGTHS = struct.Struct(">QI")
_KINDS = "biuf"
_BROKEN = "A message between processes must be whole. Got one that is not."


def pack(value: Any) -> bytes:
    """Return a plain value as bytes.

    Raises
    ------
    TypeError
        If it holds another type than those listed above.

    Examples
    --------
    >>> unpack(pack({"rows": [1, 2.5, None], "file": b"PK"}))
    {'rows': [1, 2.5, None], 'file': b'PK'}
    """
    blobs: list[bytes] = []
    text = json.dumps(_flat(value, blobs)).encode()
    sizes = struct.pack(f">{len(blobs)}Q", *map(len, blobs))
    return b"".join((_LENGTHS.pack(len(text), len(blobs)), sizes, text, *blobs))


def unpack(data: bytes) -> Any:
    """Return the plain value that `pack` wrote.

    Raises
    ------
    ValueError
        If the bytes are not as `pack` writes them.
    """
    try:
        size, n = _LENGTHS.unpack_from(data)
        sizes = struct.unpack_from(f">{n}Q", data, _LENGTHS.size)
        at = _LENGTHS.size + 8 * n
        text, at = data[at : at + size], at + size
        blobs = []
        for length in sizes:
            blobs.append(data[at : at + length])
            at += length
        if at != len(data):
            raise ValueError(_BROKEN)
        return _whole(json.loads(text), blobs)
    except (struct.error, LookupError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(_BROKEN) from error


def _flat(value: Any, blobs: list[bytes]) -> Any:
    if isinstance(value, _PLAIN) and type(value) in _PLAIN:
        return value
    if isinstance(value, list):
        return [_flat(one, blobs) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [_flat(one, blobs) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[_flat(key, blobs), _flat(one, blobs)] for key, one in value.items()]}
    if isinstance(value, bytes):
        blobs.append(value)
        return {"bytes": len(blobs) - 1}
    if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
        blobs.append(np.ascontiguousarray(value).tobytes())
        return {"array": [value.dtype.str, list(value.shape), len(blobs) - 1]}
    raise TypeError(f"A message between processes must be of plain values. Got {type(value).__name__}.")


def _whole(value: Any, blobs: list[bytes]) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list):
        return [_whole(one, blobs) for one in value]
    ((kind, held),) = value.items()
    if kind == "tuple":
        return tuple(_whole(one, blobs) for one in held)
    if kind == "dict":
        return {_whole(key, blobs): _whole(one, blobs) for key, one in held}
    if kind == "bytes":
        return blobs[held]
    if kind == "array":
        code, shape, place = held
        return _array(code, shape, blobs[place])
    raise ValueError(_BROKEN)


def _array(code: str, shape: list[int], blob: bytes) -> Any:
    if len(code) > 4 or code[1] not in _KINDS or prod(shape) * int(code[2:]) != len(blob):
        raise ValueError(_BROKEN)
    return np.frombuffer(blob, dtype=code).reshape(shape).copy()
