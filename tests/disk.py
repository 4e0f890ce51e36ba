"""A disk that fails: from a chosen change on it is full, may only be read, or the process is killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FULL, READ_ONLY = errno.ENOSPC, errno.EROFS
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
ROOM = {"open", "write", "mkdir", "link", "fsync", "replace", "rename"}
"""What a full disk refuses; the others take no room."""


class KilledError(BaseException):
    """Stands for the end of the process: nothing that saves catches it."""


class Disk:
    """Counts the changes below a folder, and fails from one of them on.

    Parameters
    ----------
    monkeypatch : MonkeyPatch
    folder : Path
    failure : int or None
        Number of the system's error; None kills the process.
    after : int
        How many changes still succeed.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, folder: Path, failure: int | None = FULL, after: int = 0
    ) -> None:
        self.folder, self.failure, self.left = str(folder), failure, after
        self.failed = False
        self.log: list[tuple[str, Any, Any]] = []
        self._mine: dict[int, tuple[int, int]] = {}
        names = ("open", "write", "fsync", "close", "replace", "rename", "link", "mkdir", "unlink", "rmdir", "utime")
        for name in names:
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if not self._is_change(name, args, options):
                return act(*args, **options)
            if self.left <= 0 and (self.failure != FULL or name in ROOM):
                self.failed = True
                raise KilledError if self.failure is None else OSError(self.failure, os.strerror(self.failure))
            self.left -= 1
            subject = self._mine.get(args[0]) if name in ("write", "fsync") else _inode(args[0])
            done = act(*args, **options)
            if name == "open":
                self._mine[done] = (os.fstat(done).st_dev, os.fstat(done).st_ino)
            self.log.append((name, args, subject))
            return done

        return call

    def _is_change(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> bool:
        if name == "close":
            self._mine.pop(args[0], None)
            return False
        if name in ("write", "fsync"):
            return args[0] in self._mine
        place = args[1] if name in ("replace", "rename", "link") else args[0]
        if isinstance(place, int):
            return False
        path = os.fspath(place)
        if options.get("dir_fd") is not None:
            path = os.path.join(os.readlink(f"/proc/self/fd/{options['dir_fd']}"), path)
        below = os.path.abspath(path).startswith(self.folder + os.sep)
        return below and (name != "open" or bool(args[1] & WRITING))


def _inode(path: Any) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, TypeError):
        return None
    return found.st_dev, found.st_ino
