"""Folders that one process at a time changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    HAS_LOCKS = False
else:
    HAS_LOCKS = True


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other thread or process changes a folder, and keep them waiting.

    Where the system or the disk has no such locks, do without. The lock goes with the process that holds it.

    Raises
    ------
    OSError
        If there is no such folder.
    """
    if not HAS_LOCKS:
        yield
        return
    while True:
        handle = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # a network's disk may know none
                fcntl.flock(handle, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(handle), os.stat(folder)):  # else it changed names with another meanwhile
                yield
                return
        finally:
            os.close(handle)


def is_held(folder: Path) -> bool:
    """Return whether a thread or process is changing a folder now, as far as the system tells."""
    if not HAS_LOCKS:
        return False
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
