"""The versions of a case: the steps taken, and the cases they lead to."""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import core
from core.typing import Progress
from core.unlearning.base import UnlearnResult
from dashboard.turns import Turns

MOST_CASES = 8
MOST_VERSIONS = 200


@dataclass(frozen=True)
class Step:
    """What leads from one version of a case to the next.

    Parameters
    ----------
    kind : str
        "unlearn", "converge", or "refit": train again on the retained records, forgetting no more.
    positions : tuple of int
        Where the removed records stand in the training table; ids themselves stay in memory.
    method : str
        Name of the unlearner, or "auto".
    """

    kind: str
    positions: tuple[int, ...] = ()
    method: str = "auto"

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain values, for the file beside the case."""
        return {"kind": self.kind, "positions": list(self.positions), "method": self.method}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Step:
        """Return the step that `to_dict` gave."""
        return cls(str(values["kind"]), tuple(int(i) for i in values["positions"]), str(values["method"]))


@dataclass(frozen=True)
class Version:
    """One version of a case: the case, and the result of the removal that led to it, if one did."""

    case: core.Case
    result: UnlearnResult | None = None


Steps = tuple[Step, ...]


def revision(steps: Steps) -> str:
    """Return a short name for what some steps lead to.

    Examples
    --------
    >>> revision(()) == "0", revision((Step("unlearn", (1, 2)),)) == revision((Step("unlearn", (1, 3)),))
    (True, False)
    """
    if not steps:
        return "0"
    digest = hashlib.sha256()
    for step in steps:
        digest.update(f"{step.kind}|{step.method}|{len(step.positions)}|".encode())
        digest.update(array("q", step.positions).tobytes())
    return digest.hexdigest()[:20]


def take(case: core.Case, step: Step, report: Progress | None = None) -> Version:
    """Take one step from a case; what it leads to is ready for the next."""
    report = report or _silent
    if step.kind == "converge":
        return Version(core.converge(case, progress=report).case)
    if step.kind == "refit":
        again = core.refit(case, progress=report)
        return Version(core.prepare(again.case, progress=report), again)
    result = core.unlearn(case, case.record_ids[list(step.positions)], method=step.method)
    return Version(core.prepare(result.case, progress=report), result)


def _silent(share: float, what: str) -> None:
    """Report to nobody."""


class Versions:
    """Versions of the cases used last; what was dropped is made again by replaying its steps.

    Parameters
    ----------
    load : callable
        Gives the case of an id, as it was before any step.
    """

    def __init__(self, load: Callable[[str], core.Case]) -> None:
        self._load = load
        self._lock = Lock()
        self._turns = Turns()
        self._under_way: dict[tuple[str, str], tuple[float, str]] = {}
        self._kept: OrderedDict[str, OrderedDict[str, Version]] = OrderedDict()
        self._facts: dict[str, dict[str, Any]] = {}

    def get(self, case_id: str, steps: Steps = (), report: Progress | None = None) -> Version:
        """Return a version, made now unless it is kept; the first one is prepared for removals, with progress reported.

        What another session is making already, as after a reload, is waited for, and how far it is reported.
        """
        kept = self.peek(case_id, steps)
        if kept is not None:
            return kept
        name, tell = (case_id, revision(steps)), report or _silent

        def telling(share: float, what: str) -> None:
            self._under_way[name] = share, what
            tell(share, what)

        with self._turns.take(name, lambda: tell(*self._under_way.get(name, (0.0, "")))):
            kept = self.peek(case_id, steps)
            if kept is None:
                try:
                    kept = self._make(case_id, steps, telling)
                finally:
                    self._under_way.pop(name, None)
                self.put(case_id, steps, kept)
        return kept

    def _make(self, case_id: str, steps: Steps, report: Progress | None) -> Version:
        if not steps:
            return Version(core.prepare(self._load(case_id), progress=report))
        return take(self.get(case_id, steps[:-1], report).case, steps[-1], report)

    def peek(self, case_id: str, steps: Steps) -> Version | None:
        """Return a version if it is kept."""
        with self._lock:
            versions = self._kept.get(case_id)
            if versions is None:
                return None
            self._kept.move_to_end(case_id)
            return versions.get(revision(steps))

    def put(self, case_id: str, steps: Steps, version: Version) -> None:
        """Keep a version."""
        with self._lock:
            versions = self._kept.setdefault(case_id, OrderedDict())
            versions[revision(steps)] = version
            while len(versions) > MOST_VERSIONS:
                versions.popitem(last=False)
            while len(self._kept) > MOST_CASES:
                oldest, _ = self._kept.popitem(last=False)
                self._facts.pop(oldest, None)

    def remember(self, case_id: str, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` gave for a case the first time; forgotten with the case."""
        with self._lock:
            facts = self._facts.setdefault(case_id, {})
        if name not in facts:
            facts[name] = make()
        return facts[name]

    def drop(self, case_id: str) -> None:
        """Forget all versions of a case."""
        with self._lock:
            self._kept.pop(case_id, None)
            self._facts.pop(case_id, None)
