"""Taking a packed pickle out of its packing, never beyond a size."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any

from core.errors import InputError, LimitError
from core.files.models.pickles.stream import damaged
from core.files.tables.limits import MIB, ModelLimits, show_bytes

_PIECE = 16 * MIB
_LZMA_MEMORY = 256 * MIB
_MOST_MEMBERS = 16


class _Zlib:
    """zlib's and gzip's way of unpacking, under the names that bz2 and lzma have for it."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=47)

    def decompress(self, data: bytes, size: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, size)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


_PACKINGS: tuple[tuple[tuple[bytes, ...], Callable[[], Any]], ...] = (
    ((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b"), _Zlib),
    ((b"BZh",), bz2.BZ2Decompressor),
    ((b"\xfd7zXZ", b"\x5d\x00\x00"), lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)),
)


def unpack_pickle(data: bytes, limits: ModelLimits) -> bytes:
    """Return the pickle in a file packed by zlib, gzip, bz2, lzma or xz.

    A file that is not packed is returned as it is.

    Raises
    ------
    LimitError
        If it unpacks to more than `max_unzipped`.
    InputError
        If it is damaged, or packed in another way that joblib knows.
    """
    if data.startswith(b'\x04"M\x18'):
        raise InputError(
            "A joblib file must be packed by zlib, gzip, bz2, lzma or xz, or not at all. Got lz4; save the model with joblib.dump(model, path, compress=3)."
        )
    if data.startswith(b"ZF"):
        raise InputError("A joblib file must be of joblib 0.10 or later. Got one from before; save the model again.")
    for starts, make in _PACKINGS:
        if data.startswith(starts):
            try:
                return _unpacked(data, make, limits)
            except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
                if isinstance(error, InputError):
                    raise
                raise damaged(f"what is packed cannot be unpacked ({error})") from error
    return data


def _unpacked(data: bytes, make: Callable[[], Any], limits: ModelLimits) -> bytes:
    pieces, size, rest = [], 0, data
    for _ in range(_MOST_MEMBERS):
        inner = make()
        piece = inner.decompress(rest, _PIECE)
        while True:
            pieces.append(piece)
            size += len(piece)
            if size > limits.max_unzipped:
                raise LimitError(
                    f"A model file can unpack to at most {show_bytes(limits.max_unzipped)}. Got more; save a smaller model."
                )
            if inner.eof or not piece:
                break
            piece = inner.decompress(b"", _PIECE)
        if not inner.eof:
            raise damaged("what is packed is cut off")
        # Members may follow one another; joblib stops at the first that is none.
        rest = inner.unused_data.lstrip(b"\0")
        if not rest.startswith(data[:2]):
            return b"".join(pieces)
    raise damaged(f"it is packed in more than {_MOST_MEMBERS} pieces")
