"""Files compressed by gzip, bzip2, xz or zip, unpacked within the limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from typing import BinaryIO, cast

from core.errors import InputError, LimitError, listed, said
from core.files.tables.limits import MIB, Limits, show_bytes

GZIP, BZIP2, XZ, ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"
WORKBOOK = "xl/workbook.xml"
MOST_XZ_MEMORY = 128 * MIB

_BESIDE = ("__MACOSX/", ".DS_Store", "Thumbs.db")
_OF_SKOPS = "schema.json"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def is_spreadsheet(data: bytes) -> bool:
    """Return whether a file is a spreadsheet of Excel's present format.

    Raises
    ------
    InputError
        If it is protected by a password, or of Excel's format before 2007.
    """
    if data.startswith(OLE):
        if _ENCRYPTED in data:
            raise InputError(
                "A spreadsheet must open without a password. This one is protected by one; save it again without, or as CSV."
            )
        raise InputError("A spreadsheet must be of the format .xlsx. Got an old one (.xls); save it as .xlsx or CSV.")
    return data.startswith(ZIP) and WORKBOOK in _members(data)


def unpacked(data: bytes, limits: Limits) -> bytes:
    """Return the content of a compressed file, and other files as they are. O(bytes).

    Raises
    ------
    LimitError
        If there is more than a table may have.
    InputError
        If it is damaged, protected by a password, or an archive of several files.
    """
    if data.startswith(ZIP):
        return _of_zip(data, limits)
    opened = _opened(data)
    if opened is None:
        return data
    try:
        with opened as file:
            content = file.read(limits.max_bytes + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise InputError(
            f"A compressed table must be whole. It is not ({said(error)}); save or upload it again."
        ) from error
    return _within(content, limits)


def _opened(data: bytes) -> BinaryIO | None:
    if data.startswith(GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=io.BytesIO(data)))
    if data.startswith(BZIP2):
        return cast(BinaryIO, bz2.BZ2File(io.BytesIO(data)))
    if data.startswith(XZ):
        _check_xz(data)
        return cast(BinaryIO, lzma.LZMAFile(io.BytesIO(data)))
    return None


def _check_xz(data: bytes) -> None:
    """Raise if the file asks for more memory than a table of its size can need."""
    try:
        lzma.LZMADecompressor(memlimit=MOST_XZ_MEMORY).decompress(data, max_length=1)
    except lzma.LZMAError as error:
        raise InputError(f"A compressed table must be readable. It is not ({said(error)}); save it again.") from error


def _within(content: bytes, limits: Limits) -> bytes:
    if len(content) > limits.max_bytes:
        raise LimitError(
            f"A table can be at most {show_bytes(limits.max_bytes)} once it is unpacked. Got more; leave out rows or columns that are not needed."
        )
    if content.startswith((GZIP, BZIP2, XZ, ZIP)):
        raise InputError("A compressed table must be compressed once. Got an archive within an archive; unpack it.")
    return content


def _members(data: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
        raise InputError(f"A zip archive must be whole. It is not ({said(error)}); save or upload it again.") from error


def _of_zip(data: bytes, limits: Limits) -> bytes:
    names = [name for name in _members(data) if not name.endswith("/") and not any(one in name for one in _BESIDE)]
    if _OF_SKOPS in names:
        raise InputError(
            "A table must be a CSV or Parquet file, or another that holds rows. Got a model in a skops file; name the table's file."
        )
    if len(names) != 1:
        raise InputError(
            f"A zip archive must hold one file, the table. Got {listed(names) or 'none'}; save the table alone."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.getinfo(names[0]).flag_bits & 1:
                raise InputError(
                    "A zip archive must open without a password. This one is protected by one; save it without."
                )
            with archive.open(names[0]) as file:
                return _within(file.read(limits.max_bytes + 1), limits)
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise InputError(f"A zip archive must be whole. It is not ({said(error)}); save or upload it again.") from error
