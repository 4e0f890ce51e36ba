"""Removal through fairlearn's ThresholdOptimizer.

The estimator inside forgets by its own family's method, then the thresholds of each group are chosen anew on the retained rows.
Choosing thresholds is deterministic, so the result equals training again as closely as the estimator inside does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.case.case import Case
from core.case.edits import Edits
from core.case.group_thresholds import decides_by_group
from core.case.prepared import SavedState
from core.typing import Bools, Positions, Progress
from core.unlearning.base import Guarantee, Removal, Unlearner
from core.unlearning.thresholds import thresholds_on

CHOSEN_ANEW = "The thresholds of each group were chosen anew on the retained records."
OF_THE_INSIDE = "The bound is that of the estimator inside; thresholds chosen on its scores can move with it."


INSIDE = "inside"
"""The slot of what has the estimator inside as its model."""


@dataclass(frozen=True, eq=False)
class Inside:
    """The state that removals through thresholds build on.

    Parameters
    ----------
    case : Case
        The same case with the estimator inside as its model; that model's unlearner prepares it.
    """

    case: Case

    def to_keep(self, case: Case) -> SavedState | None:  # noqa: ARG002
        """Return what the unlearner inside keeps."""
        return self.case.prepared.to_keep(self.case)


class Through(Unlearner):
    """Another unlearner, for the estimator inside a ThresholdOptimizer.

    Parameters
    ----------
    unlearner : Unlearner
        Serves the estimator inside.
    """

    def __init__(self, unlearner: Unlearner) -> None:
        self.unlearner = unlearner
        self.name = unlearner.name
        self.guarantee = unlearner.guarantee
        self.oracle = unlearner.oracle
        self.way = unlearner.way
        self.same_draws = unlearner.same_draws

    def refusal(self, case: Case) -> str | None:
        """Return why the estimator inside is not one the unlearner serves, or None."""
        if not decides_by_group(case.model):
            return "the model has no thresholds of groups"
        return self.unlearner.fits(inside_of(case))

    def gives_way(self, case: Case) -> str | None:
        """Return why the estimator inside is rather trained again, or None."""
        return self.unlearner.gives_way(inside_of(case))

    def fits(self, case: Case) -> str | None:
        """Return None where the unlearner serves the estimator inside, else the reason why not."""
        return self.refusal(case)

    def is_ready(self, case: Case) -> bool:
        """Return whether the inside is prepared."""
        return self.unlearner.is_ready(inside_of(case))

    def prepare(self, case: Case, progress: Progress | None = None) -> Any:
        """Return what removals from the inside build on."""
        return self.unlearner.prepare(inside_of(case), progress)

    def adopt(self, case: Case, progress: Progress | None = None) -> Any:
        """Return what removals from the inside build on, made anew."""
        return self.unlearner.adopt(inside_of(case), progress)

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:
        """Return the case without the records at `positions`.

        Costs the removal inside, and a sort of every group's scores.
        """
        return _around(case, self.unlearner.remove(inside_of(case), positions, tolerance))

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:
        """Return the case trained on other labels and weights.

        Costs the change inside, and a sort of every group's scores.
        """
        return _around(case, self.unlearner.change(inside_of(case), positions, edits, tolerance))

    def retrained(self, case: Case, retained: Bools) -> Any:
        """Return what training again gives, thresholds included, with the same random draws.

        They are those that the unlearner inside holds fixed.
        """
        inner = self.unlearner.retrained(inside_of(case), retained)
        return None if inner is None else thresholds_on(case, retained, case.model, inner)


def inside_of(case: Case) -> Case:
    """Return the same case with the estimator inside its thresholds as its model.

    All who ask get the same one.
    """

    def make() -> Inside:
        return Inside(case.replace(case.model.estimator_, case.retained).keeping(case.prepared.kept))

    return case.prepared.get(INSIDE, make).case


def _around(case: Case, inner: Removal) -> Removal:
    """Return what the unlearner inside gave, with thresholds chosen anew around it."""
    after = inner.case
    model = thresholds_on(after, after.retained, case.model, after.model)
    prepared, scores = {INSIDE: Inside(after)}, after.prepared.scores
    changed = case.replace(model, after.retained).with_edits(model, after.edits, prepared, scores)
    bound = (OF_THE_INSIDE,) if inner.guarantee is Guarantee.CERTIFIED else ()
    return replace(inner, case=changed, notes=(*inner.notes, CHOSEN_ANEW, *bound))
