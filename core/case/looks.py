"""How often the rows kept aside were looked at.

Every look makes what they say a little less of a confirmation.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple


class Look(NamedTuple):
    """One look at the confirm rows.

    Parameters
    ----------
    at : str
        When, in ISO format, UTC.
    what : str
        What was looked at.
    """

    at: str
    what: str


class Looks:
    """The looks at one split's confirm rows, shared by all cases made from one another.

    Only ever added to.

    Parameters
    ----------
    seen : iterable of Look
        Those of earlier sessions.

    Examples
    --------
    >>> looks = Looks()
    >>> looks.add("gap in selection rates")
    >>> len(looks), looks.entries[0].what
    (1, 'gap in selection rates')
    """

    def __init__(self, seen: Iterable[Look] = ()) -> None:
        self._seen = list(seen)
        self._lock = Lock()

    def add(self, what: str) -> None:
        """Count a look."""
        with self._lock:
            self._seen.append(Look(datetime.now(UTC).isoformat(timespec="seconds"), what))

    @property
    def entries(self) -> tuple[Look, ...]:
        """All looks, in order."""
        with self._lock:
            return tuple(self._seen)

    def __len__(self) -> int:
        with self._lock:
            return len(self._seen)

    def __reduce__(self) -> tuple[type[Looks], tuple[list[Look]]]:
        """Take the looks along to another process, not the lock."""
        return Looks, (list(self.entries),)
