"""GradientBoostingClassifier: its trees read and written."""

from __future__ import annotations

import copy
from math import ceil
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.dummy import DummyClassifier
from sklearn.ensemble._gradient_boosting import _random_sample_mask

from core.case.scoring import singles
from core.families.boosting.booster import DRAWN, BoostedNodes, Booster, Leaves, Places
from core.numerics.boosting.nodes import COUNT, GRADIENT, SQUARE, SUM_OF_WEIGHTS
from core.typing import Bools, Floats, Positions
from core.unlearning.preprocessing.steps import shallow

TREE_SEEDS = 2**31 - 1
"""Every tree takes a number below this from the model's random stream."""


class ClassicBooster(Booster):
    """Gradient boosting over regression trees.

    Double precision, no penalty, values shrunk when they are added.
    """

    fit_costs = (1e-3, 0.0, 1e-7)
    histogram = False
    clip = float(np.finfo(np.float64).eps)
    ridge = 0.0

    def refusal(self) -> str | None:
        """Return why its leaves cannot be refitted, or None."""
        model = self.model
        if model.loss != "log_loss":
            return f"its loss is {model.loss!r}; only 'log_loss' is served"
        sampled, seeded = model.subsample < 1.0, isinstance(model.random_state, Integral)
        if sampled and not seeded:
            return "its trees drew samples of the rows (subsample below 1), and random_state is not a whole number to draw them again with"
        if sampled and self.forgot:
            return "its leaves were refitted since it was trained, and which rows its trees drew (subsample below 1) can no longer be told"
        prior = isinstance(model.init_, DummyClassifier) and model.init_.strategy == "prior"
        if self.starts_from_prior and not prior:
            return "it starts from another model's predictions (init)"
        if model.n_iter_no_change is not None and not seeded:
            return "it stopped early on rows held out at random, and random_state is not a whole number to draw them again with"
        return None

    @property
    def starts_from_prior(self) -> bool:
        """Whether predictions start from the classes' shares, and not from zero."""
        return not isinstance(self.model.init_, str)

    @property
    def factor(self) -> float:
        """The factor of every leaf's Newton step.

        Friedman's (K - 1) / K for K classes, more than two.
        """
        return 1.0 if self.n_outputs == 1 else (self.n_classes - 1) / self.n_classes

    @property
    def share_of_features(self) -> float:
        """Which share of the features a split is searched among."""
        return float(self.model.max_features_ / self.n_features)

    @property
    def forgot(self) -> bool:
        """Whether its leaves were refitted since it was trained: the training loss is unknown then."""
        return bool(np.isnan(self.model.train_score_).all())

    def forest(self) -> BoostedNodes:
        """Return the nodes of its trees."""
        trees = [one.tree_ for one in self.model.estimators_.ravel()]
        return BoostedNodes.of(
            [(tree.children_left, tree.children_right, tree.value[:, 0, 0], tree.n_node_samples) for tree in trees]
        )

    def route(self, X: Any) -> npt.NDArray[Any]:
        """Return the leaf of every row."""
        found = self.model.apply(X if issparse(X) else np.asarray(X))  # its trees know no names
        return np.ascontiguousarray(found.reshape(len(found), -1).T, dtype=np.int32)

    def held_out(self, codes: Positions) -> Positions:
        """Return which rows were held out, by drawing the split again."""
        if self.model.n_iter_no_change is None:
            return np.zeros(0, dtype=np.intp)
        return self.split_again(codes, self.model.random_state)[1]

    def drawn(self, codes: Positions) -> Bools:
        """Return which rows each stage drew, by drawing them again.

        A sample for a stage, and then a seed for each of its trees.
        """
        model = self.model
        if model.subsample >= 1.0:
            return super().drawn(codes)
        stopped = model.n_iter_no_change is not None
        order = self.split_again(codes, model.random_state)[0] if stopped else np.arange(len(codes))
        random, size = np.random.RandomState(model.random_state), max(1, int(model.subsample * len(order)))
        found = np.zeros((len(model.estimators_), len(codes)), dtype=bool)
        for stage in found:
            stage[order] = _random_sample_mask(len(order), size, random)
            for _ in range(self.n_outputs):
                random.randint(0, TREE_SEEDS)
        return found

    def weights(self, codes: Positions, weight: Floats | None) -> Floats:
        """Return the sample weights."""
        return np.ones(len(codes)) if weight is None else weight

    def counted(self, keep: Bools, weight: Floats) -> Bools:
        """Return which rows the trees count: those of weight 0 are left out."""
        return np.asarray(keep & (weight > 0.0))

    def splits_refusal(self) -> str | None:
        """Return why the best split of a node cannot be told, or None."""
        return DRAWN if self.model.max_features_ < self.n_features else None

    def places(self, X: Any) -> Places:
        """Return every feature's values as scikit-learn's trees take them, in order."""
        table = singles(X)
        found = [np.unique(column, return_inverse=True) for column in table.T]
        n_codes = np.array([len(values) for values, _ in found], dtype=np.intp)
        codes = np.array([places for _, places in found], dtype=np.int32)
        return codes, n_codes, np.zeros(len(found), dtype=bool)

    def limits(self, keep: Bools, weight: Floats) -> tuple[float, float, float]:
        """Return the fewest rows on a side and above, and the least weight on a side."""
        n_rows, model = int(np.count_nonzero(keep)), self.model
        leaf, split = (
            limit if isinstance(limit, Integral) else ceil(limit * n_rows)
            for limit in (model.min_samples_leaf, model.min_samples_split)
        )
        return float(leaf), float(split), float(model.min_weight_fraction_leaf * weight[keep].sum())

    def split_terms(self, g: Floats, h: Floats, weight: Floats) -> tuple[Floats, Floats]:  # noqa: ARG002
        """Return gradients and weights: trees are fitted to gradients by least squares."""
        return g, weight

    def with_leaves(self, forest: BoostedNodes, leaves: Leaves) -> Any:
        """Return a copy with other values, counts and impurities.

        The stored training loss no longer holds and becomes NaN.
        """
        model = shallow(self.model)
        model.estimators_ = self.model.estimators_.copy()
        for index, estimator in enumerate(self.model.estimators_.ravel()):
            other = shallow(estimator)
            other.tree_ = copy.deepcopy(estimator.tree_)
            at = forest.tree(index)
            _write(other.tree_, forest.leaves[at], leaves.values[at], leaves.sums[at])
            model.estimators_[divmod(index, self.n_outputs)] = other
        if self.starts_from_prior:
            model.init_ = shallow(self.model.init_)
            model.init_.class_prior_ = leaves.prior
        model.train_score_ = np.full_like(self.model.train_score_, np.nan)
        if model.subsample < 1.0:
            model.oob_improvement_, model.oob_scores_ = (np.full(len(model.estimators_), np.nan) for _ in range(2))
            model.oob_score_ = np.nan
        return model


def _write(tree: Any, at_leaf: Bools, values: Floats, sums: Floats) -> None:
    weight = np.where(sums[:, SUM_OF_WEIGHTS] > 0.0, sums[:, SUM_OF_WEIGHTS], 1.0)
    mean = -sums[:, GRADIENT] / weight
    tree.value[:, 0, 0] = np.where(at_leaf, values, mean)
    tree.impurity[:] = np.maximum(sums[:, SQUARE] / weight - mean**2, 0.0)
    tree.n_node_samples[:] = sums[:, COUNT].astype(np.intp)
    tree.weighted_n_node_samples[:] = sums[:, SUM_OF_WEIGHTS]
