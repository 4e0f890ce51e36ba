"""Results derived once and asked for again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Memo:
    """Values by key, each made when it is first asked for.

    Two threads that ask at once may both make it, so what is made should be cheap; costly things belong to `core.case.prepared`.

    Examples
    --------
    >>> memo = Memo()
    >>> memo.remember("squares", lambda: [1, 4, 9]) is memo.remember("squares", lambda: [])
    True
    """

    __slots__ = ("_found",)

    def __init__(self, found: dict[Hashable, Any] | None = None) -> None:
        self._found = {} if found is None else found

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` gave for `key` the first time."""
        if key not in self._found:
            self._found[key] = make()
        return cast(T, self._found[key])

    def known(self, key: Hashable) -> Any:
        """Return the value of `key`; None where it was not asked for yet."""
        return self._found.get(key)

    def only(self, keep: Callable[[Hashable], bool]) -> Memo:
        """Return a memo of the values whose keys `keep` allows."""
        return Memo({key: value for key, value in self._found.copy().items() if keep(key)})

    def __reduce__(self) -> tuple[type[Memo], tuple[()]]:
        """Leave out what can be made again."""
        return Memo, ()
