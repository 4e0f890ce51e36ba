"""States built once from a case's model and table, and used by every call that needs them.

A Hessian, replayed trees, the leaf of every row: each has a slot of its own. Who needs one first makes it; others that ask meanwhile
wait. A removal hands the next case's over, so that a hundredth removal in a chain costs what the second does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from core.errors import NotSupportedError
from core.typing import Array, Floats, Positions, Progress

T = TypeVar("T")
ScoresOf = Callable[[Positions], Floats]
POLL_S = 0.1
"""Seconds between two questions of whether who waits wants to give up."""


@dataclass(frozen=True, eq=False)
class SavedState:
    """Arrays from which an unlearner makes its state again, not yet checked by it.

    Parameters
    ----------
    kind : str
        What the unlearner knows them by.
    values : dict of ndarray
        Numbers and truth values only.
    """

    kind: str
    values: dict[str, Array]


@runtime_checkable
class Keepable(Protocol):
    """A state of which something cannot be made again from the model and the table."""

    def to_keep(self, case: Any) -> SavedState | None:
        """Return the arrays needed to go on from `case`."""


class Prepared:
    """The states prepared for a case, a slot for each name.

    Names that are text hold what does not depend on which test rows are looked at; other names, such as ``("leaves", "explore")``, what does.

    Parameters
    ----------
    states : mapping of str to object, optional
        What a removal found for the case that it made.
    scores : callable, optional
        Gives the scores of test rows by their positions, in place of a model that these states made.
    kept : SavedState, optional
        What came with the case, to make a state from.
    """

    __slots__ = ("_by_rows", "_common")

    def __init__(
        self,
        states: Mapping[str, object] | None = None,
        *,
        scores: ScoresOf | None = None,
        kept: SavedState | None = None,
    ) -> None:
        slots: dict[Hashable, _Slot] = {name: _Slot(value) for name, value in (states or {}).items()}
        self._common = _Common(slots, bool(slots), scores, kept)
        self._by_rows: dict[Hashable, _Slot] = {}

    @property
    def scores(self) -> ScoresOf | None:
        """The state that scores test rows in place of the model."""
        return self._common.scores

    @property
    def kept(self) -> SavedState | None:
        """The arrays that came with the case, to make a state from."""
        return self._common.kept

    def get(self, name: Hashable, make: Callable[[], T], progress: Progress | None = None) -> T:
        """Return the content of a slot; made now, once, if it is empty.

        Parameters
        ----------
        name : str or tuple
        make : callable
            Makes it. What it raises leaves the slot empty, but for a NotSupportedError, which is raised again from then on.
        progress : callable, optional
            Asked while another thread makes it; may raise to give up waiting.
        """
        slot = self._slots(name).setdefault(name, _Slot())
        if slot.full:
            return cast(T, slot.value)
        with slot.held(progress):
            if slot.refusal is not None:
                raise NotSupportedError(slot.refusal)
            if not slot.full:
                try:
                    slot.fill(make())
                except NotSupportedError as error:
                    slot.refusal = str(error)
                    raise
            return cast(T, slot.value)

    def of_type(self, kind: type[T]) -> T | None:
        """Return the content of a slot of a type, None where no slot holds one."""
        slots = tuple(self._common.slots.values())
        return next((slot.value for slot in slots if slot.full and isinstance(slot.value, kind)), None)

    def __contains__(self, name: Hashable) -> bool:
        """Return whether a slot is full."""
        slot = self._slots(name).get(name)
        return slot is not None and slot.full

    def refusal(self, name: Hashable) -> str | None:
        """Return why a slot could not be filled, as was found when it was tried.

        None where it was not.
        """
        slot = self._slots(name).get(name)
        return None if slot is None or slot.refusal is None else slot.refusal.rstrip(".")

    def for_other_rows(self) -> Prepared:
        """Return the same for a case that looks at other test rows.

        What depends on them is left out.
        """
        other = Prepared()
        other._common = self._common
        return other

    def to_keep(self, case: Any) -> SavedState | None:
        """Return the state that a folder keeps, so that a case read back goes on as this one would."""
        for slot in tuple(self._common.slots.values()):
            if slot.full and isinstance(slot.value, Keepable):
                return slot.value.to_keep(case)
        return self.kept

    def lost_otherwise(self, case: Any) -> SavedState | None:
        """Return what cannot be made again from the case's model and table, in arrays.

        These are the draws of trees that forgot.
        """
        return self.to_keep(case) if self._common.handed_over else self.kept

    def release(self, case: Any) -> None:
        """Empty every slot; of what cannot be made again, the arrays to make it from are kept."""
        common = self._common
        common.kept, common.handed_over, common.scores = self.lost_otherwise(case), False, None
        for slots in (common.slots, self._by_rows):
            for name in [name for name, slot in slots.copy().items() if slot.full]:
                slots.pop(name, None)

    def _slots(self, name: Hashable) -> dict[Hashable, _Slot]:
        return self._common.slots if isinstance(name, str) else self._by_rows


_EMPTY = object()


class _Slot:
    """A place for one state, empty until it is made, with a lock for who makes it."""

    __slots__ = ("_lock", "full", "refusal", "value")

    def __init__(self, value: Any = _EMPTY) -> None:
        self._lock = Lock()
        self.refusal: str | None = None
        self.full = value is not _EMPTY
        self.value = value if self.full else None

    def fill(self, value: Any) -> None:
        self.value, self.full = value, True

    @contextmanager
    def held(self, progress: Progress | None) -> Iterator[None]:
        """Hold the lock; ask who waits for it whether to go on."""
        if progress is None:
            self._lock.acquire()
        else:
            while not self._lock.acquire(timeout=POLL_S):
                progress(0.0, "Waiting for a preparation under way")
        try:
            yield
        finally:
            self._lock.release()


@dataclass
class _Common:
    """The slots shared by cases that differ in their threshold or test rows only."""

    slots: dict[Hashable, _Slot]
    handed_over: bool
    """Whether a removal filled slots, so that model and table alone may not give them again."""
    scores: ScoresOf | None
    kept: SavedState | None
