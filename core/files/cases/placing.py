"""The files of a saved case put in place, all of the old case or all of the new one.

What a folder holds is what its case.toml names, and case.toml is replaced in one step. A folder that is not there yet is written beside
its place and then given its name. Into one that is there, new files are put beside the old ones under names of their own, case.toml is
made to name them, they take the old ones' names as well, and case.toml is made to name them so. Each step is safe on the disk before the
next: whoever is stopped in between, by a loss of power, too, leaves a whole case, and perhaps files that nothing names.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from core.files.folder_lock import alone_in, is_held
from core.files.writing import flush_folder, is_left_aside, write_new, write_whole

INTERIM = (".new-", ".next-")
"""What names of files start with until they take the old ones' place; the second where a save that was stopped left the first in use."""
LEFT_S = 60.0
"""How old a folder must be to be taken for one that a stopped process left, unless somebody holds it."""

_SAVING = re.compile(r"\.saving-[0-9a-z_]{8,16}")


def put_in_place(
    files: Mapping[str, bytes], folder: Path, index: str, text: Callable[[str], str], known: Iterable[str]
) -> None:
    """Put files in place, the index that names them last.

    Parameters
    ----------
    files : mapping of str to bytes
        By name.
    folder : Path
        Made where it is not there.
    index : str
        Name of the file that names the others.
    text : callable
        Gives what the index says where the others' names start with the text it is called with.
    known : iterable of str
        Names of all files that a case may have; those that this one has not are deleted at the end.

    Raises
    ------
    OSError
        If the disk is full or may not be written; the folder is then as it was.
    """
    if folder.exists() or not _made_whole(files, folder, index, text("")):
        with alone_in(folder):
            _put_among(files, folder, index, text, known)


def _made_whole(files: Mapping[str, bytes], folder: Path, index: str, text: str) -> bool:
    """Make the folder with all files in one step, and return whether nobody else made it first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _clear_left(folder.parent)
    aside = folder.parent / f".saving-{secrets.token_hex(8)}"
    aside.mkdir()
    try:
        with alone_in(aside):
            for name, content in {**files, index: text.encode()}.items():
                write_new(aside / name, content)
            flush_folder(aside)
            if folder.exists():
                return False
            os.rename(aside, folder)
        flush_folder(folder.parent)
    except OSError:
        if folder.exists() and aside.exists():
            return False
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return True


def _clear_left(parent: Path) -> None:
    """Delete what saves that were stopped left beside the place of a new folder."""
    with suppress(OSError):
        for one in parent.iterdir():
            with suppress(OSError):
                if _SAVING.fullmatch(one.name) and time.time() - one.stat().st_mtime > LEFT_S and not is_held(one):
                    shutil.rmtree(one, ignore_errors=True)


def _put_among(
    files: Mapping[str, bytes], folder: Path, index: str, text: Callable[[str], str], known: Iterable[str]
) -> None:
    """Put files among those of a folder; nobody else does at the same time."""
    target = folder / index
    prefix = _free_prefix(target)
    interim = [folder / f"{prefix}{name}" for name in files]
    try:
        for path, content in zip(interim, files.values(), strict=True):
            path.unlink(missing_ok=True)  # nothing names it
            write_new(path, content)
        flush_folder(folder)
        write_whole(target, text(prefix).encode())
    except OSError:
        with suppress(OSError):
            for path in interim:
                path.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # The case is there, whole: under which names its files lie is for the next save to mend.
        _take_names(files, folder, prefix)
        write_whole(target, text("").encode())
        _tidy(folder, {f"{start}{name}" for start in INTERIM for name in known} | (set(known) - set(files)))


def _free_prefix(index: Path) -> str:
    """Return a start of names that the index does not use."""
    used = index.read_text("utf-8", errors="replace") if index.exists() else ""
    return INTERIM[1] if INTERIM[0] in used else INTERIM[0]


def _take_names(files: Mapping[str, bytes], folder: Path, prefix: str) -> None:
    for name, content in files.items():
        second = folder / f".writing-{secrets.token_hex(8)}"
        try:
            os.link(folder / f"{prefix}{name}", second)
        except OSError:  # a disk that knows no second names
            write_new(second, content)
        os.replace(second, folder / name)
    flush_folder(folder)


def _tidy(folder: Path, names: set[str]) -> None:
    """Delete files of these names, and what saves that were stopped left."""
    for one in sorted(folder.iterdir()):
        if one.name in names or is_left_aside(one.name):
            one.unlink(missing_ok=True)
        elif _SAVING.fullmatch(one.name):
            shutil.rmtree(one, ignore_errors=True)
