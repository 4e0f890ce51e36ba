"""The folder of a case replaced by another one.

At every moment the old folder or the new one is there.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from core.case.case import Case
from core.errors import InputError, StorageError, listed
from core.files.cases.placing import INTERIM
from core.files.cases.settings import FILE, settings_of
from core.files.cases.storage import FILES, load_case, save_case
from core.files.folder_lock import alone_in
from core.files.writing import flush_folder, not_written

AT_WORKING_FOLDER, EXCHANGE = -100, 2
"""What Linux calls AT_FDCWD and RENAME_EXCHANGE."""


def check_rewritable(folder: Path, case: Case) -> None:
    """Raise unless a folder holds a case, that case, and nothing else.

    Raises
    ------
    InputError
        If it holds another case, or files that case.toml does not name: nobody knows whether rows are in them.
    """
    settings = settings_of(folder)
    named = {FILE, *FILES, *_names_in(settings)}
    others = sorted(one.name for one in folder.iterdir() if not _is_known(one.name, named))
    if others:
        raise InputError(
            f"A folder that is rewritten must hold nothing but its case, as other files may hold rows to be forgotten. Got {listed(others)} in "
            f"{str(folder)!r}; move them out."
        )
    if load_case(folder).key != case.whole().key:
        raise InputError(
            f"The folder must hold the case that records are erased from. {str(folder)!r} holds another version; load it again."
        )


def _names_in(values: object) -> set[str]:
    """Return every text that case.toml says: the names of its files are among them."""
    if isinstance(values, dict):
        return set().union(*map(_names_in, values.values()))
    return {values} if isinstance(values, str) else set()


def _is_known(name: str, named: set[str]) -> bool:
    bare = next((name.removeprefix(start) for start in INTERIM if name.startswith(start)), name)
    return bare in named or name.startswith((".saving-", ".writing-"))


def rewrite_case(before: Case, case: Case, folder: Path) -> None:
    """Put a case in place of the folder of another, of which no file stays.

    The new folder is written beside the old one, made safe on the disk and read back before the two change names in one step. Where the system
    cannot do that (other than on Linux), the old one is moved aside first and back if the new one cannot take its place.

    Parameters
    ----------
    before, case : Case
        What the folder holds, and what it is to hold.
    folder : Path
        Of a saved case.

    Raises
    ------
    InputError
        If the folder holds another case by now, the disk is full or the place cannot be written; the folder is then as it was.
    """
    folder = folder.resolve()
    with alone_in(folder):
        check_rewritable(folder, before)
        _rewrite(case, folder)


def _rewrite(case: Case, folder: Path) -> None:
    start = f".{folder.name}.rewriting-"
    for left in folder.parent.iterdir():
        if left.name.startswith(start):  # of a process that was stopped
            shutil.rmtree(left, ignore_errors=True)
    aside: Path | None = None
    try:
        aside = Path(tempfile.mkdtemp(prefix=start, dir=folder.parent))
        save_case(case, aside)
        shutil.copymode(folder, aside)
        if not _is_same(load_case(aside), case):
            raise InputError("A case must be read back as it was written. This one was not; nothing was changed.")
        _change_names(aside, folder)
        flush_folder(folder.parent)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise not_written("A case that is rewritten", folder, error) from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    if aside.exists():
        raise InputError(
            f"What a folder held must be deleted once its case is rewritten. {str(aside)!r} could not be; delete it."
        )
    flush_folder(folder.parent)


def _is_same(read: Case, case: Case) -> bool:
    """Return whether a case read back has the tables and scores of the one written."""
    return read.data_digest == case.data_digest and np.allclose(
        read.scores("test"), case.scores("test"), rtol=0, atol=1e-9
    )


def _change_names(new: Path, old: Path) -> None:
    """Let two folders change names; what was at `old` is at `new` then."""
    if _exchanged(new, old):
        return
    between = new.with_name(f"{new.name}-old")
    os.rename(old, between)
    try:
        os.rename(new, old)
    except OSError:
        os.rename(between, old)
        raise
    os.rename(between, new)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step, and return whether the system can."""
    with suppress(OSError, AttributeError, TypeError):
        rename: Any = ctypes.CDLL(None, use_errno=True).renameat2
        return bool(rename(AT_WORKING_FOLDER, os.fsencode(one), AT_WORKING_FOLDER, os.fsencode(other), EXCHANGE) == 0)
    return False
