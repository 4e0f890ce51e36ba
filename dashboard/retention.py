"""The time that cases are kept, and what is deleted after it, however the clock is set."""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path

from core.errors import InputError
from core.files.home import USUAL_DAYS, days_kept
from core.files.writing import CLOSED, write_whole
from dashboard.places import clear_left, delete_whole, root
from dashboard.record_file import RECORD

DAY_S = 86_400.0
DUE = ".due.json"
"""Since when each case whose time is over was seen to be so; no id has such a name."""

_seen: dict[Path, dict[str, float]] = {}
"""What could not be written to the disk, by folder of cases."""


def keep_days() -> float:
    """Return how many days an uploaded case is kept after it was last opened."""
    try:
        return days_kept()
    except InputError:
        return USUAL_DAYS


def keep_days_problem() -> str:
    """Return a sentence where the number of days that is set is none; else nothing."""
    try:
        days_kept()
    except InputError as error:
        return f"{error} Until then cases are kept for {USUAL_DAYS:g} days."
    return ""


def delete_unopened() -> int:
    """Delete what was not opened for longer than `keep_days`; return how many cases that were.

    A case is deleted when it is found too old a second time, a day after the first: a clock that was wrong for less deletes nothing. What the
    disk refuses is left for the next time.
    """
    clear_left()
    try:
        folders = [folder for folder in root().iterdir() if not folder.name.startswith(".") and folder.is_dir()]
    except OSError:
        return 0
    now, days = time.time(), keep_days() * DAY_S
    before, due, deleted = _due(), dict[str, float](), 0
    for folder in folders:
        used = last_used(folder)
        if used is None or not _is_over(folder, used, now, days):
            continue
        first = before.get(folder.name, now)
        due[folder.name] = first if first <= now else now
        if now - due[folder.name] >= min(DAY_S, days):
            with suppress(OSError):
                delete_whole(folder)
                del due[folder.name]
                deleted += 1
    if due != before:
        _note(due)
    return deleted


def _is_over(folder: Path, used: float, now: float, days: float) -> bool:
    """Return whether a case is too old; one used by a clock that was ahead is kept from now on."""
    if used > now + DAY_S:
        with suppress(OSError):
            os.utime(_note_of(folder), (now, now))
    return now - used > days


def _due() -> dict[str, float]:
    try:
        found = json.loads((root() / DUE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    kept = _seen.get(root(), {})
    if not isinstance(found, dict):
        return dict(kept)
    written = {str(name): float(at) for name, at in found.items() if isinstance(at, int | float) and math.isfinite(at)}
    return {**kept, **written}


def _note(due: dict[str, float]) -> None:
    _seen[root()] = dict(due)
    with suppress(OSError):
        write_whole(root() / DUE, json.dumps(due).encode(), mode=CLOSED)


def last_used(folder: Path) -> float | None:
    """Return when a case was last opened or worked on, in seconds since the epoch.

    None where there is none any more.
    """
    try:
        return _note_of(folder).stat().st_mtime
    except OSError:
        return None


def _note_of(folder: Path) -> Path:
    note = folder / RECORD
    return note if note.exists() else folder
