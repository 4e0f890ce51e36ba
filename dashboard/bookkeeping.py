"""Notes beside cases that stop no page.

What the disk refuses waits until it takes it, and the page says so meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from core.errors import RedressError
from core.files.writing import reason_of, way_out

T = TypeVar("T")
RecordChange = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the next record beside a case of the one that is there; made twice it does what it does once."""

_LOCK = Lock()
_troubles: dict[str, str] = {}
_waiting: dict[str, list[RecordChange]] = {}


def attempt(case_id: str, act: Callable[[], T]) -> T | None:
    """Do something on the disk for a case; where the disk refuses, note why and return None."""
    try:
        done = act()
    except OSError as error:
        _troubles[case_id] = _sentence(error)
        return None
    _troubles.pop(case_id, None)
    return done


def _sentence(error: OSError) -> str:
    said = f". {error}" if isinstance(error, RedressError) else f" ({reason_of(error)}): {way_out(error)}."
    return (
        f"What is done here cannot be written to this server's disk{said} It lasts as long as this case stays open on this page, and is written once "
        "the disk takes it."
    )


def trouble(case_id: str) -> str:
    """Return why the last thing for a case could not be written; empty where it could."""
    return _troubles.get(case_id, "")


def wait(case_id: str, change: RecordChange) -> None:
    """Have a change made with the next one that is written."""
    with _LOCK:
        _waiting.setdefault(case_id, []).append(change)


def waiting_changes(case_id: str) -> tuple[RecordChange, ...]:
    """Return the changes of a case that wait to be written."""
    with _LOCK:
        return tuple(_waiting.get(case_id, ()))


def drop_waiting(case_id: str, changes: tuple[RecordChange, ...]) -> None:
    """Note that changes wait no longer."""
    with _LOCK:
        left = [one for one in _waiting.pop(case_id, []) if one not in changes]
        if left:
            _waiting[case_id] = left


def forget_notes(case_id: str) -> None:
    """Forget what is known of a case that is no more."""
    with _LOCK:
        _waiting.pop(case_id, None)
        _troubles.pop(case_id, None)
