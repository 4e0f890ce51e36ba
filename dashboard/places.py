"""Folders of cases on the server's disk: each there as a whole, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.files.folder_lock import alone_in, is_held
from core.files.home import home_folder
from core.files.writing import flush_folder

STORING, DELETED = ".storing-", ".deleted-"
"""What names of folders start with that are no cases yet, or none any more; no id starts so."""
LEFT_S = 60.0
"""How old a folder must be to be taken for one that a stopped process left, unless somebody holds it."""


def root() -> Path:
    """Return the folder of all cases, which may not be there yet.

    Raises
    ------
    StorageError
        If nobody knows where it is to be.
    """
    return home_folder() / "cases"


def made_root() -> Path:
    """Return the folder of all cases, made if need be and closed to other users."""
    folder = root()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def storing(case_id: str) -> Iterator[Path]:
    """Give a folder to fill, which takes its place among the cases at the end of the block.

    Nothing is left of it where the block fails; where the process is killed, `clear_left` deletes it.
    """
    aside = made_root() / f"{STORING}{case_id}"
    aside.mkdir(mode=0o700)
    try:
        with alone_in(aside):
            yield aside
            flush_folder(aside)
            os.rename(aside, root() / case_id)
        flush_folder(root())
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def delete_whole(folder: Path) -> None:
    """Delete a folder: gone for everybody in one step, and then its files.

    Raises
    ------
    OSError
        If it is not there or cannot be deleted.
    """
    aside = folder.parent / f"{DELETED}{secrets.token_hex(8)}"
    os.rename(folder, aside)
    shutil.rmtree(aside)


def clear_left() -> None:
    """Delete what uploads and deletions left that were stopped."""
    with suppress(OSError):
        for one in root().iterdir():
            with suppress(OSError):
                stopped = one.name.startswith(STORING) and time.time() - one.stat().st_mtime > LEFT_S
                if one.name.startswith(DELETED) or (stopped and not is_held(one)):
                    shutil.rmtree(one, ignore_errors=True)
