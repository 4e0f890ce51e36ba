"""Exact removal from fitted decision trees, random forests and extra-trees of scikit-learn.

A tree is a function of each row's multiplicity and of what is drawn at each node: the order of features and, for extra-trees, their
thresholds. Both are had from the fitted forest, the first by drawing its bootstrap again, the second by replaying each tree's random
stream; that they are right is checked by building every tree again, bit for bit. Removing rows sets their multiplicity to 0 and gives the tree that building
from scratch on the others with the same randomness gives; what the fitted tree never drew is keyed by the path, so that neither
the order of removals nor what happens elsewhere in the tree matters.

References
----------
Brophy, J. and Lowd, D. (2021). Machine unlearning for random forests. ICML.
Schelter, S., Grafberger, S. and Dunning, T. (2021). HedgeCut: maintaining randomised trees for low-latency machine unlearning. SIGMOD.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.ensemble._forest import ForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from core.case.case import Case
from core.case.edits import Edits
from core.errors import InputError, NotSupportedError
from core.unlearning.base import Guarantee, Positions, Progress, Removal, Unlearner, mask_without, model_input
from core.unlearning.forest_parts import check_weights, estimator_of, rules_of, why_not
from core.unlearning.forest_saved import restore, saved_forest
from core.unlearning.forest_state import ForestState, Grove, prepare_state
from core.unlearning.forest_table import tree_input

Bools = npt.NDArray[np.bool_]

ORDER_UNKNOWN = (
    "The tree was fitted without a seed: among splits of equal gain, those it made are taken to have been drawn first."
)


class Forest(Unlearner):
    """Updates the trees of a forest, holding fixed the randomness it was fitted with."""

    name = "forest"
    guarantee = Guarantee.EXACT
    family = (DecisionTreeClassifier, ForestClassifier)

    def fits(self, case: Case) -> str | None:
        """Return why the model's trees cannot be replayed, or None."""
        return None if isinstance(case.state, ForestState) or saved_forest(case) else why_not(case.model)

    def prepare(self, case: Case, progress: Progress | None = None) -> Case:
        """Return the case with every tree adopted; costs about one fit of the forest."""
        if isinstance(case.state, ForestState):
            return case
        saved = saved_forest(case)
        state = restore(case, saved, progress) if saved else prepare_state(case, progress)
        return case.with_state(state.for_case(case, case.model))

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case whose trees are those of the other records."""
        retained = mask_without(case, positions)
        before: ForestState = self.prepare(case).state
        preprocessing = _refitted(case, before.grove, retained)
        rules = rules_of(estimator_of(case.model), int(retained.sum()))
        same = rules == before.grove.rules
        state = before.without(positions, retained) if same else before.under(rules).from_scratch(retained)
        notes = () if state.known_order else (ORDER_UNKNOWN,)
        model = state.assemble(case.model, preprocessing)
        after = case.replace(model, retained, state.for_case(case, model, before))
        return Removal(after, Guarantee.EXACT, notes=notes)

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case whose trees are those of the other labels: the rows are taken out and put back."""
        after = case.with_edits(case.model, edits)
        weight = _new_weights(case, after, positions)
        before: ForestState = self.prepare(case).state
        preprocessing = _refitted(after, before.grove, case.retained)
        state = before.relabelled(positions, after.train_codes[positions], weight)
        notes = () if state.known_order else (ORDER_UNKNOWN,)
        model = state.assemble(case.model, preprocessing)
        return Removal(
            case.with_edits(model, edits, state.for_case(after, model, before)), Guarantee.EXACT, notes=notes
        )

    def retrained(self, case: Case, retained: Bools) -> Any:
        """Return the forest built from scratch on the retained rows with its own recorded randomness."""
        before: ForestState = self.prepare(case).state
        state = before.under(rules_of(estimator_of(case.model), int(retained.sum())))
        return state.from_scratch(retained).assemble(case.model, _refitted(case, state.grove, retained))


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


def _refitted(case: Case, grove: Grove, retained: Bools) -> Any:
    """Return the preprocessing fitted on the retained rows; None where there is none.

    Raises
    ------
    NotSupportedError
        If it gives any retained row another value: then every node of every tree may change.
    """
    if not isinstance(case.model, Pipeline) or len(case.model.steps) == 1:
        return None
    rows = np.flatnonzero(retained)
    try:
        steps = clone(case.model[:-1]).fit(model_input(case, rows), case.train_labels[rows])
    except ValueError as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"The preprocessing must be able to fit the {len(rows)} retained records. It says: {reason}"
        ) from error
    before, after = grove.X[grove.local[rows]], tree_input(case, rows, steps)
    if before.shape != after.shape:
        raise NotSupportedError(
            f"the preprocessing gives {after.shape[1]} columns without these records and gave {before.shape[1]} with them"
        )
    if not np.array_equal(before, after, equal_nan=True):
        raise NotSupportedError("the preprocessing, fitted without these records, gives the others other values")
    return steps
