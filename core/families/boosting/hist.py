"""HistGradientBoostingClassifier: its trees read and written."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.utils.validation import _check_monotonic_cst

from core.families.boosting.booster import DRAWN, BoostedNodes, Booster, Leaves, Places
from core.numerics.boosting.nodes import COUNT, GRADIENT
from core.typing import Bools, Floats, Positions
from core.unlearning.preprocessing.steps import shallow

ROUTE_THREADS = 1
LEAST_HESSIAN = 1e-3
"""What scikit-learn's grower asks of each side of a split; no parameter sets it."""


class HistBooster(Booster):
    """Histogram gradient boosting.

    Derivatives in single precision, values shrunk where they are stored.
    """

    fit_costs = (5e-4, 1.6e-6, 1.5e-9)
    histogram = True
    clip = 10.0 * float(np.finfo(np.float64).eps)

    def refusal(self) -> str | None:
        """Return why its leaves cannot be refitted, or None."""
        return None

    @property
    def ridge(self) -> float:
        """The L2 penalty, and what scikit-learn adds against a division by 0."""
        return float(self.model.l2_regularization) + 1e-15

    @property
    def forgot(self) -> bool:
        """Whether its leaves were refitted since it was trained.

        Scores kept for early stopping are gone then.
        """
        return bool(self.model.do_early_stopping_ and len(self.model.train_score_) == 0)

    @property
    def _trees(self) -> list[TreePredictor]:
        return [one for stage in self.model._predictors for one in stage]

    def forest(self) -> BoostedNodes:
        """Return the nodes of its trees."""
        trees, signs, constraints = [], [], self._constraints()
        for predictor in self._trees:
            nodes = predictor.nodes
            inner = nodes["is_leaf"] == 0
            left = np.where(inner, nodes["left"].astype(np.intp), -1)
            right = np.where(inner, nodes["right"].astype(np.intp), -1)
            value = np.where(inner, nodes["value"], nodes["value"] / self.model.learning_rate)
            trees.append((left, right, value, nodes["count"]))
            if constraints is not None:
                signs.append(np.where(inner, constraints[nodes["feature_idx"]], 0).astype(np.int8))
        return BoostedNodes.of(trees, signs)

    def _constraints(self) -> npt.NDArray[np.int8] | None:
        """Return the monotonic constraint of every feature as its trees know them, or None."""
        if self.model.monotonic_cst is None:
            return None
        found = np.asarray(_check_monotonic_cst(self.model, self.model.monotonic_cst), dtype=np.int8)
        first = self.model.is_categorical_  # its trees see categories first
        if first is not None:
            found = np.concatenate([found[first], found[~first]])
        return found if found.any() else None

    def route(self, X: Any) -> npt.NDArray[Any]:
        """Return the leaf of every row: trees whose values are node numbers predict it."""
        table = self.model._preprocess_X(X, reset=False)
        bitsets, columns = self.model._bin_mapper.make_known_categories_bitsets()
        found = np.empty((len(self._trees), len(table)), dtype=np.int32)
        for index, predictor in enumerate(self._trees):
            numbered = predictor.nodes.copy()
            numbered["value"] = np.arange(len(numbered))
            found[index] = _with_nodes(predictor, numbered).predict(table, bitsets, columns, ROUTE_THREADS)
        return found

    def held_out(self, codes: Positions) -> Positions:
        """Return which rows were held out, by drawing the split again with the model's own seed."""
        if not self.model.do_early_stopping_ or self.model.validation_fraction is None:
            return np.zeros(0, dtype=np.intp)
        return self.split_again(codes, self.model._random_seed)[1]

    def weights(self, codes: Positions, weight: Floats | None) -> Floats:
        """Return sample weights times class weights."""
        found = self.model._finalize_sample_weight(weight, codes.astype(np.float64))
        return np.ones(len(codes)) if found is None else np.asarray(found, dtype=np.float64)

    def splits_refusal(self) -> str | None:
        """Return why the best split of a node cannot be told, or None."""
        if self.model.is_categorical_ is not None:
            return "it splits on sets of categories, and only splits at a value are compared"
        if self._constraints() is not None:
            return "monotonic constraints forbid splits by the values they lead to, and only splits that are all allowed are compared"
        return DRAWN if self.model.max_features < 1.0 else None

    def places(self, X: Any) -> Places:
        """Return the bins of every feature; the last one is for missing values."""
        mapper = self.model._bin_mapper
        codes = np.ascontiguousarray(mapper.transform(self.model._preprocess_X(X, reset=False)).T, dtype=np.int32)
        n_codes = np.full(len(codes), mapper.missing_values_bin_idx_ + 1, dtype=np.intp)
        return codes, n_codes, np.asarray((codes == mapper.missing_values_bin_idx_).any(axis=1))

    def limits(self, keep: Bools, weight: Floats) -> tuple[float, float, float]:  # noqa: ARG002
        """Return the fewest rows on a side and above, and the least second derivative on a side."""
        return float(self.model.min_samples_leaf), 2.0, LEAST_HESSIAN

    def split_terms(self, g: Floats, h: Floats, weight: Floats) -> tuple[Floats, Floats]:  # noqa: ARG002
        """Return gradients and second derivatives as scikit-learn rounds them."""
        return g.astype(np.float32).astype(np.float64), h.astype(np.float32).astype(np.float64)

    def allowed(self, tree: int, left: Positions, right: Positions) -> Bools:
        """Return which features every node may split on under the model's interaction constraints."""
        found = super().allowed(tree, left, right)
        groups = self.model._check_interaction_cst(self.n_features)
        if groups is None:
            return found
        split_on = self._trees[tree].nodes["feature_idx"]
        open_groups = {0: groups}
        for node in range(len(left)):
            found[node] = np.isin(np.arange(self.n_features), list(set().union(*open_groups[node])))
            if left[node] >= 0:
                below = [group for group in open_groups[node] if split_on[node] in group]
                open_groups[int(left[node])] = open_groups[int(right[node])] = below
        return found

    def with_leaves(self, forest: BoostedNodes, leaves: Leaves) -> Any:
        """Return a copy with other values, counts and gains.

        Scores of the fit that no longer hold are dropped.
        """
        model = shallow(self.model)
        gains = _gains(forest, leaves)
        made = []
        for index, predictor in enumerate(self._trees):
            at = forest.tree(index)
            nodes = predictor.nodes.copy()
            nodes["value"] = np.where(
                forest.leaves[at], leaves.values[at] * self.model.learning_rate, leaves.values[at]
            )
            nodes["count"] = leaves.sums[at, COUNT]
            nodes["gain"] = gains[at]
            nodes["value"][0] = 0.0
            made.append(_with_nodes(predictor, nodes))
        width = self.n_outputs
        model._predictors = [made[start : start + width] for start in range(0, len(made), width)]
        model._baseline_prediction = np.full_like(self.model._baseline_prediction, leaves.baseline)
        model.train_score_ = np.zeros(0)
        model.validation_score_ = np.zeros(0)
        return model


def _with_nodes(predictor: TreePredictor, nodes: npt.NDArray[Any]) -> TreePredictor:
    return TreePredictor(nodes, predictor.binned_left_cat_bitsets, predictor.raw_left_cat_bitsets)


def _gains(forest: BoostedNodes, leaves: Leaves) -> Floats:
    """Return what every split gains, -1 at leaves; scikit-learn counts a root's value as 0."""
    loss = leaves.sums[:, GRADIENT] * leaves.values
    loss[forest.first[:-1]] = 0.0
    start = np.repeat(forest.first[:-1], np.diff(forest.first))
    inner = ~forest.leaves
    gains = np.full(len(loss), -1.0)
    children = loss[(start + forest.left)[inner]] + loss[(start + forest.right)[inner]]
    gains[inner] = loss[inner] - children
    return gains
