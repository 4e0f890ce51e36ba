"""Files written whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

OPEN, CLOSED = 0o666, 0o600
"""Who may read a file: as the system's mask has it, or its owner alone."""


def write_whole(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Write a file whole.

    Whoever looks, at any moment, finds what was there before or all of the new content.

    Parameters
    ----------
    path : Path
    content : bytes
    flush : bool
        Whether to wait until it is safe on the disk, so that it outlives a loss of power, too.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; what was there before is still there.
    """
    aside = _aside(path, content, OPEN, flush=flush)
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
    aside = _aside(path, content, CLOSED, flush=True)
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


def _aside(path: Path, content: bytes, mode: int, *, flush: bool) -> Path:
    """Return a file beside another that holds the content, safe on the disk."""
    aside = path.parent / f".writing-{secrets.token_hex(8)}"
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are safe on the disk."""
    with suppress(OSError):  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
