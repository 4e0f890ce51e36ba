"""The zip of an evidence pack, in one form.

The same files always give the same bytes, and no other bytes are read.

Nothing is compressed, no field is left to choose, and what is read is built again and compared. So a byte changed anywhere, in a header as in a
file, is found, and there is nothing to unpack that could be larger than the file itself.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping

from core.errors import InputError

MOST_BYTES = 512 << 20
MOST_FILES = 5_000
NAME = re.compile(rb"[a-z0-9_]+(/[a-z0-9_]+)*\.[a-z]{2,4}")
"""Of a file: folders and a name, which lead nowhere else."""
VERSION, UNIX, REGULAR, FIRST_OF_1980 = 20, 3 << 8, 0o100644 << 16, 0x21
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
LOCAL_FORM, CENTRAL_FORM, END_FORM = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")


class BrokenPackError(InputError):
    """The bytes are not those of a whole pack."""


def pack_of_files(files: Mapping[str, bytes]) -> bytes:
    """Return the zip of files, in the order given.

    Examples
    --------
    >>> files = {"a.txt": b"one", "tables/b.csv": b"two"}
    >>> files_of_pack(pack_of_files(files)) == files
    True
    """
    parts, directory, place = [], [], 0
    for name, content in files.items():
        written = name.encode("ascii")
        sizes = zlib.crc32(content), len(content), len(content)
        head = LOCAL_FORM.pack(LOCAL, VERSION, 0, 0, 0, FIRST_OF_1980, *sizes, len(written), 0) + written
        directory.append(
            CENTRAL_FORM.pack(
                CENTRAL,
                VERSION | UNIX,
                VERSION,
                0,
                0,
                0,
                FIRST_OF_1980,
                *sizes,
                len(written),
                0,
                0,
                0,
                0,
                REGULAR,
                place,
            )
            + written
        )
        parts += [head, content]
        place += len(head) + len(content)
    listed = b"".join(directory)
    end = END_FORM.pack(END, 0, 0, len(files), len(files), len(listed), place, 0)
    return b"".join([*parts, listed, end])


def files_of_pack(content: bytes) -> dict[str, bytes]:
    """Return the files of a pack, in their order.

    Raises
    ------
    BrokenPackError
        If these are not, to the byte, what `pack_of_files` writes; the sentence says where.
    """
    files: dict[str, bytes] = {}
    place = 0
    while content[place : place + 4] == LOCAL:
        name, place = _name_at(content, place)
        if name in files:
            raise BrokenPackError(f"The pack holds {name!r} twice.")
        size = LOCAL_FORM.unpack_from(content, place - len(name) - LOCAL_FORM.size)[8]
        if place + size > len(content):
            raise BrokenPackError(f"The pack ends within {name!r}: it is not whole.")
        files[name] = content[place : place + size]
        place += size
        if len(files) > MOST_FILES:
            raise BrokenPackError(f"The pack holds more than {MOST_FILES:,} files.")
    if not files:
        raise BrokenPackError("The file is not an evidence pack: it does not begin like one.")
    again = pack_of_files(files)
    if again != content:
        raise BrokenPackError(_first_difference(content, again, files))
    return files


def _name_at(content: bytes, place: int) -> tuple[str, int]:
    """Return the name in the header at a place, and where its content begins."""
    if place + LOCAL_FORM.size > len(content):
        raise BrokenPackError("The pack ends within a header: it is not whole.")
    _, _, _, method, _, _, _, _, _, length, extra = LOCAL_FORM.unpack_from(content, place)
    begin = place + LOCAL_FORM.size
    name = content[begin : begin + length]
    if len(name) > 200 or not NAME.fullmatch(name):
        raise BrokenPackError(f"The pack names a file {name[:80]!r}, which no pack holds.")
    if method or extra:
        raise BrokenPackError(
            f"The pack holds {name.decode()!r} in a form that no pack has: nothing in one is compressed."
        )
    return name.decode(), begin + length


def _first_difference(content: bytes, again: bytes, files: Mapping[str, bytes]) -> str:
    if len(content) < len(again):
        return "The pack ends too early: it is not whole."
    shared = min(len(content), len(again))
    place = next((i for i in range(shared) if content[i] != again[i]), shared)
    return f"The pack was changed at byte {place:,}, in {_part_at(place, files)}."


def _part_at(place: int, files: Mapping[str, bytes]) -> str:
    at = 0
    for name, content in files.items():
        at += LOCAL_FORM.size + len(name) + len(content)
        if place < at:
            return f"the header of {name!r}"
    return "its directory" if place < at + sum(CENTRAL_FORM.size + len(name) for name in files) else "its end"
