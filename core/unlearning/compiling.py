"""Whether numba is compiling, which the first removal from trees on a machine waits for.

That takes a minute or two.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from numba.core import event

_KIND = "numba:compile"


class _Counter(event.Listener):
    """Counts kernels, from any thread; one may call for others while it is compiled."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.under_way = 0
        self.done = 0

    def on_start(self, event: Any) -> None:  # noqa: ARG002
        with self._lock:
            self.under_way += 1

    def on_end(self, event: Any) -> None:  # noqa: ARG002
        with self._lock:
            self.under_way -= 1
            self.done += 1


_COUNTER = _Counter()
event.register(_KIND, _COUNTER)  # type: ignore[no-untyped-call]


def kernels_compiled() -> int:
    """Return how many kernels this process has compiled.

    Those found in numba's cache on disk are loaded and do not count.
    """
    return _COUNTER.done


def so_far() -> int | None:
    """Return how many kernels this process has compiled, if it is compiling one now, else None.

    Examples
    --------
    >>> so_far() is None
    True
    """
    return _COUNTER.done if _COUNTER.under_way else None
