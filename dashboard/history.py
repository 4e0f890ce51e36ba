"""The versions of a case: the steps taken, and the cases they lead to."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import core
from core.typing import Progress
from core.unlearning.base import UnlearnResult
from core.words import count
from dashboard.kept import Kept, ResultName

RELABEL, REWEIGH = "relabel", "reweigh"
VERBS = {RELABEL: "Relabel", REWEIGH: "Reweigh"}
"""What a button says that edits the selected records."""


class Edit(NamedTuple):
    """Another label or weight for records, which stay.

    Parameters
    ----------
    kind : {"relabel", "reweigh"}
    value : float
        The number of the label among the model's classes, or the weight.
    """

    kind: str
    value: float

    @property
    def done(self) -> str:
        """A word or two on what was done to the records."""
        return "relabelled" if self.kind == RELABEL else f"given the weight {self.value:g}"

    def of(self, case: core.Case, ids: Iterable[Any], method: str = "auto") -> UnlearnResult:
        """Return the edit of these records of a case."""
        if self.kind == RELABEL:
            return core.edit(case, dict.fromkeys(ids, case.classes[int(self.value)]), method=method)
        return core.edit(case, reweight=dict.fromkeys(ids, self.value), method=method)


@dataclass(frozen=True)
class Step:
    """A step that leads from one version of a case to the next.

    Parameters
    ----------
    kind : str
        "unlearn", "converge", "refit": train again on the retained records, forgetting no more; "relabel" or "reweigh".
    positions : tuple of int
        Where the removed records stand in the training table; ids themselves stay in memory.
    method : str
        Name of the unlearner, or "auto".
    value : float or None
        Of an edit, as `Edit` has it.
    """

    kind: str
    positions: tuple[int, ...] = ()
    method: str = "auto"
    value: float | None = None

    @property
    def edit(self) -> Edit | None:
        """The label or weight that the records were given, if the step is an edit."""
        return None if self.value is None else Edit(self.kind, self.value)

    @property
    def title(self) -> str:
        """A few words on what the step did."""
        named = {"converge": "brought to its optimum", "refit": "trained again"}
        how = "removed" if self.edit is None else self.edit.done
        return named.get(self.kind) or f"{count(len(self.positions), 'record')} {how}"

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain values, for the file beside the case."""
        value = {} if self.value is None else {"value": self.value}
        return {"kind": self.kind, "positions": list(self.positions), "method": self.method, **value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Step:
        """Return the step that `to_dict` gave."""
        value = None if values.get("value") is None else float(values["value"])
        return cls(str(values["kind"]), tuple(int(i) for i in values["positions"]), str(values["method"]), value)


@dataclass(frozen=True)
class Version:
    """One version of a case, and the result of the removal that led to it, if one did."""

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
        value = "" if step.value is None else f"{step.value!r}|"
        digest.update(f"{step.kind}|{step.method}|{len(step.positions)}|{value}".encode())
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
    ids = case.record_ids[list(step.positions)]
    edit = step.edit
    result = core.unlearn(case, ids, method=step.method) if edit is None else edit.of(case, ids, step.method)
    return Version(core.prepare(result.case, progress=report), result)


def _silent(share: float, what: str) -> None:
    """Report to nobody."""


class Versions:
    """Versions of the cases used last; what was dropped is made again by replaying its steps.

    Parameters
    ----------
    load : callable
        Gives the case of an id, as it was before any step.
    kept : Kept
        Where they are kept, with all else that is known of their cases.
    """

    def __init__(self, load: Callable[[str], core.Case], kept: Kept) -> None:
        self.kept = kept
        self._load = load
        self._under_way: dict[ResultName, tuple[float, str]] = {}

    def get(self, case_id: str, steps: Steps = (), report: Progress | None = None) -> Version:
        """Return a version, made now unless it is kept.

        The first one is prepared for removals, with progress reported.

        What another session is making already, as after a reload, is waited for, and how far it is reported.
        """
        name, tell = _name(case_id, steps), report or _silent

        def telling(share: float, what: str) -> None:
            self._under_way[name] = share, what
            tell(share, what)

        def made() -> Version:
            try:
                return self._make(case_id, steps, telling)
            finally:
                self._under_way.pop(name, None)

        found: Version = self.kept.make(name, made, lambda: tell(*self._under_way.get(name, (0.0, ""))), errors=False)
        return found

    def _make(self, case_id: str, steps: Steps, report: Progress | None) -> Version:
        if not steps:
            return Version(core.prepare(self._load(case_id), progress=report))
        return take(self.get(case_id, steps[:-1], report).case, steps[-1], report)

    def peek(self, case_id: str, steps: Steps) -> Version | None:
        """Return a version if it is kept."""
        found: Version | None = self.kept.peek(_name(case_id, steps))
        return found


def _name(case_id: str, steps: Steps) -> ResultName:
    return (case_id, "version", revision(steps))
