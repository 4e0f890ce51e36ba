"""Files written whole or not at all, and the sentence where they cannot be."""

from __future__ import annotations

import errno
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from core.errors import StorageError, said

OPEN, CLOSED = 0o666, 0o600
"""Who may read a file: as the system's mask has it, or its owner alone."""

_LEFT = re.compile(r"\.writing-[0-9a-f]{16}")
_WAYS_OUT = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or have the quota raised",
    errno.EROFS: "make it writable, or choose another place",
    errno.EACCES: "make it writable, or choose another place",
    errno.EPERM: "make it writable, or choose another place",
    errno.EIO: "look after the disk, or choose another place",
}


def write_whole(path: Path, content: bytes, *, flush: bool = True, mode: int = OPEN) -> None:
    """Write a file whole.

    Whoever looks, at any moment, finds what was there before or all of the new content.

    Parameters
    ----------
    path : Path
    content : bytes
    flush : bool
        Whether to wait until it is safe on the disk, so that it outlives a loss of power, too.
    mode : int
        Who may read and write it.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; what was there before is still there.
    """
    aside = path.parent / _name_aside()
    write_new(aside, content, flush=flush, mode=mode)
    try:
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if flush:
        flush_folder(path.parent)


def create_once(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, closed to other users.

    Of several writers the first wins, and no error tells.
    """
    aside = path.parent / _name_aside()
    write_new(aside, content, mode=CLOSED)
    try:
        os.link(aside, path)
    except FileExistsError:
        return
    except OSError:  # a disk that knows no second names
        if not path.exists():
            os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    flush_folder(path.parent)


def write_new(path: Path, content: bytes, *, flush: bool = True, mode: int = OPEN) -> None:
    """Write a file that must not be there yet, safe on the disk.

    Where that fails there is none.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(handle, left) :]
            if flush:
                os.fsync(handle)
        finally:
            os.close(handle)
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def _name_aside() -> str:
    return f".writing-{secrets.token_hex(8)}"


def is_left_aside(name: str) -> bool:
    """Return whether a name is one that `write_whole` gives a file until it takes its place."""
    return _LEFT.fullmatch(name) is not None


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are safe on the disk."""
    with suppress(OSError):  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def reason_of(error: OSError) -> str:
    """Return what the system said, without the path."""
    return error.strerror or said(error)


def way_out(error: OSError) -> str:
    """Return what helps where a file cannot be written."""
    return _WAYS_OUT.get(error.errno or 0, "check the path")


def not_written(what: str, path: Path, error: OSError) -> StorageError:
    """Return the error that says what could not be written, why, and the way out."""
    return StorageError(
        f"{what} must be written where there is room and leave to write. {str(path)!r} could not be ({reason_of(error)}); {way_out(error)}. "
        "What was there is as it was."
    )
