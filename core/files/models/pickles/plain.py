"""Plain values as pickles spell them."""

from __future__ import annotations

import codecs

from core.files.models.pickles.stream import damaged

_DIGITS = 1_300


def text_of(data: bytes) -> str:
    """Return text spelled in UTF-8."""
    return data.decode("utf-8", "surrogatepass")


def whole_of(data: bytes) -> int:
    """Return a signed whole number, low byte first."""
    if len(data) > _DIGITS:
        raise damaged(f"a whole number has {len(data):,} bytes")
    return int.from_bytes(data, "little", signed=True)


def decimal_of(line: bytes) -> int | bool:
    """Return a whole number spelled in digits; 00 and 01 are truth values."""
    if line in (b"00", b"01"):
        return line == b"01"
    if len(line) > _DIGITS:
        raise damaged(f"a whole number has {len(line):,} digits")
    return int(line.rstrip(b"L"))


def quoted_of(line: bytes) -> str:
    """Return a string of Python 2: bytes between quotes, with escapes."""
    if len(line) < 2 or line[:1] not in (b'"', b"'") or line[-1:] != line[:1]:
        raise damaged("a string has no quotes")
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")
