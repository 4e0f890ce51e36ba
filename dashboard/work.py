"""The open case and what has been done to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import core
from core.typing import Feature
from dashboard.history import Step, Steps

Threshold = float | core.AtRate | None


@dataclass(frozen=True)
class Work:
    """The open case and what has been done to it in this session.

    Replaced as a whole, never changed.

    Parameters
    ----------
    case_id : str
        Where it lives on the server.
    steps : tuple of Step
        Every step taken, undone ones included.
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
    """

    case_id: str
    threshold: Threshold
    metric: str
    feature: Feature
    steps: Steps = ()
    at: int = 0
    selection: tuple[Any, ...] = ()

    @property
    def applied(self) -> Steps:
        """The steps that lead to the version shown as Now."""
        return self.steps[: self.at]

    def taking(self, step: Step) -> Work:
        """Return the work after one more step.

        What was undone before is dropped, and so is the selection.
        """
        return replace(self, steps=(*self.applied, step), at=self.at + 1, selection=())

    def to_dict(self) -> dict[str, Any]:
        """Return the record kept beside the case, so that a reload or another tab finds it."""
        rate = self.threshold.rate if isinstance(self.threshold, core.AtRate) else None
        return {
            "steps": [step.to_dict() for step in self.steps],
            "at": self.at,
            "threshold": None if rate is not None else self.threshold,
            "rate": rate,
            "metric": self.metric,
            "feature": self.feature,
        }

    def restored(self, kept: Mapping[str, Any]) -> Work:
        """Return the work with what `to_dict` kept put back."""
        if "steps" not in kept:
            return self
        feature = kept["feature"]
        return replace(
            self,
            steps=tuple(Step.from_dict(values) for values in kept["steps"]),
            at=int(kept["at"]),
            threshold=core.AtRate(kept["rate"]) if kept["rate"] is not None else kept["threshold"],
            metric=kept["metric"],
            feature=tuple(feature) if isinstance(feature, list) else feature,
        )
