"""Exact removal from fitted decision trees, random forests and extra-trees of scikit-learn.

A tree is a function of each row's multiplicity and of what is drawn at each node: the order of features and, for extra-trees, their
thresholds. Both are had from the fitted forest, the first by drawing its bootstrap again, the second by replaying each tree's random
stream; that they are right is checked by building every tree again, bit for bit. Removing rows sets their multiplicity to 0 and gives the tree that building
from scratch on the others with the same randomness gives; what the fitted tree never drew is keyed by the path, so that neither
the order of removals nor what happens elsewhere in the tree matters. With balanced class weights, where classes keep their shares of a bootstrap,
the draws of removed rows move to others of their class.

References
----------
Brophy, J. and Lowd, D. (2021). Machine unlearning for random forests. ICML.
Schelter, S., Grafberger, S. and Dunning, T. (2021). HedgeCut: maintaining randomised trees for low-latency machine unlearning. SIGMOD.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._forest import ForestClassifier

from core.case.case import Case
from core.case.edits import Edits
from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.errors import NotSupportedError
from core.families.forest.anew import RefittedPreprocessing, built_anew, refitted
from core.families.forest.bootstrap import steps_of_a_draw
from core.families.forest.memory import check_room
from core.families.forest.oracle import TreeOracle
from core.families.forest.parts import check_weights, estimator_of, moves_draws, rules_of, why_not
from core.families.forest.rescaled import IN_PLACE, rescaled
from core.families.forest.saved import restore_forest, saved_forest
from core.families.forest.state import ForestState, prepare_forest
from core.families.forest.table import as_trees_take
from core.numerics.trees.arrays import Rules
from core.typing import Bools, Positions, Progress
from core.unlearning.base import Guarantee, Removal, Unlearner, mask_without

MOST_STEPS = 10.0
"""Times the square root of the number of rows: where draws that move look at more, training again is as quick."""
ORDER_UNKNOWN = (
    "The tree was fitted without a seed: among splits of equal gain, those it made are taken to have been drawn first."
)


class Forest(Unlearner):
    """Updates the trees of a forest, holding fixed the randomness it was fitted with."""

    name = "forest"
    guarantee = Guarantee.EXACT
    same_draws = True
    oracle = TreeOracle()
    way = "Its trees are brought up to date, with what they drew at random held fixed."

    def refusal(self, case: Case) -> str | None:
        """Return why the model's trees cannot be replayed, or None."""
        return None if saved_forest(case) else why_not(case.model)

    def gives_way(self, case: Case) -> str | None:
        """Return why "auto" trains again instead, or None.

        Where sample weights are so uneven that draws find another row slowly.
        """
        if case.train_weight is None or not moves_draws(estimator_of(case.model)):
            return None
        steps: float = case._remember(("steps of a draw",), lambda: steps_of_a_draw(case))
        if steps <= MOST_STEPS * np.sqrt(len(case.retained)):
            return None
        return (
            f"sample weights are so uneven that each draw of a removed record would look at about {steps:,.0f} others"
        )

    def adopt(self, case: Case, progress: Progress | None = None) -> ForestState:
        """Return every tree adopted; costs about one fit of the forest."""
        saved = saved_forest(case)
        state = restore_forest(case, saved, progress) if saved else prepare_forest(case, progress)
        return state.for_case(case, case.model)

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case whose trees are those of the other records."""
        retained = mask_without(case, positions)
        before: ForestState = self.prepare(case)
        new = refitted(case, before.grove, retained)
        rules, notes = rules_of(estimator_of(case.model), int(retained.sum())), list[str]()
        if new is not None and new.differs:
            state, model, *notes = _on_other_values(case, before, positions, new, rules)
        else:
            same = rules == before.grove.rules
            state = before.without(positions, retained) if same else before.under(rules).from_scratch(retained)
            model = state.assemble(case.model, new.steps if new else None)
        state = state.for_case(case, model, before)
        after = case.replace(model, retained, {self.name: state}, state.scores)
        return Removal(after, Guarantee.EXACT, notes=(*notes, *_about_order(state)))

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case whose trees are those of the other labels.

        The rows are taken out and put back.
        """
        after = case.with_edits(case.model, edits)
        weight = _new_weights(case, after, positions)
        before: ForestState = self.prepare(case)
        new = refitted(after, before.grove, case.retained)
        if new is not None and new.differs:
            raise NotSupportedError("the preprocessing, fitted to the records as edited, gives other values")
        state = before.relabelled(positions, after.train_codes[positions], weight)
        model = state.assemble(case.model, new.steps if new else None)
        state = state.for_case(after, model, before)
        edited = case.with_edits(model, edits, {self.name: state}, state.scores)
        return Removal(edited, Guarantee.EXACT, notes=_about_order(state))

    def retrained(self, case: Case, retained: Bools) -> Any:
        """Return the forest built from scratch on the retained rows with its recorded randomness."""
        before: ForestState = self.prepare(case)
        new = refitted(case, before.grove, retained)
        if new is not None and new.differs:
            return built_anew(before, case.model, new)[1]
        state = before.under(rules_of(estimator_of(case.model), int(retained.sum())))
        return state.from_scratch(retained).assemble(case.model, new.steps if new else None)

    def why_refit_differs(self, model: Any) -> str:
        """Return why a forest differs from its refit even where it forgot exactly.

        Empty for a single tree.
        """
        if not isinstance(final_estimator(scorer(model)), ForestClassifier):
            return ""
        return "A forest trained again draws other rows and features, and that alone moves scores; exact forgetting holds its draws fixed."


def _about_order(state: ForestState) -> tuple[str, ...]:
    """Say what was taken for granted about the order of draws."""
    return () if state.known_order else (ORDER_UNKNOWN,)


def _on_other_values(
    case: Case, before: ForestState, positions: Positions, new: RefittedPreprocessing, rules: Rules
) -> tuple[ForestState, Any, str]:
    """Return the trees on what another preprocessing gives them, the model of them and a note.

    Updated in place, or built anew.
    """
    as_trees_take(case.model, case.X_test, new.steps)  # raises where a test row could not be scored any more
    updated = rescaled(before, positions, new, rules)
    if updated is not None:
        return updated, updated.assemble(case.model, new.steps), IN_PLACE
    check_room(case, "Building again")
    return *built_anew(before, case.model, new), new.note


def _new_weights(before: Case, after: Case, positions: Positions) -> npt.NDArray[np.int32] | None:
    """Return the weights that rows are given, or None where they keep theirs.

    Raises
    ------
    NotSupportedError
        If trees cannot be given them.
    """
    estimator = estimator_of(before.model)
    if estimator.class_weight is not None:
        raise NotSupportedError("class_weight is set, so that a label decides a weight too")
    old, new = (
        np.ones(len(positions)) if one.train_weight is None else one.train_weight[positions] for one in (before, after)
    )
    if np.array_equal(old, new):
        return None
    if getattr(estimator, "bootstrap", False):
        raise NotSupportedError("weights are the chances of the bootstrap's draw, which is held fixed")
    check_weights(np.ones(1) if after.train_weight is None else after.train_weight[after.retained])
    return new.astype(np.int32)
