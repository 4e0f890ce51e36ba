"""The files of a saved case put in place, all of the old case or all of the new one.

What a folder holds is what its case.toml names, and case.toml is replaced in one step. Over a case that is there, new files are therefore
put beside the old ones under names of their own, case.toml is made to name them, they take the old ones' names as well, and
case.toml is made to name them so. Whoever is stopped in between leaves a whole case, and perhaps files that nothing names.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

INTERIM = (".new-", ".next-")
"""What names of files start with until they take the old ones' place; the second where a save that was stopped left the first in use."""


def put_in_place(aside: Path, folder: Path, index: str, text: Callable[[str], str], known: Iterable[str]) -> None:
    """Put files in place, the index that names them last.

    Parameters
    ----------
    aside : Path
        Holds the files, on the same disk as the folder; it is emptied.
    folder : Path
    index : str
        Name of the file that names the others.
    text : callable
        Gives what the index says where the others' names start with the text it is called with.
    known : iterable of str
        Names of all files that a case may have; those that this one has not are deleted at the end.
    """
    names = sorted(path.name for path in aside.iterdir())
    target = folder / index
    prefix = _free_prefix(target) if target.exists() else ""
    for name in names:
        os.replace(aside / name, folder / f"{prefix}{name}")
    _replace_text(aside, target, text(prefix))
    if prefix:
        for name in names:
            _link(folder / f"{prefix}{name}", aside / name)
            os.replace(aside / name, folder / name)
        _replace_text(aside, target, text(""))
    interim = [f"{prefix}{name}" for prefix in INTERIM for name in known]
    for name in (*interim, *(set(known) - set(names))):
        (folder / name).unlink(missing_ok=True)


def _free_prefix(index: Path) -> str:
    """Return a start of names that the index does not use."""
    return INTERIM[1] if INTERIM[0] in index.read_text("utf-8", errors="replace") else INTERIM[0]


def _replace_text(aside: Path, path: Path, text: str) -> None:
    (aside / path.name).write_text(text, encoding="utf-8")
    os.replace(aside / path.name, path)


def _link(path: Path, other: Path) -> None:
    """Give a file a second name; where the disk knows no such thing, copy it."""
    try:
        os.link(path, other)
    except OSError:
        shutil.copyfile(path, other)
