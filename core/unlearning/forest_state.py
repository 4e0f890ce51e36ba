"""What a forest's case carries along: the coded table and every tree with its own randomness."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import cpu_count
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.errors import NotSupportedError
from core.numerics.tree_arrays import CLASS_BITS, Rules, Table
from core.unlearning.base import Positions, Progress
from core.unlearning.forest_parts import estimator_of, multiplicities, rules_of, stream_of, trees_of
from core.unlearning.forest_table import Singles, code_table, tree_input
from core.unlearning.forest_tree import Bench, LivingTree, adopt, grow
from core.unlearning.threads import on_threads

Bools = npt.NDArray[np.bool_]

TRACES = ("oob_score_", "oob_decision_function_", "_sample_weight", "_n_samples", "_n_samples_bootstrap")
"""What a forest holds of single rows, or of how many there were."""


@dataclass(frozen=True, eq=False)
class Grove:
    """What all cases made from one another share.

    Parameters
    ----------
    rows : ndarray of int
        Positions in the training table of the rows the forest was fitted on.
    local : ndarray of int32, shape (n_train,)
        Where each training row stands among them, -1 elsewhere.
    X : ndarray of float32, shape (n_rows, n_features)
        As the trees got them.
    table : Table
    rules : Rules
    benches : list of Bench
        Room of the threads; taken out while in use.
    """

    rows: Positions
    local: npt.NDArray[np.int32]
    X: Singles
    table: Table
    rules: Rules
    benches: list[Bench] = field(default_factory=list)

    def on_bench(self, task: Callable[[Bench], Any]) -> Any:
        """Run a task with room to work in."""
        try:
            bench = self.benches.pop()
        except IndexError:
            bench = Bench.for_rows(len(self.rows), self.table)
        try:
            return task(bench)
        finally:
            self.benches.append(bench)


@dataclass(frozen=True, eq=False)
class ForestState:
    """The trees of one case."""

    grove: Grove
    trees: tuple[LivingTree, ...]
    known_order: bool
    """Whether the draws are the fitted tree's own, and not only in keeping with it."""

    def without(self, positions: Positions, retained: Bools) -> ForestState:
        """Return the state without the training rows at `positions`."""
        grove = self.grove
        gone = np.sort(grove.local[positions]).astype(np.int32)
        stays = self._staying(retained)
        chosen = [index for index, tree in enumerate(self.trees) if _knows(tree, gone)]

        def task(some: Sequence[int]) -> Any:
            return grove.on_bench(
                lambda bench: [self._one_without(self.trees[index], gone, stays, bench) for index in some]
            )

        trees = list(self.trees)
        for some, made in zip(_shares(chosen), on_threads(task, [(some,) for some in _shares(chosen)]), strict=True):
            for index, tree in zip(some, made, strict=True):
                trees[index] = tree
        return replace(self, trees=tuple(trees))

    def _one_without(self, tree: LivingTree, gone: npt.NDArray[np.int32], stays: Bools, bench: Bench) -> LivingTree:
        mine = gone[(tree.roots.labels[gone] >> CLASS_BITS) > 0]
        return tree.without(self.grove.table, self.grove.rules, mine, stays, bench)

    def from_scratch(self, retained: Bools) -> ForestState:
        """Return the trees built anew on the retained rows with the same recorded randomness: the oracle of `without`."""
        grove, stays = self.grove, self._staying(retained)

        def one(tree: LivingTree) -> LivingTree:
            rows = np.flatnonzero(stays & ((tree.roots.labels >> CLASS_BITS) > 0)).astype(np.int32)
            return grove.on_bench(  # type: ignore[no-any-return]
                lambda bench: grow(grove.table, grove.rules, tree.roots, rows, tree.estimator, bench)
            )

        return replace(self, trees=tuple(on_threads(one, [(tree,) for tree in self.trees])))

    def under(self, rules: Rules) -> ForestState:
        """Return the state whose trees are to follow other rules, once built anew."""
        return replace(self, grove=replace(self.grove, rules=rules))

    def _staying(self, retained: Bools) -> Bools:
        """Return which of the rows stay.

        Raises
        ------
        NotSupportedError
            If a tree would be left without rows.
        """
        stays = retained[self.grove.rows]
        for index, tree in enumerate(self.trees):
            if not stays[tree.samples].any():
                raise NotSupportedError(f"tree {index} would have no rows left")
        return stays

    def assemble(self, model: Any, preprocessing: Any = None) -> Any:
        """Return a copy of a fitted model that holds these trees, and nothing that tells single rows."""
        estimator = estimator_of(model)
        if hasattr(estimator, "estimators_"):
            estimator = copy.copy(estimator)
            estimator.estimators_ = [tree.estimator for tree in self.trees]
            for name in TRACES:
                vars(estimator).pop(name, None)
        else:
            estimator = self.trees[0].estimator
        if not isinstance(model, Pipeline):
            return estimator
        model = copy.copy(model)
        steps = model.steps[:-1] if preprocessing is None else preprocessing.steps
        model.steps = [*steps, (model.steps[-1][0], estimator)]
        return model


def _knows(tree: LivingTree, rows: npt.NDArray[np.int32]) -> bool:
    return bool((tree.roots.labels[rows] >> CLASS_BITS).any())


def _shares(work: Sequence[int]) -> list[Sequence[int]]:
    """Deal the trees out to the processors."""
    return [work[start :: cpu_count()] for start in range(min(cpu_count(), len(work)))]


def prepare_state(case: Case, progress: Progress | None = None) -> ForestState:
    """Adopt the case's forest: learn each tree's randomness and check every node. Costs about one fit.

    Raises
    ------
    NotSupportedError
        Naming the first tree and node that the training rows do not give.
    """
    report = progress or _silent
    report(0.0, "Coding the table")
    rows = np.flatnonzero(case.retained)
    estimator = estimator_of(case.model)
    codes = case.train_codes[rows]
    weights = multiplicities(estimator, codes, None if case.train_weight is None else case.train_weight[rows])
    local = np.full(len(case.retained), -1, dtype=np.int32)
    local[rows] = np.arange(len(rows))
    X = tree_input(case, rows)
    grove = Grove(rows, local, X, code_table(X, len(estimator.classes_)), rules_of(estimator, len(rows)))
    trees, streams = trees_of(estimator), [stream_of(tree) for tree in trees_of(estimator)]
    adopted: list[LivingTree] = []
    step = max(1, 2 * cpu_count())
    for start in range(0, len(trees), step):
        report(0.1 + 0.9 * start / len(trees), f"Adopting tree {start + 1} of {len(trees)}")
        span = range(start, min(start + step, len(trees)))

        def task(index: int) -> Any:
            return grove.on_bench(
                lambda bench: adopt(
                    grove.table, grove.rules, streams[index], weights[index], codes, trees[index], bench
                )
            )

        for index, (tree, node) in zip(span, on_threads(task, [(index,) for index in span]), strict=True):
            if tree is None:
                raise NotSupportedError(
                    f"these rows do not give the fitted trees: tree {index} differs first at node {node} of {trees[index].tree_.node_count}"
                )
            adopted.append(tree)
    return ForestState(grove, tuple(adopted), all(stream.seed is not None for stream in streams))


def _silent(share: float, what: str) -> None:
    """Report to nobody."""
