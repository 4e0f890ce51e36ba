"""Parts of a scikit-learn tree or forest that its retraining depends on.

All of it is read from the fitted model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.utils import check_random_state, compute_sample_weight

from core.errors import NotSupportedError
from core.numerics.trees.arrays import CLASS_MASK, MOST_IN_ALL, MOST_WEIGHT, Rules
from core.typing import Longs

FORESTS = (RandomForestClassifier, ExtraTreesClassifier)
TREES = (DecisionTreeClassifier, ExtraTreeClassifier)

STREAM_END = 2**31 - 1
"""scikit-learn's splitters draw their seed below this."""


def estimator_of(model: Any) -> Any:
    """Return the model's last step, or the model itself."""
    return model.steps[-1][1] if isinstance(model, Pipeline) else model


def trees_of(estimator: Any) -> list[Any]:
    """Return the decision trees of a tree or forest."""
    return list(estimator.estimators_) if isinstance(estimator, FORESTS) else [estimator]


def why_not(model: Any) -> str | None:
    """Return why a model's trees cannot be replayed, or None. Reads parameters only."""
    estimator = estimator_of(model)
    if type(estimator) not in (*FORESTS, *TREES):
        return (
            f"{type(estimator).__name__} is not a decision tree, random forest or forest of extra-trees of scikit-learn"
        )
    if estimator.n_outputs_ != 1 or len(estimator.classes_) > CLASS_MASK:
        return f"trees with one output and up to {CLASS_MASK} classes are served"
    return _whole_table(estimator) or _randomness(estimator) or _other_trees(estimator)


def _whole_table(estimator: Any) -> str | None:
    """Return which parameter makes every node depend on all rows."""
    if estimator.min_weight_fraction_leaf:
        return "min_weight_fraction_leaf is set, so that every node depends on the weight of all rows"
    if estimator.ccp_alpha:
        return "ccp_alpha is set, and what was drawn in the pruned branches cannot be read from the model"
    if estimator.max_leaf_nodes is not None:
        return "max_leaf_nodes is set, so that every split depends on the gains of all others"
    if estimator.monotonic_cst is not None:
        return "monotonic_cst is set, so that every split depends on the values of the nodes above it"
    if isinstance(estimator.class_weight, str) and not moves_draws(estimator):
        return (
            f"class_weight is {estimator.class_weight!r}{_without_bootstrap(estimator)}, so that every record's weight in a tree depends on the "
            "class counts; a forest with bootstrap=True and class_weight='balanced' is served"
        )
    if estimator.criterion not in ("gini", "entropy", "log_loss"):
        return "the criterion is not gini, entropy or log_loss"
    return None


def _without_bootstrap(estimator: Any) -> str:
    return "" if getattr(estimator, "bootstrap", False) else " and no bootstrap is drawn"


def _randomness(estimator: Any) -> str | None:
    if isinstance(estimator, FORESTS):
        if not hasattr(estimator, "_n_samples"):
            return "the forest does not hold what its bootstrap was drawn from"
        if moves_draws(estimator) and "_sample_weight" not in vars(estimator):
            return (
                f"class_weight is {estimator.class_weight!r}, and scikit-learn before 1.9, which fitted the forest, made it a factor of "
                "every record's weight in a tree, which depends on the class counts"
            )
        if estimator.bootstrap and "_sample_weight" not in vars(estimator):
            return "scikit-learn before 1.9, which fitted the forest, multiplied rows by weights that the forest does not hold"
        return None
    if not isinstance(estimator.random_state, Integral) and (
        estimator.splitter != "best" or not _sees_everything(estimator)
    ):
        return "random_state is not a whole number, so that its stream cannot be drawn again"
    return None


def _other_trees(estimator: Any) -> str | None:
    """Return why a forest's trees are not those that training it gives.

    Their number and seeds tell.
    """
    if not isinstance(estimator, FORESTS):
        return None
    held, asked = len(estimator.estimators_), estimator.n_estimators
    if held != asked:
        return f"the forest holds {held:,} trees and its n_estimators says {asked:,}; set that to {held:,} if they are what it shall be"
    of_seed: dict[Any, Any] = {}
    for tree in estimator.estimators_:
        twin = of_seed.get(tree.random_state)
        if twin is not None and np.array_equal(twin.tree_.threshold, tree.tree_.threshold):
            return "the forest holds a tree twice, which training does not give"
        of_seed[tree.random_state] = tree
    return None


def _sees_everything(tree: Any) -> bool:
    return bool(tree.max_features_ == tree.n_features_in_)


def moves_draws(estimator: Any) -> bool:
    """Return whether a forest's draws move to other rows of their class as their own go."""
    return isinstance(estimator, FORESTS) and estimator.bootstrap and estimator.class_weight == "balanced"


def rules_of(estimator: Any, n_rows: int) -> Rules:
    """Return the parameters that shape the trees when they are fitted on so many rows."""
    first = trees_of(estimator)[0]
    depth = estimator.max_depth
    split, leaf = (_resolved(value, n_rows) for value in (estimator.min_samples_split, estimator.min_samples_leaf))
    return Rules(
        entropy=estimator.criterion != "gini",
        max_features=int(first.max_features_),
        min_samples_split=max(split, 2, 2 * leaf),
        min_samples_leaf=leaf,
        max_depth=int(np.iinfo(np.int32).max if depth is None else depth),
        min_impurity_decrease=float(estimator.min_impurity_decrease),
        random=first.splitter == "random",
    )


def features_drawn(max_features: Any, n_features: int) -> int:
    """Return how many of so many features a tree draws at a node, as scikit-learn has it."""
    if max_features is None:
        return n_features
    if isinstance(max_features, str):
        return max(1, int(np.sqrt(n_features) if max_features == "sqrt" else np.log2(n_features)))
    return int(max_features) if isinstance(max_features, Integral) else max(1, int(max_features * n_features))


def _resolved(limit: Any, n_rows: int) -> int:
    """Return a limit that may be a share of the rows as a number of them."""
    return int(limit) if isinstance(limit, Integral) else math.ceil(limit * n_rows)


@dataclass(frozen=True)
class TreeStream:
    """The random stream of one tree.

    Parameters
    ----------
    seed : int or None
        The splitter's seed; None where it is not known and only ties depend on it.
    """

    seed: int | None

    @property
    def key(self) -> np.uint64:
        """The key of the draws that the fitted tree never made."""
        return np.uint64(0 if self.seed is None else self.seed)


def stream_of(tree: Any) -> TreeStream:
    """Return the stream that a fitted tree drew its features from."""
    if not isinstance(tree.random_state, Integral):
        return TreeStream(None)
    return TreeStream(int(check_random_state(tree.random_state).randint(0, STREAM_END)))


def multiplicities(estimator: Any, codes: npt.NDArray[Any], sample_weight: npt.NDArray[Any] | None) -> list[Longs]:
    """Return how often every row counts in every tree.

    Parameters
    ----------
    estimator : tree or forest
        Fitted.
    codes : ndarray of int, shape (n_rows,)
        Classes of the rows it was fitted on.
    sample_weight : ndarray, shape (n_rows,), optional
        As it was fitted with.

    Raises
    ------
    NotSupportedError
        If weights are not whole numbers, whose sums would depend on the order of rows, or too large to be summed.
    """
    if isinstance(estimator, FORESTS):
        if estimator._n_samples != len(codes):
            raise NotSupportedError(
                f"the forest was fitted on {estimator._n_samples:,} rows, the training table has {len(codes):,}"
            )
        if estimator.bootstrap:
            return [np.bincount(drawn, minlength=len(codes)) for drawn in estimator.estimators_samples_]
    weight = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if estimator.class_weight is not None:
        weight = weight * compute_sample_weight(estimator.class_weight, estimator.classes_[codes])
    check_weights(weight)
    return [weight.astype(np.int64)] * len(trees_of(estimator))


def check_weights(weight: npt.NDArray[np.float64]) -> None:
    """Raise unless the weights of all rows are whole numbers, and small enough to be summed."""
    if (np.rint(weight) != weight).any() or (weight < 0).any():
        raise NotSupportedError("weights are not whole numbers, so that sums depend on the order of rows")
    if weight.max() > MOST_WEIGHT or weight.sum() > MOST_IN_ALL:
        raise NotSupportedError(
            f"weights are up to {weight.max():,.0f} and {weight.sum():,.0f} in all, more than {MOST_WEIGHT:,} and {MOST_IN_ALL:,}; "
            "train with smaller ones, divided by a common factor"
        )
