"""Checks of forests that forgot by scikit-learn itself.

The random draws are taken from neither.

What a removal gives is compared with a build from scratch that shares its code; here scikit-learn looks at it. Where every feature
is a candidate, a tree fitted on the same rows, the forgotten ones at weight 0, must be the same node for node, unless two splits
gain equally much. Where features are drawn, each split must be the one that scikit-learn finds on its feature alone, on
the node's rows. Counts and class shares must in both cases be those of the retained rows, routed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.tree import DecisionTreeClassifier

from core.case.case import Case
from core.case.scoring import singles
from core.families.forest.parts import trees_of
from core.families.forest.provenance import check_trees
from core.families.forest.state import ForestState
from core.typing import Floats, Positions
from core.unlearning.base import model_input
from core.unlearning.oracle import Oracle

CLOSE = 1e-9
"""Gains that differ by no more than this share are taken as equal."""


@dataclass
class Tally:
    """The count of comparisons, and the first difference found."""

    nodes: int = 0
    ties: int = 0
    wrong: str = ""


@dataclass(frozen=True)
class Weighted:
    """Positions as one tree gets them; forgotten ones weigh 0."""

    X: npt.NDArray[np.float32]
    y: Positions
    weight: Floats
    like: Any

    def split_on(self, feature: int, rows: Positions) -> tuple[float, float]:
        """Return the threshold that scikit-learn finds on one feature, and the impurity it leaves.

        NaN and infinity where none.
        """
        stump = DecisionTreeClassifier(
            criterion=self.like.criterion, max_depth=1, min_samples_leaf=self.like.min_samples_leaf, random_state=0
        )
        tree = stump.fit(self.X[rows][:, [feature]], self.y[rows], sample_weight=self.weight[rows]).tree_
        if tree.node_count == 1:
            return np.nan, np.inf
        return float(tree.threshold[0]), float(tree.impurity[1:] @ tree.weighted_n_node_samples[1:])


class TreeOracle(Oracle):
    """Training again, and the trees of one that forgot node by node."""

    def at_weight_0(self, before: Case, after: Case) -> tuple[bool, str]:
        """Compare a bare tree or forest that forgot with what scikit-learn makes of the rows."""
        verdict = check_trees(after, model_input(after, after.retained), "")
        return _compare(before, after) if verdict.status == "verified" else (False, verdict.evidence)


def _compare(before: Case, after: Case) -> tuple[bool, str]:
    rows = before.retained
    X = singles(model_input(before, rows))
    stays = after.retained[rows]
    state, tally = after.prepared.of_type(ForestState), Tally()
    if state is None:
        return False, "the removal hands over no trees"
    weights_of = state.weights_of_trees(after.retained)
    trees = trees_of(after.model)
    for index, tree in enumerate(trees):
        weight = np.zeros(len(stays))
        weight[stays] = weights_of(index)
        table = Weighted(X, before.train_codes[rows], weight, tree)
        if getattr(tree, "splitter", "best") == "best":
            (_against_a_fit if tree.max_features_ == tree.n_features_in_ else _against_stumps)(table, tree.tree_, tally)
        if tally.wrong:
            return False, f"tree {index}: {tally.wrong}"
    return (
        True,
        f"{len(trees):,} trees, {tally.nodes:,} nodes as scikit-learn fits them, {tally.ties:,} ties not followed",
    )


def _against_a_fit(table: Weighted, ours: Any, tally: Tally) -> None:
    theirs = clone(table.like).set_params(class_weight=None).fit(table.X, table.y, sample_weight=table.weight).tree_
    stack = [(0, 0, np.flatnonzero(table.weight))]
    while stack and not tally.wrong:
        one, other, rows = stack.pop()
        tally.nodes += 1
        features = int(ours.feature[one]), int(theirs.feature[other])
        if features[0] != features[1]:
            left = [table.split_on(feature, rows)[1] if feature >= 0 else np.inf for feature in features]
            if not np.isclose(left[0], left[1], rtol=CLOSE, atol=CLOSE):
                tally.wrong = f"node {one} splits on feature {features[0]} where scikit-learn takes {features[1]}"
            tally.ties += 1
        elif ours.threshold[one] != theirs.threshold[other]:
            tally.wrong = (
                f"node {one} has threshold {ours.threshold[one]:.17g}, scikit-learn's {theirs.threshold[other]:.17g}"
            )
        elif features[0] >= 0:
            sides = _sides(table, ours, one, rows)
            children = (
                (ours.children_left, theirs.children_left),
                (ours.children_right, theirs.children_right),
            )
            stack += [(mine[one], their[other], side) for (mine, their), side in zip(children, sides, strict=True)]


def _against_stumps(table: Weighted, ours: Any, tally: Tally) -> None:
    for node, rows in _nodes(table, ours):
        if ours.feature[node] >= 0 and not tally.wrong:
            threshold, _ = table.split_on(int(ours.feature[node]), rows)
            tally.nodes += 1
            if threshold != ours.threshold[node]:
                tally.wrong = f"node {node} has threshold {ours.threshold[node]:.17g}, scikit-learn's {threshold:.17g}"


def _nodes(table: Weighted, tree: Any) -> Iterator[tuple[int, Positions]]:
    stack = [(0, np.flatnonzero(table.weight))]
    while stack:
        node, rows = stack.pop()
        yield node, rows
        if tree.feature[node] >= 0:
            left, right = _sides(table, tree, node, rows)
            stack += [(int(tree.children_left[node]), left), (int(tree.children_right[node]), right)]


def _sides(table: Weighted, tree: Any, node: int, rows: Positions) -> tuple[Positions, Positions]:
    values = table.X[rows, tree.feature[node]]
    missing_left = bool(tree.missing_go_to_left[node])
    left = np.where(np.isnan(values), missing_left, values <= tree.threshold[node])
    return rows[left], rows[~left]
