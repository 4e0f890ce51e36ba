"""Taking turns: what two sessions want at once is made once.

The second takes what the first has made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock

LOOK_S = 0.2


class Turns:
    """Locks by name, each kept only while somebody holds it or waits for it.

    Examples
    --------
    >>> turns = Turns()
    >>> with turns.take("a"), turns.take("b"):
    ...     pass
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[Hashable, tuple[Lock, int]] = {}

    @contextmanager
    def take(self, name: Hashable, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the lock of a name.

        `waiting` is called again and again until it is there, and may raise to give up.
        """
        turn = self._join(name)
        try:
            while not turn.acquire(timeout=LOOK_S):
                if waiting is not None:
                    waiting()
            try:
                yield
            finally:
                turn.release()
        finally:
            self._leave(name)

    def _join(self, name: Hashable) -> Lock:
        with self._lock:
            turn, n = self._held.get(name, (Lock(), 0))
            self._held[name] = (turn, n + 1)
        return turn

    def _leave(self, name: Hashable) -> None:
        with self._lock:
            turn, n = self._held.pop(name)
            if n > 1:
                self._held[name] = (turn, n - 1)
