"""Approximate removal from gradient boosting.

Leaf values are refitted on the retained rows, the trees' splits are kept.

Every tree depends on the predictions of the trees before it, so values are refitted stage by stage with scikit-learn's own
formula, from a refitted start: one pass of O(n_rows * n_trees) over the stored leaf of every row, whatever is removed.

References
----------
Friedman, J. H. (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics 29.
Lin, H., Chung, J. W., Lao, Y. and Zhao, W. (2023). Machine unlearning in gradient boosting decision trees. KDD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.case.scoring import final_estimator
from core.errors import NotSupportedError
from core.families.boosting.booster import BoostedNodes, Booster, BoostingRows, Leaves
from core.families.boosting.classic import ClassicBooster
from core.families.boosting.hist import HistBooster
from core.numerics.boosting.nodes import COUNT
from core.typing import Bools, Positions, Progress
from core.unlearning.base import Guarantee, Removal, Unlearner, mask_without, model_input
from core.unlearning.code_types import code_type
from core.unlearning.preprocessing.steps import shallow

BOOSTER_OF: dict[type, type[Booster]] = {
    HistGradientBoostingClassifier: HistBooster,
    GradientBoostingClassifier: ClassicBooster,
}
SOON = 1.0
"""Seconds of training that are not worth an approximation: below, "auto" trains again."""
KEPT = (
    "The trees keep the splits that were chosen with the removed records. How many are no longer the best, and how far a refit is, "
    "is found on demand; refit chooses them anew and makes the removal exact."
)


@dataclass(frozen=True, eq=False)
class BoostingState:
    """The state that removals from one boosting model share.

    Parameters
    ----------
    booster : Booster
        The model as it was handed in.
    forest : Forest
        Its nodes.
    rows : Rows
        The leaf of every training row.
    features : array or DataFrame or None
        Training rows as the pipeline's steps transform them; None for a bare model.
    """

    booster: Booster
    forest: BoostedNodes
    rows: BoostingRows
    features: Any

    def leaves(self, case: Case, retained: Bools) -> Leaves:
        """Refit every leaf value on the retained rows."""
        return self.booster.refit(self.forest, self.rows, retained, case.train_codes, case.train_weight)


class LeafRefit(Unlearner):
    """Refits leaf values stage by stage and keeps the trees' splits."""

    name = "leaf_refit"
    guarantee = Guarantee.APPROXIMATE
    way = "Its leaves are given new values; its splits stay."

    def refusal(self, case: Case) -> str | None:
        """Return why the model is not one this method serves, or None."""
        model = final_estimator(case.model)
        if type(model) not in BOOSTER_OF:
            return f"{type(model).__name__} is not gradient boosting"
        return BOOSTER_OF[type(model)](model).refusal()

    def gives_way(self, case: Case) -> str | None:
        """Return why "auto" trains again instead, or None.

        Where the model's trees say that it takes less than `SOON`.
        """
        model = final_estimator(case.model)

        def estimated() -> float:
            booster = BOOSTER_OF[type(model)](model)
            return booster.fit_seconds(booster.forest())

        seconds: float = case._remember(("seconds of training",), estimated)
        if seconds >= SOON:
            return None
        return f"training again takes only about {max(seconds, 0.01):.1g} s of an idle processor for trees of this size, so nothing need be approximated"

    def adopt(self, case: Case, progress: Progress | None = None) -> BoostingState:
        """Return the leaf of every training row, once the model is seen to come from this table."""
        if progress:
            progress(0.0, "Routing the records")
        state = prepare_boosting(case)
        if progress:
            progress(0.8, "Comparing leaf values")
        state.booster.check(state.forest, state.leaves(case, case.retained))
        if progress:
            progress(1.0, "Ready")
        return state

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case with leaf values refitted without the records at `positions`."""
        retained = mask_without(case, positions)
        state: BoostingState = self.prepare(case)
        steps = _refitted_steps(case, state, retained)
        leaves = state.leaves(case, retained)
        model = state.booster.with_leaves(state.forest, leaves)
        if steps is not None:
            pipeline = shallow(case.model)
            pipeline.steps = [*steps.steps, (case.model.steps[-1][0], model)]
            model = pipeline
        return Removal(
            case.replace(model, retained, {self.name: state}),
            Guarantee.APPROXIMATE,
            notes=_notes(state, leaves, positions),
        )


def prepare_boosting(case: Case) -> BoostingState:
    """Return the model's nodes and the leaf of every training row."""
    model = final_estimator(case.model)
    booster = BOOSTER_OF[type(model)](model)
    table = model_input(case, np.ones(len(case.retained), dtype=bool))
    features = case.model[:-1].transform(table) if isinstance(case.model, Pipeline) else None
    forest = booster.forest()
    nodes = booster.route(table if features is None else features)
    nodes = nodes.astype(code_type(int(np.diff(forest.first).max())), copy=False)
    fitted, codes = case.retained.copy(), case.train_codes[case.retained]
    fitted[np.flatnonzero(case.retained)[booster.held_out(codes)]] = False
    given = booster.drawn(codes)
    drawn = np.zeros((len(given), len(fitted)), dtype=bool)
    drawn[:, case.retained] = given
    return BoostingState(
        booster, forest, BoostingRows(nodes, case.train_codes.astype(np.intp), fitted, drawn), features
    )


def _refitted_steps(case: Case, state: BoostingState, retained: Bools) -> Any:
    """Return the steps before the model fitted on the retained rows, None for a bare model."""
    if state.features is None:
        return None
    table = model_input(case, retained)
    steps = clone(case.model[:-1]).fit(table, case.train_labels[retained])
    before = state.features[retained]
    if not _same(before, steps.transform(table)):
        raise NotSupportedError(
            "the steps before the trees, fitted without these records, change how retained records look to the trees"
        )
    return steps


def _same(before: Any, after: Any) -> bool:
    if before.shape != after.shape:
        return False
    if issparse(before):
        return int((before != after).nnz) == 0
    if hasattr(before, "equals"):
        return bool(before.equals(after))
    return bool(np.array_equal(np.asarray(before, dtype=float), np.asarray(after, dtype=float), equal_nan=True))


def _notes(state: BoostingState, leaves: Leaves, positions: Positions) -> tuple[str, ...]:
    notes = [KEPT]
    at_leaves = leaves.sums[state.forest.leaves, COUNT]
    emptied = int(np.count_nonzero(at_leaves == 0))
    if emptied:
        notes.append(
            f"{emptied:,} of {len(at_leaves):,} leaves hold no record any more and take the value of the node above."
        )
    held = int(np.count_nonzero(~state.rows.fitted[positions]))
    if held:
        notes.append(
            f"{held:,} of the removed records were held out from the trees and only helped to choose how many there are; that number is kept."
        )
    return tuple(notes)
