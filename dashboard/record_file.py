"""The record kept beside a case, as a file that threads and processes take turns with."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from core.files.writing import CLOSED, is_left_aside, write_whole

RECORD = "work.json"
_LOCK = ".lock"

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes], *, hold: bool) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if hold else msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes], *, hold: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_EX if hold else fcntl.LOCK_UN)


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of a folder: empty where there is none, None where it cannot be read."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def update_record(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Replace the record of a folder by what `change` makes of it, whole or not at all.

    One after the other, whichever thread or process asks. A record that cannot be read is set aside.
    """
    with _alone(folder / _LOCK):
        kept = read_record(folder)
        if kept is None:
            _put_aside(folder)
        _write(folder, change(kept or {}))
        _clear_left(folder)


def set_record_aside(folder: Path, names: tuple[str, ...]) -> None:
    """Keep the record of a folder under another name, and go on with these of its values alone."""
    with _alone(folder / _LOCK):
        kept = read_record(folder) or {}
        _put_aside(folder)
        _write(folder, {name: kept[name] for name in names if name in kept})


def _write(folder: Path, record: dict[str, Any]) -> None:
    write_whole(folder / RECORD, json.dumps(record).encode(), mode=CLOSED)


def _clear_left(folder: Path) -> None:
    """Delete what writers left that were killed; there is no other writer now."""
    with suppress(OSError):
        for one in folder.iterdir():
            if is_left_aside(one.name):
                one.unlink()


def _put_aside(folder: Path) -> None:
    with suppress(FileNotFoundError):
        (folder / RECORD).replace(folder / f"damaged-{time.time_ns()}.json")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other thread or process is between here and the end."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), CLOSED)
    with os.fdopen(handle, "r+b") as file:  # Each opening is a holder of its own, also within one process.
        _lock(file, hold=True)
        try:
            yield
        finally:
            _lock(file, hold=False)
