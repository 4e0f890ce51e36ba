"""The settings in case.toml: sections, names of files, and digests of what was saved."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from core.case.roles import Roles
from core.errors import InputError, RedressError, listed, nearest

Read = TypeVar("Read")

FORMAT = 1
FILE = "case.toml"
READINGS = 5
"""How often a case is read that others write meanwhile."""
_KEYS: dict[str, tuple[str, ...] | None] = {
    "case": ("format",),
    "roles": tuple(field.name for field in fields(Roles)),
    "tables": ("train", "test", "confirm", "dtypes_train", "dtypes_test"),
    "model": ("file", "threshold"),
    "split": ("seed", "off", "confirm_rows"),
    "retained": ("rows",),
    "state": ("kind", "file"),
    "edited": ("labels", "weights"),
    "confirm": ("looked_at", "looked_for"),
    "digests": None,
}


def read_at_rest(folder: Path, read: Callable[[], Read]) -> Read:
    """Return what `read` gives, called again where the case was saved anew meanwhile.

    Raises
    ------
    InputError
        If it is saved again and again.
    """
    for _ in range(READINGS):
        before = _index(folder)
        try:
            found = read()
        except (RedressError, OSError):
            if _index(folder) == before:
                raise
        else:
            if _index(folder) == before:
                return found
    raise InputError(
        f"A case must stand still while it is read. {str(folder)!r} was saved anew {READINGS} times meanwhile; read it once that is over."
    )


def _index(folder: Path) -> bytes | None:
    """Return case.toml as it is now: whoever saves changes it before any file that it names."""
    try:
        return (folder / FILE).read_bytes()
    except OSError:
        return None


def settings_of(folder: Path) -> dict[str, Any]:
    """Return what case.toml in a folder says, by section."""
    path = folder / FILE
    if not path.is_file():
        got = f"a folder without it at {str(folder)!r}" if folder.is_dir() else f"nothing at {str(folder)!r}"
        got = f"a file at {str(folder)!r}" if folder.is_file() else got
        raise InputError(f"A case must be a folder with {FILE}. Got {got}; check the path.")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{FILE} must be valid TOML. It is not ({error}); correct it.") from error
    for section, values in settings.items():
        if section not in _KEYS or not isinstance(values, dict):
            raise InputError(
                f"{FILE} may have the sections {listed(_KEYS, most=9)}. Got {section!r}.{nearest(section, _KEYS)}"
            )
        known = _KEYS[section]
        for key in values:
            if known is not None and key not in known:
                raise InputError(
                    f"[{section}] in {FILE} may have {listed(known, most=20)}. Got {key!r}.{nearest(key, known)}"
                )
    if settings.get("case", {}).get("format", FORMAT) != FORMAT:
        raise InputError(
            f"{FILE} must be of format {FORMAT}. Got {settings['case']['format']!r}; read it with the version that wrote it."
        )
    return {section: settings.get(section, {}) for section in _KEYS}


def check_digests(folder: Path, digests: dict[str, Any]) -> None:
    """Raise unless every file is the one that was saved.

    One that is missing is told by whoever needs it.
    """
    for name, digest in digests.items():
        path = file_inside(folder, name, "[digests]")
        if path.is_file():
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != digest:
                raise InputError(
                    f"The files of a case must be those that were saved together. {name!r} is damaged or another; restore it from a copy, or, if "
                    f"it was changed on purpose, delete its line in [digests] of {FILE}."
                )


def file_inside(folder: Path, name: Any, key: str) -> Path:
    """Return the path of a file that must lie in the folder itself."""
    if not isinstance(name, str) or name in ("", ".", "..") or Path(name).name != name or "\\" in name:
        raise InputError(
            f"{key} in {FILE} must be the name of a file beside it. Got {name!r}; put the file in the folder."
        )
    return folder / name
