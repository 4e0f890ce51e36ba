"""Removal through fairlearn's ThresholdOptimizer.

The estimator inside forgets by its own family's method, then the thresholds of each group are chosen anew on the retained rows.
Choosing thresholds is deterministic, so the result equals training again as closely as the estimator inside does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.case.case import Case
from core.case.edits import Edits
from core.case.group_thresholds import decides_by_group
from core.files.cases.saved_state import Keepable, SavedState
from core.typing import Array, Bools, Positions, Progress
from core.unlearning.base import Guarantee, Removal, Unlearner
from core.unlearning.thresholds import thresholds_on

CHOSEN_ANEW = "The thresholds of each group were chosen anew on the retained records."
OF_THE_INSIDE = "The bound is that of the estimator inside; thresholds chosen on its scores can move with it."


@dataclass(frozen=True, eq=False)
class ThroughState:
    """What removals through thresholds share.

    Parameters
    ----------
    inside : Case
        The same case with the estimator inside as its model, prepared by that model's unlearner.
    """

    inside: Case

    @property
    def assembled(self) -> bool:
        """Whether the estimator inside was put together by its unlearner, whose scores stand for its own."""
        return bool(getattr(self.inside.state, "assembled", False))

    def scores(self, rows: Positions) -> Any:
        """Return the scores of test rows that the unlearner keeps."""
        return self.inside.state.scores(rows)


@dataclass(frozen=True, eq=False)
class KeptThroughState(ThroughState):
    """The same where what the unlearner inside carries along can be kept in a case's folder."""

    @property
    def kind(self) -> str:
        """What the unlearner inside knows it by."""
        return str(self.inside.state.kind)

    def arrays(self, case: Case) -> Mapping[str, Array]:  # noqa: ARG002
        """Return what the unlearner inside keeps."""
        return self.inside.state.arrays(self.inside)  # type: ignore[no-any-return]


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
        return self.unlearner.fits(_inside(case))

    def gives_way(self, case: Case) -> str | None:
        """Return why the estimator inside is rather trained again, or None."""
        return self.unlearner.gives_way(_inside(case))

    def adopt(self, case: Case, progress: Progress | None = None) -> Case:
        """Return the case with its inside prepared."""
        if isinstance(case.state, ThroughState) and case.state.inside.state is not None:
            return case
        return case.with_state(_state(self.unlearner.prepare(_inside(case), progress)))

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:
        """Return the case without the records at `positions`: the removal inside, and a sort of every group's scores."""
        return _around(case, self.unlearner.remove(self.prepare(case).state.inside, positions, tolerance))

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:
        """Return the case trained on other labels and weights: the change inside, and a sort of every group's scores."""
        return _around(case, self.unlearner.change(self.prepare(case).state.inside, positions, edits, tolerance))

    def retrained(self, case: Case, retained: Bools) -> Any:
        """Return what training again gives with the randomness that the unlearner inside holds fixed, thresholds included."""
        inner = self.unlearner.retrained(_inside(case), retained)
        return None if inner is None else thresholds_on(case, retained, case.model, inner)


def _around(case: Case, inner: Removal) -> Removal:
    """Return what the unlearner inside gave, with thresholds chosen anew around it."""
    retained = inner.case.retained
    model = thresholds_on(inner.case, retained, case.model, inner.case.model)
    changed = case.replace(model, retained).with_edits(model, inner.case.edits, _state(inner.case))
    bound = (OF_THE_INSIDE,) if inner.guarantee is Guarantee.CERTIFIED else ()
    return replace(inner, case=changed, notes=(*inner.notes, CHOSEN_ANEW, *bound))


def _inside(case: Case) -> Case:
    """Return the same case with the estimator inside as its model."""
    if isinstance(case.state, ThroughState):
        return case.state.inside
    saved = case.state if isinstance(case.state, SavedState) else None
    return case.replace(case.model.estimator_, case.retained, saved)


def _state(inside: Case) -> ThroughState:
    return KeptThroughState(inside) if isinstance(inside.state, Keepable) else ThroughState(inside)
