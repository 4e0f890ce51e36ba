"""Results made once and shared by all sessions.

Versions, reports, tables, results of searches, kept by name until others take their place.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any

from core.errors import LimitError, RedressError
from dashboard.turns import Turns

ResultName = tuple[Any, ...]
"""The id of the case, the kind of thing, and all that it depends on."""

MOST_CASES = 8
MOST = {"version": 400, "reported preview": 16, "predicted": 32, "records": 32, "changed": 64, "confirmed": 64}
"""How many of a kind are kept; a version is a model."""
OTHERWISE = 256


class Kept:
    """The results used last of the cases used last.

    An error that says why there is none is a result, too.

    Parameters
    ----------
    cases : int
        How many cases to keep things of; what is known of any other goes with it.
    most : mapping of str to int
        How many of a kind to keep.
    otherwise : int
        How many of every other kind.

    Examples
    --------
    >>> kept = Kept(otherwise=1)
    >>> kept.make(("a", "sum"), lambda: 3), kept.make(("a", "sum"), lambda: 4)
    (3, 3)
    >>> kept.make(("b", "sum"), lambda: 5), kept.peek(("a", "sum")) is None
    (5, True)
    """

    def __init__(
        self, cases: int = MOST_CASES, most: Mapping[Hashable, int] | None = None, otherwise: int = OTHERWISE
    ) -> None:
        self._cases, self._most, self._otherwise = cases, MOST if most is None else most, otherwise
        self._lock = Lock()
        self._turns = Turns()
        self._of_kind: dict[Hashable, OrderedDict[ResultName, Any]] = {}
        self._used: OrderedDict[str, None] = OrderedDict()

    def peek(self, name: ResultName) -> Any:
        """Return the result kept under a name, None where there is none; raise if it is an error."""
        with self._lock:
            things = self._of_kind.get(name[1])
            found = None if things is None else things.get(name)
            if things is not None and found is not None:
                things.move_to_end(name)
                self._used.move_to_end(name[0])
        if isinstance(found, RedressError):
            raise type(found)(*found.args)
        return found

    def make(
        self,
        name: ResultName,
        work: Callable[[], Any],
        waiting: Callable[[], None] | None = None,
        *,
        errors: bool = True,
    ) -> Any:
        """Return the result kept under a name, or make and keep it; callable from any thread.

        Parameters
        ----------
        name : tuple
        work : callable
            Makes it, and never gives None.
        waiting : callable, optional
            Where another thread is making it, that one is waited for; this is called meanwhile, and may raise to give up.
        errors : bool
            Whether an error is kept in its place; else it is made again when it is asked for again.
        """
        found = self.peek(name)
        if found is not None:
            return found
        with self._turns.take(name, waiting):
            found = self.peek(name)
            return self._made(name, work, errors) if found is None else found

    def _made(self, name: ResultName, work: Callable[[], Any], errors: bool) -> Any:
        try:
            made = work()
        except RedressError as error:
            if errors:
                # A new one: the one raised holds on to every table on its way up here.
                self.put(name, type(error)(*error.args))
            raise
        except MemoryError as error:
            refused = LimitError("This must fit into the server's memory. It did not; use fewer rows.")
            if errors:
                self.put(name, refused)
            raise refused from error
        self.put(name, made)
        return made

    def put(self, name: ResultName, thing: Any) -> None:
        """Keep a result under a name."""
        case_id, kind = name[:2]
        with self._lock:
            things = self._of_kind.setdefault(kind, OrderedDict())
            things[name] = thing
            things.move_to_end(name)
            while len(things) > self._most.get(kind, self._otherwise):
                things.popitem(last=False)
            self._used[case_id] = None
            self._used.move_to_end(case_id)
            while len(self._used) > self._cases:
                self._drop(next(iter(self._used)))

    def forget(self, name: ResultName) -> None:
        """Forget a result, so that it is made anew."""
        with self._lock:
            self._of_kind.get(name[1], OrderedDict()).pop(name, None)

    def forget_limits(self, case_id: str) -> None:
        """Forget what did not fit into memory, so that it is tried again.

        Parts of a result are kept by names of their own.
        """
        with self._lock:
            for things in self._of_kind.values():
                for name in [
                    one for one, thing in things.items() if one[0] == case_id and isinstance(thing, LimitError)
                ]:
                    del things[name]

    def drop(self, case_id: str) -> None:
        """Forget all that is kept of a case."""
        with self._lock:
            self._drop(case_id)

    def _drop(self, case_id: str) -> None:
        self._used.pop(case_id, None)
        for things in self._of_kind.values():
            for name in [name for name in things if name[0] == case_id]:
                del things[name]
