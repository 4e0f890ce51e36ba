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
from core.case.scoring import model_rows
from core.errors import InputError, NotSupportedError
from core.numerics.boosting import effects_of_removal, predict
from core.numerics.logistic import sigmoid
from core.unlearning.base import mask_without
from core.unlearning.boosting import BoostingState, LeafRefit
from core.unlearning.boosting_trees import Leaves
from core.unlearning.threads import on_threads

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

STEPS_KEPT = "The change is predicted with these steps as they are."


class StageInfluence(Attributor):
    """The derivative of refitted leaf values by the records' weights, for every record at once."""

    name = "leaf_refit"

    def fits(self, case: Case) -> str | None:
        """Return why the model is not one this method serves, or None."""
        return LeafRefit().fits(case)

    def influence(self, case: Case, metric: str | Quantity, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the smooth metric for every training row: O(n_rows * n_trees), twice."""
        state = _state(case)
        leaves = state.leaves(case, case.retained)
        smooth = SmoothMetric.of(case, metric, feature, on)
        by_predictor = smooth.gradient(predictors(case.scores(on)))
        by_raw = by_predictor if case.pos_column == 1 else -by_predictor
        pull = _pull(case, state, by_raw, on)
        booster, forest, rows = state.booster, state.forest, state.rows
        effect, slope, carried = effects_of_removal(
            rows.nodes,
            forest.first,
            leaves.sums,
            leaves.values,
            rows.y,
            leaves.weight,
            leaves.keep,
            leaves.raw,
            pull,
            booster.ridge,
            float(booster.model.learning_rate),
            booster.histogram,
        )
        if booster.starts_from_prior:
            by_baseline = float(by_raw.sum() + carried[leaves.keep].sum())
            change, derivative = _through_baseline(state, leaves)
            effect, slope = effect + by_baseline * change, slope + by_baseline * derivative
        return effect + _through_class_weights(case, state, leaves, slope)

    def scores_without(self, case: Case, positions: Positions, on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return scores after refitting the leaves: O(n_rows * n_trees) and one pass over the split."""
        ready = case.replace(case.model, case.retained, _state(case))
        try:
            removal = LeafRefit().remove(ready, positions, 1e-6)
        except NotSupportedError as error:
            return self._scores(case, positions, on), (f"It cannot be done in place: {error}.", STEPS_KEPT)
        return removal.case.scores(on), removal.notes

    def group_scores(self, case: Case, groups: Sequence[Positions], on: str) -> Floats:
        """Return scores after refitting the leaves without each group, steps before the trees kept: O(n_rows * n_trees) a group."""

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
        rate = float(state.booster.model.learning_rate)
        raw = predict(_nodes(case, on), state.forest.first, leaves.values, leaves.baseline, rate)
        return np.asarray(sigmoid(raw if case.pos_column == 1 else -raw))


def _state(case: Case) -> BoostingState:
    return case._remember(("boosting state",), lambda: LeafRefit().prepare(case).state)  # type: ignore[no-any-return]


def _nodes(case: Case, on: str) -> npt.NDArray[np.int32]:
    """Return the leaf of every row of a split in every tree."""

    def route() -> npt.NDArray[np.int32]:
        table = case.X_test.iloc[case.rows(on)]
        data = model_rows(case.model, table)
        data = case.model[:-1].transform(data) if isinstance(case.model, Pipeline) else data
        return np.ascontiguousarray(_state(case).booster.route(data), dtype=np.int32)

    return case._remember(("boosting nodes", on), route)  # type: ignore[no-any-return]


def _pull(case: Case, state: BoostingState, by_raw: Floats, on: str) -> Floats:
    """Return the metric's derivative by every leaf's contribution, summed over the split's rows in it."""
    nodes = _nodes(case, on) + state.forest.first[:-1, None]
    repeated = np.broadcast_to(by_raw, nodes.shape)
    return np.bincount(nodes.ravel(), repeated.ravel(), minlength=int(state.forest.first[-1])).astype(np.float64)


def _through_baseline(state: BoostingState, leaves: Leaves) -> tuple[Floats, Floats]:
    """Return each record's effect on the prediction before the first tree: its removal's, and the derivative by its weight."""
    kept, y = leaves.weight * leaves.keep, state.rows.y
    positive = float(kept @ y)
    negative = float(kept.sum()) - positive
    own = np.where(y > 0.0, positive, negative)
    side = np.where(y > 0.0, 1.0, -1.0)
    change = side * np.log1p(-kept / np.maximum(own, 2.0 * kept))
    return change, side * leaves.keep / own


def _through_class_weights(case: Case, state: BoostingState, leaves: Leaves, slope: Floats) -> Floats:
    """Return what each removal does through balanced class weights: they follow the class totals."""
    counts = np.bincount(case.train_codes[case.retained], minlength=2).astype(np.float64)
    if getattr(state.booster.model, "class_weight", None) != "balanced" or counts.min() <= 1.0:
        return np.zeros(len(slope))
    by_class = np.bincount(case.train_codes, slope * leaves.weight * leaves.keep, minlength=2)
    change = np.empty(2)
    for label in range(2):
        less = counts - np.eye(2)[label]
        factor = (less.sum() / less) / (counts.sum() / counts)
        change[label] = by_class @ (factor - 1.0)
    return np.where(case.retained, change[case.train_codes], 0.0)
