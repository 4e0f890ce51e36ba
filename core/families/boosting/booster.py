"""The common ground of scikit-learn's two gradient boosting classifiers.

It goes as far as refitting their leaves needs it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, softmax
from sklearn.model_selection import train_test_split

from core.errors import NotSupportedError
from core.numerics.boosting.effects import effects_of_removal, effects_of_removal_of_classes, predict
from core.numerics.boosting.leaves import complete, refit_stages, refit_stages_of_classes
from core.numerics.boosting.nodes import COUNT
from core.typing import Bools, Floats, Positions

Places = tuple[npt.NDArray[Any], Positions, Bools]
"""Every feature's values as their places in order, (d, n_rows); how many places it has; whether the last is for missing values."""
LEAST_SHARE = float(np.finfo(np.float64).eps)
"""Nearest that a class's share may come to 0 or 1, of more than two classes."""
DRAWN = "its trees draw features at random (max_features), and which were drawn at a node is not stored"


@dataclass(frozen=True, eq=False)
class BoostedNodes:
    """The nodes of all trees, one tree after another.

    With more than two classes, a tree for each class and then the next stage.

    Parameters
    ----------
    first : ndarray of int, shape (n_trees + 1,)
        Where each tree's nodes start.
    left, right : ndarray of int, shape (n_nodes,)
        Children, counted within their tree; negative at a leaf.
    value : ndarray, shape (n_nodes,)
        What the model stores at the node, without the learning rate.
    count : ndarray, shape (n_nodes,)
        Rows that the model says it saw there.
    signs : ndarray of int, shape (n_nodes,)
        Of splits on a feature with a monotonic constraint: 1 where values on its right may not be below those on its left, -1 where they may
        not be above; 0 elsewhere.
    """

    first: Positions
    left: Positions
    right: Positions
    value: Floats
    count: Floats
    signs: npt.NDArray[np.int8]

    @classmethod
    def of(
        cls, trees: list[tuple[Positions, Positions, Floats, Floats]], signs: list[npt.NDArray[np.int8]] | None = None
    ) -> BoostedNodes:
        """Join trees given as left, right, value and count, and the signs of constrained splits."""
        first = np.concatenate([[0], np.cumsum([len(tree[0]) for tree in trees])]).astype(np.intp)
        left, right, value, count = (np.concatenate(part) for part in zip(*trees, strict=True))
        joined = np.concatenate(signs) if signs else np.zeros(first[-1], dtype=np.int8)
        return cls(first, left.astype(np.intp), right.astype(np.intp), value.astype(float), count.astype(float), joined)

    @property
    def leaves(self) -> Bools:
        """Which nodes are leaves."""
        return np.asarray(self.left < 0)

    def first_tree(self, nodes: Bools) -> int:
        """Return the number, from 0, of the first tree with a node marked in `nodes`."""
        return int(np.searchsorted(self.first, np.flatnonzero(nodes)[0], side="right")) - 1

    def tree(self, index: int) -> slice:
        """Return where one tree's nodes stand."""
        return slice(self.first[index], self.first[index + 1])


@dataclass(frozen=True, eq=False)
class BoostingRows:
    """The training rows as the trees see them.

    Parameters
    ----------
    nodes : ndarray of int, shape (n_trees, n_train)
        The leaf of every row.
    y : ndarray of int, shape (n_train,)
        Classes.
    fitted : ndarray of bool, shape (n_train,)
        The rows that trees were fitted on: not those held out to stop early.
    drawn : ndarray of bool, shape (n_stages, n_train) or (1, n_train)
        The rows that each stage drew; a single line where every stage was given all.
    """

    nodes: npt.NDArray[np.uint16] | npt.NDArray[np.int32]
    y: Positions
    fitted: Bools
    drawn: Bools

    def given(self, stage: int) -> Bools:
        """Return the rows that a stage drew."""
        return np.asarray(self.drawn[stage % len(self.drawn)])


@dataclass(frozen=True, eq=False)
class Leaves:
    """Leaf values refitted on some rows.

    Parameters
    ----------
    prior : ndarray, shape (n_classes,)
        Weighted shares of the classes.
    baseline : ndarray, shape (n_outputs,)
        Predictions before the first tree: of class 1, or of each of more than two classes.
    keep : ndarray of bool, shape (n_train,)
        The rows they were fitted on.
    weight : ndarray, shape (n_train,)
        Weight of every row.
    sums : ndarray, shape (n_nodes, 5)
        Sums over every node's rows.
    values : ndarray, shape (n_nodes,)
        Values without the learning rate.
    raw : ndarray, shape (n_train, n_outputs)
        Predictions of the rows after the last tree.
    """

    prior: Floats
    baseline: Floats
    keep: Bools
    weight: Floats
    sums: Floats
    values: Floats
    raw: Floats


class Booster(ABC):
    """Reads one fitted boosting classifier, and writes copies of it with other leaf values."""

    fit_costs: tuple[float, float, float]
    """Seconds that training takes for a tree, for a node and column, and for a row, column and split node, roughly, on one core."""
    histogram: bool
    """Whether derivatives are rounded to single precision and a tree without splits adds nothing."""
    clip: float
    """Nearest that the prior may come to 0 or 1, of two classes."""

    def __init__(self, model: Any) -> None:
        self.model = model

    @abstractmethod
    def refusal(self) -> str | None:
        """Return why its leaves cannot be refitted, or None. Reads parameters alone."""

    @property
    @abstractmethod
    def ridge(self) -> float:
        """The penalty added to every leaf's second derivative."""

    @property
    @abstractmethod
    def forgot(self) -> bool:
        """Whether its leaves were refitted since it was trained.

        The scores of the fit are gone then.
        """

    @property
    def starts_from_prior(self) -> bool:
        """Whether predictions start from the classes' shares."""
        return True

    @abstractmethod
    def forest(self) -> BoostedNodes:
        """Return the nodes of its trees."""

    @abstractmethod
    def route(self, X: Any) -> npt.NDArray[Any]:
        """Return the leaf of every row in every tree, shape (n_trees, n_rows)."""

    @abstractmethod
    def held_out(self, codes: Positions) -> Positions:
        """Return which of the rows it was given were held out to stop early."""

    def split_again(self, codes: Positions, seed: int) -> tuple[Positions, Positions]:
        """Return the rows fitted on, in their order, and those held out, by splitting again."""
        rows, share = np.arange(len(codes)), self.model.validation_fraction
        fitted, held = train_test_split(rows, test_size=share, stratify=codes, random_state=seed)
        return fitted, held

    def drawn(self, codes: Positions) -> Bools:
        """Return which of the rows it was given each stage drew, shape (n_stages, n_rows).

        A single line where each was given all.
        """
        return np.ones((1, len(codes)), dtype=bool)

    @abstractmethod
    def weights(self, codes: Positions, weight: Floats | None) -> Floats:
        """Return the weights it gives to rows with these labels and sample weights."""

    @abstractmethod
    def with_leaves(self, forest: BoostedNodes, leaves: Leaves) -> Any:
        """Return a copy of the model with other leaf values; the model stays as it is."""

    @abstractmethod
    def splits_refusal(self) -> str | None:
        """Return why the best split of a node cannot be told, or None."""

    @abstractmethod
    def places(self, X: Any) -> Places:
        """Return the values among which splits were searched, as their places in order."""

    @abstractmethod
    def limits(self, keep: Bools, weight: Floats) -> tuple[float, float, float]:
        """Return what a split must leave on each side and have above.

        In rows; and what it must leave on each side in the second term.
        """

    def split_terms(self, g: Floats, h: Floats, weight: Floats) -> tuple[Floats, Floats]:  # noqa: ARG002
        """Return the two terms that splits are scored by.

        They come from gradients, second derivatives and weights.
        """
        return g, h

    def allowed(self, tree: int, left: Positions, right: Positions) -> Bools:  # noqa: ARG002
        """Return which features every node of a tree may split on."""
        return np.ones((len(left), self.n_features), dtype=bool)

    @property
    def n_features(self) -> int:
        """How many features the trees see."""
        return int(self.model.n_features_in_)

    @property
    def n_classes(self) -> int:
        """How many classes the model knows."""
        return len(self.model.classes_)

    @property
    def n_outputs(self) -> int:
        """How many trees a stage has."""
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def factor(self) -> float:
        """The factor of every leaf's Newton step, the learning rate aside."""
        return 1.0

    @property
    def share_of_features(self) -> float:
        """Which share of the features a split is searched among."""
        return 1.0

    def fit_seconds(self, forest: BoostedNodes) -> float:
        """Return about how long training takes, from the sizes of the trees alone.

        So it is the same wherever it is asked.
        """
        columns, by_tree, by_node, by_row = self.n_features * self.share_of_features, *self.fit_costs
        visits = float(forest.count[~forest.leaves].sum())
        return by_tree * (len(forest.first) - 1) + columns * (by_node * len(forest.left) + by_row * visits)

    @property
    def rate(self) -> float:
        """The learning rate."""
        return float(self.model.learning_rate)

    def baseline(self, prior: Floats) -> Floats:
        """Return the predictions before the first tree."""
        if not self.starts_from_prior:
            return np.zeros(self.n_outputs)
        if self.n_outputs == 1:
            return np.asarray(logit(np.clip(prior[1:], self.clip, 1.0 - self.clip)))
        logs = np.log(np.clip(prior, LEAST_SHARE, 1.0 - LEAST_SHARE))
        return np.asarray(logs - logs.mean())

    def probabilities(self, raw: Floats) -> Floats:
        """Return the probabilities that predictions of shape (n, n_outputs) stand for.

        Of class 1, or of every class.
        """
        return np.asarray(expit(raw) if self.n_outputs == 1 else softmax(raw, axis=1))

    def labels(self, y: Positions) -> Bools:
        """Return, for every row and tree of a stage, whether the row is of the tree's class."""
        return np.asarray(y[:, None] == (np.arange(self.n_outputs) if self.n_outputs > 1 else 1))

    def refit(
        self, forest: BoostedNodes, rows: BoostingRows, retained: Bools, codes: Positions, weight: Floats | None
    ) -> Leaves:
        """Refit every leaf value on the retained rows, stage by stage: O(n_rows * n_trees).

        Raises
        ------
        NotSupportedError
            If no row of some class is left among those the trees are fitted on.
        """
        full = np.zeros(len(retained))
        full[retained] = self.weights(codes[retained], None if weight is None else weight[retained])
        keep = self.counted(rows.fitted & retained, full)
        prior = np.bincount(rows.y[keep], full[keep], minlength=self.n_classes)
        prior = prior / max(prior.sum(), np.finfo(float).tiny)
        if not prior.all():
            raise NotSupportedError("the trees would be fitted on no record of some class")
        baseline = self.baseline(prior)
        raw = np.tile(baseline, (len(full), 1))
        nodes, rate, y = rows.nodes, self.rate * self.factor, rows.y
        first, left, right, signs = forest.first, forest.left, forest.right, forest.signs
        shape, how = (first, left, right, signs), (self.ridge, rate, self.histogram)
        if self.n_outputs == 1:
            sums = refit_stages(nodes, *shape, y.astype(np.float64), full, keep, rows.drawn, raw[:, 0], *how)
        else:
            sums = refit_stages_of_classes(nodes, *shape, y, full, keep, rows.drawn, raw, *how)
        values = self.factor * complete(sums, first, left, right, signs, self.ridge, self.histogram)
        return Leaves(prior, baseline, keep, full, sums, values, raw)

    def predictions(self, forest: BoostedNodes, leaves: Leaves, nodes: npt.NDArray[Any]) -> Floats:
        """Return what refitted leaves predict for rows whose leaves are `nodes`.

        The shape is (n_rows, n_outputs).
        """
        return predict(nodes, forest.first, leaves.values, leaves.baseline, self.rate)

    def effects(
        self, forest: BoostedNodes, rows: BoostingRows, leaves: Leaves, pull: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Return what each row's removal does through its leaves.

        With the derivatives by its weight and by its first predictions.

        Parameters
        ----------
        forest, rows, leaves
        pull : ndarray, shape (n_nodes,)
            Derivative of the quantity of interest by each leaf's contribution.
        """
        nodes, first, sums, values = rows.nodes, forest.first, leaves.sums, leaves.values
        weight, keep, drawn, raw = leaves.weight, leaves.keep, rows.drawn, leaves.raw.copy()
        ridge, rate, factor, rounds = self.ridge, self.rate, self.factor, self.histogram
        if self.n_outputs > 1:
            known = nodes, first, sums, values, rows.y, weight, keep, drawn
            return effects_of_removal_of_classes(*known, raw, pull, ridge, rate, factor, rounds)
        shape, y = (nodes, first, forest.left, forest.right, forest.signs), rows.y.astype(np.float64)
        found = effects_of_removal(*shape, sums, values, y, weight, keep, drawn, raw[:, 0], pull, ridge, rate, rounds)
        return found[0], found[1], found[2][:, None]

    def counted(self, keep: Bools, weight: Floats) -> Bools:  # noqa: ARG002
        """Return which rows the trees count."""
        return keep

    def differences(self, forest: BoostedNodes, leaves: Leaves) -> tuple[Bools, Bools]:
        """Return at which leaves counts, and values, are not what refitting on the rows gives."""
        counts = forest.leaves & (forest.count != leaves.sums[:, COUNT])
        values = forest.leaves & ~np.isclose(forest.value, leaves.values, rtol=1e-5, atol=1e-8)
        return counts, values

    def check(self, forest: BoostedNodes, leaves: Leaves) -> None:
        """Raise unless refitting on the rows the model was fitted on gives what the model holds."""
        counts, values = self.differences(forest, leaves)
        if counts.any():
            raise NotSupportedError(
                "the training table does not fill the leaves as the model says it was filled, "
                f"first in tree {forest.first_tree(counts)}: other rows, another order, or a hold-out that cannot be drawn again"
            )
        if values.any():
            raise NotSupportedError(
                "leaf values recomputed from the training table differ from the model's, "
                f"first in tree {forest.first_tree(values)}: other labels or weights, or a model that was edited"
            )
