"""The prepared state of a forest's case.

The coded table and every tree with its own randomness.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.case.prepared import SavedState
from core.errors import NotSupportedError
from core.families.forest.arrays import KIND, drawn_arrays, to_arrays
from core.families.forest.bootstrap import ClassBootstrap, drawn_rows, roots_without, step_of
from core.families.forest.coding import code_table
from core.families.forest.memory import check_room
from core.families.forest.parts import estimator_of, moves_draws, multiplicities, rules_of, stream_of, trees_of
from core.families.forest.scores import Scorer
from core.families.forest.steps import after_steps, leaving, relabelling
from core.families.forest.table import tree_input
from core.families.forest.tree import NODES_TOGETHER, TOGETHER, Bench, LivingTree, adopt, grow
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK, Rules, Table
from core.typing import Bools, Positions, Progress, Singles
from core.unlearning.threads import in_turn, on_threads, processors

T = TypeVar("T")
Known = Sequence[tuple[LivingTree, npt.NDArray[np.int32]]]
"""Trees, and rows that each of them knows."""
TRACES = ("oob_score_", "oob_decision_function_", "_sample_weight", "_n_samples", "_n_samples_bootstrap")
"""What a forest holds of single rows, or of how many there were."""


@dataclass(frozen=True, eq=False)
class Grove:
    """The coded table and settings that all cases made from one another share.

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
    bootstrap : ClassBootstrap or None
        Where draws move as rows go.
    benches : list of Bench
        Room of the threads; taken out while in use.
    """

    rows: Positions
    local: npt.NDArray[np.int32]
    X: Singles
    table: Table
    rules: Rules
    bootstrap: ClassBootstrap | None = None
    benches: list[Bench] = field(default_factory=list)

    def on_bench(self, task: Callable[[Bench], T]) -> T:
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
    scorer: Scorer | None = None

    def without(self, positions: Positions, retained: Bools, aside: Positions | None = None) -> ForestState:
        """Return the state without the training rows at `positions`.

        Of those, draws may fall on the rows `aside`, which are to join again.
        """
        grove = self.grove
        gone = np.sort(grove.local[positions]).astype(np.int32)
        stays, targets = self._staying(retained), None
        if grove.bootstrap is not None:
            is_open = stays.copy()
            if aside is not None:
                is_open[grove.local[aside]] = True
            targets = grove.bootstrap.without(is_open)

        def several(trees: Known, bench: Bench) -> Sequence[LivingTree]:
            steps = [
                leaving(tree, known) if targets is None else step_of(tree, known, targets, stays, bench)
                for tree, known in trees
            ]
            return after_steps(steps, grove.table, grove.rules, stays, bench)

        nodes = max(len(tree.marks.origin) for tree in self.trees)
        return self._with_changed(gone, several, min(TOGETHER, NODES_TOGETHER // nodes))

    def relabelled(
        self, positions: Positions, codes: Positions, weight: npt.NDArray[np.int32] | None = None
    ) -> ForestState:
        """Return the state with other classes, or weights, of the training rows at `positions`."""
        grove = self.grove
        order = np.argsort(grove.local[positions])
        rows, classes = grove.local[positions][order].astype(np.int32), codes[order].astype(np.int32)

        def one(trees: Known, bench: Bench) -> Sequence[LivingTree]:
            ((tree, _),) = trees
            labels = tree.roots.labels.copy()
            own = labels[rows] >> CLASS_BITS if weight is None else weight[order]
            labels[rows] = (own << CLASS_BITS) | classes
            step, stays = relabelling(tree, rows, labels), np.zeros(len(labels), dtype=bool)
            stays[tree.samples] = True
            stays[step.gone] = False
            stays[step.joining] = True
            return [step.taken(grove.table, grove.rules, stays, bench)]

        return self._with_changed(rows, one, 1, every=weight is not None)

    def _with_changed(
        self,
        rows: npt.NDArray[np.int32],
        task: Callable[[Known, Bench], Sequence[LivingTree]],
        together: int,
        every: bool = False,
    ) -> ForestState:
        """Return the state in which `task` has changed the trees that know some of the rows.

        `task` gets at most `together` trees at once; with `every`, it gets all trees.
        """
        found = ((index, _known(tree, rows)) for index, tree in enumerate(self.trees))
        chosen = [(index, known) for index, known in found if every or len(known)]

        def work(*part: tuple[int, npt.NDArray[np.int32]]) -> Sequence[LivingTree]:
            known = [(self.trees[index], rows) for index, rows in part]
            return self.grove.on_bench(lambda bench: task(known, bench))

        size = max(min(together, len(chosen) // (2 * processors())), 1)
        parts = [tuple(chosen[start : start + size]) for start in range(0, len(chosen), size)]
        made = chain.from_iterable(on_threads(work, parts))
        trees = list(self.trees)
        for (index, _), tree in zip(chosen, made, strict=True):
            trees[index] = tree
        return replace(self, trees=tuple(trees))

    def from_scratch(self, retained: Bools) -> ForestState:
        """Return the trees built anew on the retained rows with the same recorded randomness.

        The oracle of `without`.
        """
        grove, stays = self.grove, self._staying(retained)
        targets = None if grove.bootstrap is None else grove.bootstrap.without(stays)

        def one(tree: LivingTree, bench: Bench) -> LivingTree:
            roots = tree.roots if targets is None else roots_without(tree.roots, targets, bench)
            rows = np.flatnonzero(stays & ((roots.labels >> CLASS_BITS) > 0)).astype(np.int32)
            return grow(grove.table, grove.rules, roots, rows, tree.estimator, bench)

        def task(tree: LivingTree) -> LivingTree:
            return grove.on_bench(lambda bench: one(tree, bench))

        return replace(self, trees=tuple(on_threads(task, [(tree,) for tree in self.trees])))

    def under(self, rules: Rules) -> ForestState:
        """Return the state whose trees are to follow other rules, once built anew."""
        return replace(self, grove=replace(self.grove, rules=rules))

    def _staying(self, retained: Bools) -> Bools:
        """Return which of the rows stay.

        Raises
        ------
        NotSupportedError
            If a tree would be left without rows; draws that move leave none so.
        """
        stays = retained[self.grove.rows]
        if self.grove.bootstrap is not None:
            return stays
        most = len(stays) - np.count_nonzero(stays)
        for index, tree in enumerate(self.trees):
            if len(tree.samples) <= most and not stays[tree.samples].any():
                raise NotSupportedError(f"tree {index} would have no rows left")
        return stays

    def scores(self, rows: Positions) -> npt.NDArray[np.float64]:
        """Return the probability of `pos_label` for test rows."""
        if self.scorer is None:
            raise NotSupportedError("the trees do not know the test table")
        return self.scorer.scores(rows)

    def for_case(self, case: Case, model: Any, before: ForestState | None = None) -> ForestState:
        """Return the state with what scores the case's test rows.

        `before` is that of the case it was made from.
        """
        scorer = Scorer.of(case, model, self.trees, None if before is None else before.scorer)
        return replace(self, scorer=scorer)

    def weights_of_trees(self, retained: Bools) -> Callable[[int], npt.NDArray[np.float64]]:
        """Return what gives the weights of the retained rows in tree number so and so."""
        rows = self.grove.local[retained]
        return lambda index: (self.trees[index].roots.labels[rows] >> CLASS_BITS).astype(np.float64)

    def to_keep(self, case: Case) -> SavedState:
        """Return the draws that going on from a case takes, as `saved.restore` reads them."""
        return SavedState(KIND, self.arrays(case))

    def arrays(self, case: Case) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays to go on from a case with; rows it has forgotten have no entry."""
        draws = [tree.roots.draws for tree in self.trees]
        arrays = to_arrays(draws, self.weights_of_trees(case.retained), self.known_order)
        if self.grove.bootstrap is None:
            return arrays
        place = np.full(len(self.grove.rows), -1, dtype=np.int32)
        known = self.grove.local[case.retained]
        place[known] = np.arange(len(known))
        drawn = [place[tree.roots.drawn] for tree in self.trees]
        return arrays | drawn_arrays(drawn, self.grove.bootstrap.bound)

    def assemble(self, model: Any, preprocessing: Any = None) -> Any:
        """Return a copy of a fitted model with these trees, and nothing that tells single rows."""
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


def _known(tree: LivingTree, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the rows that count in a tree, of those given."""
    labels = tree.roots.labels
    if len(rows) == 1:
        return rows if labels.item(rows.item()) > CLASS_MASK else rows[:0]
    return rows[labels[rows] > CLASS_MASK]


def prepare_forest(case: Case, progress: Progress | None = None) -> ForestState:
    """Adopt the case's forest: learn each tree's randomness and check every node.

    Costs about one fit.

    Parameters
    ----------
    case : Case
    progress : callable, optional
        Called in the calling thread after every tree; may raise to cancel.

    Raises
    ------
    NotSupportedError
        Naming the first tree and node that the training rows do not give.
    """
    estimator, report = estimator_of(case.model), progress or silent
    report(0.0, "Coding the table")
    grove = grove_of(case)
    codes = case.train_codes[grove.rows]
    if grove.bootstrap is None:
        weights = multiplicities(estimator, codes, None if case.train_weight is None else case.train_weight[grove.rows])
        drawn: list[Any] = [None] * len(weights)
    else:
        drawn = drawn_rows(case, estimator, grove.rows)
        weights = [np.bincount(rows, minlength=len(codes)) for rows in drawn]
    trees, streams = trees_of(estimator), [stream_of(tree) for tree in trees_of(estimator)]

    def task(index: int) -> Any:
        tree, node = grove.on_bench(
            lambda bench: adopt(grove.table, grove.rules, streams[index], weights[index], codes, trees[index], bench)
        )
        if tree is not None and drawn[index] is not None:
            tree = replace(tree, roots=replace(tree.roots, drawn=drawn[index]))
        return tree, node

    adopted = all_trees(task, trees, report, "Adopting")
    return ForestState(grove, adopted, all(stream.seed is not None for stream in streams))


def grove_of(case: Case, bound: float | None = None) -> Grove:
    """Return what the trees of a case share: its retained rows, coded.

    `bound` is as `ClassBootstrap` holds it.

    Raises
    ------
    LimitError
        If adopting the forest would take more memory than there is.
    """
    check_room(case)
    rows = np.flatnonzero(case.retained)
    local = np.full(len(case.retained), -1, dtype=np.int32)
    local[rows] = np.arange(len(rows))
    estimator, X = estimator_of(case.model), tree_input(case, rows)
    bootstrap = ClassBootstrap.of(case, rows, local, bound) if moves_draws(estimator) else None
    return Grove(rows, local, X, code_table(X, len(estimator.classes_)), rules_of(estimator, len(rows)), bootstrap)


def all_trees(
    task: Callable[[int], tuple[LivingTree | None, int]], trees: list[Any], report: Progress, doing: str
) -> tuple[LivingTree, ...]:
    """Make every tree on threads and report after each.

    `task` gives a tree, or None and the first node that is not as fitted.
    """
    made: list[LivingTree] = []
    with closing(in_turn(task, [(index,) for index in range(len(trees))])) as coming:
        for index, (tree, node) in enumerate(coming):
            if tree is None:
                raise NotSupportedError(
                    f"these rows do not give the fitted trees: tree {index} differs first at node {node:,} of {trees[index].tree_.node_count:,}; "
                    "other rows, another order, or settings or trees changed since would do that"
                )
            made.append(tree)
            report(0.1 + 0.9 * len(made) / len(trees), f"{doing} trees: {len(made)} of {len(trees)}")
    return tuple(made)


def silent(share: float, what: str) -> None:
    """Report to nobody."""
