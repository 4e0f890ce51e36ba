"""Influence of training records in gradient boosting, through the stages.

With the trees' splits kept, a boosting model is a smooth function of its records' weights: each leaf value follows from the
gradients of its rows at the predictions of the trees before it. That function is differentiated backwards, from the metric on the
explore rows through the last tree to the first: one pass gives every record's effect, what it does to later trees included
(BoostIn leaves that out, LeafInfluence takes a pass for each record). A record's effect on its own leaves is exact, not first order.

References
----------
Brophy, J., Hammoudeh, Z. and Lowd, D. (2023). Adapting and evaluating influence-estimation methods for gradient-boosted decision
trees. Journal of Machine Learning Research 24.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from core.attribution.base import Attributor
from core.attribution.smooth import Quantity, SmoothMetric, predictors
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.families.boosting.booster import Leaves
from core.families.boosting.unlearner import BoostingState, LeafRefit
from core.numerics.linear.softmax import log_odds_shares
from core.typing import Floats, Positions
from core.unlearning.base import mask_without, split_input
from core.unlearning.refit import Refit
from core.unlearning.threads import on_threads

STEPS_KEPT = "The change is predicted with these steps as they are."


class StageInfluence(Attributor):
    """The derivative of refitted leaf values by the records' weights, for every record at once."""

    name = "leaf_refit"
    follows_labels = True

    def fits(self, case: Case) -> str | None:
        """Return why the model is not one this method serves, or None."""
        return LeafRefit().fits(case)

    def influence(self, case: Case, metric: str | Quantity, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the smooth metric for every training row.

        O(n_rows * n_trees), twice.
        """
        state = _state(case)
        leaves = state.leaves(case, case.retained)
        smooth = SmoothMetric.of(case, metric, feature, on)
        by_raw = _by_raw(case, state, leaves, smooth.gradient(predictors(case.scores(on))), on)
        pull = _pull(case, state, by_raw, on)
        booster, forest, rows = state.booster, state.forest, state.rows
        effect, slope, carried = booster.effects(forest, rows, leaves, pull)
        if booster.starts_from_prior:
            by_baseline = by_raw.sum(axis=0) + carried[leaves.keep].sum(axis=0)
            change, derivative = _through_baseline(state, leaves, by_baseline)
            effect, slope = effect + change, slope + derivative
        return effect + _through_class_weights(case, state, leaves, slope)

    def scores_without(self, case: Case, positions: Positions, on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return scores after refitting the leaves, or after a refit where these give way.

        O(n_rows * n_trees) and one pass over the split.
        """
        soon = LeafRefit().gives_way(case)
        if soon:
            again = Refit().remove(case, positions, 1e-6)
            return again.case.scores(on), (f"The model was really trained again without them: {soon}.", *again.notes)
        try:
            removal = LeafRefit().remove(case, positions, 1e-6)
        except NotSupportedError as error:
            return self._scores(case, positions, on), (
                f"The removal cannot be done in place: {error}.",
                STEPS_KEPT,
            )
        return removal.case.scores(on), removal.notes

    def group_scores(self, case: Case, groups: Sequence[Positions], on: str) -> Floats:
        """Return scores after refitting the leaves without each group, steps before the trees kept.

        O(n_rows * n_trees) a group.
        """

        def one(group: Positions) -> Floats:
            if not len(group):
                return case.scores(on)
            try:
                return self._scores(case, group, on)
            except InputError:
                return np.full(len(case.rows(on)), np.nan)

        _state(case), _nodes(case, on)
        return np.array(on_threads(one, [(group,) for group in groups])).reshape(len(groups), -1)

    def _scores(self, case: Case, positions: Positions, on: str) -> Floats:
        state = _state(case)
        leaves = state.leaves(case, mask_without(case, positions))
        raw = state.booster.predictions(state.forest, leaves, _nodes(case, on))
        if raw.shape[1] == 1 and case.pos_column == 0:
            raw = -raw
        return state.booster.probabilities(raw)[:, case.pos_column if raw.shape[1] > 1 else 0]


def _state(case: Case) -> BoostingState:
    state: BoostingState = LeafRefit().prepare(case)
    return state


def _nodes(case: Case, on: str) -> npt.NDArray[np.int32]:
    """Return the leaf of every row of a split in every tree."""

    def route() -> npt.NDArray[np.int32]:
        data = split_input(case, on)
        data = case.model[:-1].transform(data) if isinstance(case.model, Pipeline) else data
        return np.ascontiguousarray(_state(case).booster.route(data), dtype=np.int32)

    return case.prepared.get(("leaf_refit", on), route)


def _by_raw(case: Case, state: BoostingState, leaves: Leaves, by_predictor: Floats, on: str) -> Floats:
    """Return the metric's derivative by every prediction of the split's rows.

    Its shape is (n_rows, n_outputs).

    The predictor of `pos_label` is its log-odds against all other classes; these share its derivative as they share what it leaves.
    """
    if state.booster.n_outputs == 1:
        return (by_predictor if case.pos_column == 1 else -by_predictor)[:, None]
    p = state.booster.probabilities(state.booster.predictions(state.forest, leaves, _nodes(case, on)))
    return np.asarray(by_predictor[:, None] * log_odds_shares(p, case.pos_column))


def _pull(case: Case, state: BoostingState, by_raw: Floats, on: str) -> Floats:
    """Return the metric's derivative by every leaf's contribution.

    It is summed over the split's rows in the leaf.
    """
    nodes = _nodes(case, on)
    found = np.zeros(state.forest.first[-1])
    for tree, leaf in enumerate(nodes):
        at = state.forest.tree(tree)
        found[at] = np.bincount(leaf, by_raw[:, tree % by_raw.shape[1]], minlength=at.stop - at.start)
    return found


def _through_baseline(state: BoostingState, leaves: Leaves, by_baseline: Floats) -> tuple[Floats, Floats]:
    """Return what each record does through the predictions before the first tree.

    By its removal, and the derivative by its weight.

    With W the weight of the record's own class, its weight w changes that class's log-share by log(1 - w / W) beside the others.
    """
    kept, y = leaves.weight * leaves.keep, state.rows.y
    own = np.bincount(y, kept, minlength=len(leaves.prior))[y]
    by_class = by_baseline[0] * np.array([-1.0, 1.0]) if len(by_baseline) == 1 else by_baseline - by_baseline.mean()
    return by_class[y] * np.log1p(-kept / np.maximum(own, 2.0 * kept)), by_class[y] * leaves.keep / own


def _through_class_weights(case: Case, state: BoostingState, leaves: Leaves, slope: Floats) -> Floats:
    """Return what each removal does through balanced class weights.

    They follow the class totals.
    """
    n_classes = len(case.classes)
    counts = np.bincount(case.train_codes[case.retained], minlength=n_classes).astype(np.float64)
    if getattr(state.booster.model, "class_weight", None) != "balanced" or counts.min() <= 1.0:
        return np.zeros(len(slope))
    by_class = np.bincount(case.train_codes, slope * leaves.weight * leaves.keep, minlength=n_classes)
    change = np.empty(n_classes)
    for label in range(n_classes):
        less = counts - np.eye(n_classes)[label]
        factor = (less.sum() / less) / (counts.sum() / counts)
        change[label] = by_class @ (factor - 1.0)
    return np.where(case.retained, change[case.train_codes], 0.0)
