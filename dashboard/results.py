"""Results that take long to make: kept by name, for all sessions, until others took their place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from core.errors import LimitError, RedressError
from dashboard.turns import Turns

Name = tuple[Any, ...]
"""The id of the case, what is asked, and everything the answer depends on."""


class Results:
    """The results used last; an error that says why there is none is a result too.

    Parameters
    ----------
    most : int
        How many to keep.

    Examples
    --------
    >>> results = Results(1)
    >>> results.make(("a", "sum"), lambda: 3), results.make(("a", "sum"), lambda: 4)
    (3, 3)
    >>> results.make(("b", "sum"), lambda: 5), results.peek(("a", "sum")) is None
    (5, True)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._turns = Turns()
        self._kept: OrderedDict[Name, Any] = OrderedDict()

    def peek(self, name: Name) -> Any:
        """Return a result if it is kept, else None; raise if it is an error."""
        with self._lock:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
        if isinstance(found, RedressError):
            raise type(found)(*found.args)
        return found

    def make(self, name: Name, work: Callable[[], Any], waiting: Callable[[], None] | None = None) -> Any:
        """Return the result kept under a name, or make and keep it; callable from any thread.

        Where another thread is making it, that one is waited for; `waiting` is called meanwhile, and may raise to give up.
        """
        kept = self.peek(name)
        if kept is not None:
            return kept
        with self._turns.take(name, waiting):
            kept = self.peek(name)
            return self._made(name, work) if kept is None else kept

    def _made(self, name: Name, work: Callable[[], Any]) -> Any:
        try:
            made = work()
        except RedressError as error:
            # A new one: the one raised holds on to every table on its way up here.
            self._put(name, type(error)(*error.args))
            raise
        except MemoryError as error:
            refused = LimitError("This must fit into the server's memory. It did not; use fewer rows.")
            self._put(name, refused)
            raise refused from error
        self._put(name, made)
        return made

    def _put(self, name: Name, value: Any) -> None:
        with self._lock:
            self._kept[name] = value
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def forget(self, name: Name) -> None:
        """Forget one result, so that it is made anew."""
        with self._lock:
            self._kept.pop(name, None)

    def forget_limits(self, case_id: str) -> None:
        """Forget what did not fit into memory, so that it is tried again; parts of a result are kept by names of their own."""
        with self._lock:
            for name in [
                name for name, kept in self._kept.items() if name[0] == case_id and isinstance(kept, LimitError)
            ]:
                del self._kept[name]

    def drop(self, case_id: str) -> None:
        """Forget all results about a case."""
        with self._lock:
            for name in [name for name in self._kept if name[0] == case_id]:
                del self._kept[name]
