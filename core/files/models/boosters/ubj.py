"""Universal Binary JSON, as XGBoost writes it."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from core.errors import InputError, LimitError

_NUMBERS: dict[bytes, np.dtype[Any]] = {
    b"i": np.dtype("i1"),
    b"U": np.dtype("u1"),
    b"I": np.dtype(">i2"),
    b"l": np.dtype(">i4"),
    b"L": np.dtype(">i8"),
    b"d": np.dtype(">f4"),
    b"D": np.dtype(">f8"),
}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 30
_MOST = 5_000_000


def read_ubj(data: bytes) -> Any:
    r"""Return what a file holds: dictionaries, lists, texts, numbers, and arrays of numbers.

    Raises
    ------
    InputError
        If it is damaged.
    LimitError
        If it nests deep, or holds very many values outside arrays.

    Examples
    --------
    >>> read_ubj(b"{i\x01a[$d#i\x01\x3f\x80\x00\x00}")
    {'a': array([1.], dtype=float32)}
    """
    reader = _Reader(data)
    try:
        found = reader.value(reader.take(1), 0)
    except (struct.error, UnicodeDecodeError, RecursionError) as error:
        raise _damaged() from error
    if reader.at != len(data):
        raise _damaged()
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MOST
        self.at = 0

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self.at:
            raise _damaged()
        self.at += size
        return self._data[self.at - size : self.at]

    def value(self, mark: bytes, depth: int) -> Any:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise LimitError(
                f"A booster's file can nest {_DEEPEST} levels and hold {_MOST:,} values outside arrays. Got more; save a smaller model."
            )
        if mark == b"{":
            return self._object(depth)
        if mark == b"[":
            return self._array(depth)
        if mark == b"S":
            return self.take(self._size()).decode()
        if mark == b"C":
            return self.take(1).decode()
        if mark in _CONSTANTS:
            return _CONSTANTS[mark]
        return self._numbers(mark, 1)[0].item()

    def _numbers(self, mark: bytes, count: int) -> Any:
        kind = _NUMBERS.get(mark)
        if kind is None:
            raise _damaged()
        values = np.frombuffer(self.take(count * kind.itemsize), dtype=kind)
        return values.astype(kind.newbyteorder("="))

    def _size(self) -> int:
        mark = self.take(1)
        if mark not in (b"i", b"U", b"I", b"l", b"L"):
            raise _damaged()
        return int(self._numbers(mark, 1)[0])

    def _next(self) -> bytes:
        return self._data[self.at : self.at + 1]

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._next() != b"}":
            name = self.take(self._size()).decode()
            found[name] = self.value(self.take(1), depth + 1)
        self.take(1)
        return found

    def _array(self, depth: int) -> Any:
        kind = None
        if self._next() == b"$":
            self.take(1)
            kind = self.take(1)
        if self._next() == b"#":
            self.take(1)
            count = self._size()
            if kind is not None:
                return self._numbers(kind, count)
            return [self.value(self.take(1), depth + 1) for _ in range(min(count, self._left + 1))]
        if kind is not None:
            raise _damaged()
        found = []
        while self._next() != b"]":
            found.append(self.value(self.take(1), depth + 1))
        self.take(1)
        return found


def _damaged() -> InputError:
    return InputError("A booster's file must be whole. This one is damaged or cut off; save or upload it again.")
