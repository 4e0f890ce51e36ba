"""The open case and what has been done to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import core
from core.errors import InputError
from core.typing import Feature
from dashboard.history import Edit, Step, Steps

Threshold = float | core.AtRate | None


@dataclass(frozen=True)
class Work:
    """The open case and what has been done to it in this session.

    Replaced as a whole, never changed. Its versions are a tree that forgets nothing: the version as opened has number 0, every other one
    the place at which it was made.

    Parameters
    ----------
    case_id : str
        Where it lives on the server.
    steps : tuple of Step
        The path through the tree that undo and redo move along, undone steps included.
    at : int
        How many of the steps apply now.
    threshold : float, AtRate or None
        The decision threshold in force for all versions.
    metric : str
        The gap the strip shows.
    feature : str or tuple of str
        The sensitive feature it is taken over.
    selection : tuple
        Ids of the selected records.
    edit : Edit or None
        What the selected records are to be given; None: they are to be removed.
    made : tuple of tuple of Step
        The steps that lead to every version, in the order they were made; what is on the path is added.
    revision : int
        How often the record kept beside the case had been written when this session last read or wrote it.
    """

    case_id: str
    threshold: Threshold
    metric: str
    feature: Feature
    steps: Steps = ()
    at: int = 0
    selection: tuple[Any, ...] = ()
    made: tuple[Steps, ...] = ()
    revision: int = 0
    edit: Edit | None = None

    def __post_init__(self) -> None:
        """Count the versions on the path among those made."""
        object.__setattr__(self, "made", _joined(self.made, (self.steps,)))

    @property
    def applied(self) -> Steps:
        """The steps that lead to the version shown as Now."""
        return self.steps[: self.at]

    @property
    def number(self) -> int:
        """The number of the version shown as Now."""
        return self.number_of(self.applied)

    def number_of(self, steps: Steps) -> int:
        """Return the number of the version that some steps lead to; it must have been made."""
        return self.made.index(steps) + 1 if steps else 0

    def path(self, number: int) -> Steps:
        """Return the steps that lead to a version, none where no version has that number."""
        return self.made[number - 1] if 1 <= number <= len(self.made) else ()

    def parent(self, number: int) -> int:
        """Return the number of the version that another was made from."""
        return self.number_of(self.path(number)[:-1])

    def going(self, number: int) -> Work:
        """Return the work with another version in force.

        Redo goes on along the path in force where the version lies on it, else to what was made from it last.
        """
        there = self.path(number)
        at = len(there)
        if self.steps[:at] == there:
            return replace(self, at=at, selection=(), edit=None)
        beyond = [steps for steps in self.made if steps[:at] == there]
        return replace(self, steps=beyond[-1], at=at, selection=(), edit=None)

    def taking(self, step: Step) -> Work:
        """Return the work after one more step, without the selection; undone ones stay as a branch."""
        path = (*self.applied, step)
        return replace(self, made=_joined(self.made, (path,))).going_to(path)

    def going_to(self, steps: Steps) -> Work:
        """Return the work with the version in force that some steps lead to, once made."""
        return self.going(self.number_of(steps))

    def knowing(self, made: Iterable[Steps], *, first: bool = False) -> Work:
        """Return the work with versions made elsewhere, numbered after its own, or before them."""
        return replace(self, made=_joined(made, self.made) if first else _joined(self.made, made))

    def to_dict(self) -> dict[str, Any]:
        """Return the record kept beside the case, so that a reload or another tab finds it."""
        rate = self.threshold.rate if isinstance(self.threshold, core.AtRate) else None
        return {
            "versions": [{"parent": self.number_of(steps[:-1]), **steps[-1].to_dict()} for steps in self.made],
            "now": self.number,
            "leaf": self.number_of(self.steps),
            "threshold": None if rate is not None else self.threshold,
            "rate": rate,
            "metric": self.metric,
            "feature": self.feature,
        }

    def restored(self, kept: Mapping[str, Any]) -> Work:
        """Return the work with what `to_dict` kept put back.

        Raises
        ------
        InputError
            If it is not what `to_dict` gives.
        """
        if "versions" not in kept and "steps" not in kept:
            return self
        try:
            return self._restored(kept)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"The record of what was done to a case must be as it was written. It is not ({error!r}); go on from the case as opened."
            ) from error

    def _restored(self, kept: Mapping[str, Any]) -> Work:
        made, steps, at = _versions(kept)
        rate, feature, threshold = kept["rate"], kept["feature"], kept["threshold"]
        if kept["metric"] not in core.METRICS or not isinstance(threshold, int | float | None):
            raise ValueError("a metric or threshold that there is not")
        return replace(
            self,
            made=made,
            steps=steps,
            at=at,
            threshold=threshold if rate is None else core.AtRate(rate),
            metric=kept["metric"],
            feature=tuple(map(str, feature)) if isinstance(feature, list) else str(feature),
            revision=int(kept.get("revision", 0)),
        )


def _versions(kept: Mapping[str, Any]) -> tuple[tuple[Steps, ...], Steps, int]:
    """Return every version, the path in force, and how far along it."""
    if "steps" in kept and "versions" not in kept:  # as written before versions branched
        steps = tuple(Step.from_dict(values) for values in kept["steps"])
        return (), steps, min(max(int(kept["at"]), 0), len(steps))
    paths: list[Steps] = [()]
    for values in kept["versions"]:
        if not 0 <= int(values["parent"]) < len(paths):
            raise ValueError("a version before the one it was made from")
        paths.append((*paths[int(values["parent"])], Step.from_dict(values)))
    if min(int(kept["leaf"]), int(kept["now"])) < 0:
        raise ValueError("a version below 0")
    leaf, now = paths[int(kept["leaf"])], paths[int(kept["now"])]
    return tuple(paths[1:]), leaf if leaf[: len(now)] == now else now, len(now)


def _joined(made: Iterable[Steps], others: Iterable[Steps]) -> tuple[Steps, ...]:
    """Return versions with others after them, each after the one it was made from."""
    known = list(made)
    for steps in others:
        for i in range(1, len(steps) + 1):
            if steps[:i] not in known:
                known.append(steps[:i])
    return tuple(known)
