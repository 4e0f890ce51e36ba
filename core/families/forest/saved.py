"""A forest's state, built again from what a case was saved with.

It is compared bit for bit with the model's own trees.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.case.case import Case
from core.case.prepared import SavedState
from core.families.forest.arrays import KIND, drawn_from, draws_from, weights_from
from core.families.forest.parts import estimator_of, moves_draws, trees_of
from core.families.forest.state import ForestState, all_trees, grove_of, silent
from core.families.forest.tree import Bench, LivingTree, Roots, first_difference, grow
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from core.typing import Progress


def saved_forest(case: Case) -> SavedState | None:
    """Return the recorded randomness that a case was read back with, or None."""
    kept = case.prepared.kept
    return kept if kept is not None and kept.kind == KIND else None


def restore_forest(case: Case, saved: SavedState, progress: Progress | None = None) -> ForestState:
    """Return the state that a case was saved with. Costs about one fit of the forest.

    Parameters
    ----------
    case : Case
    saved : SavedState
    progress : callable, optional
        Called in the calling thread after every tree; may raise to cancel.

    Raises
    ------
    NotSupportedError
        If the arrays are damaged, or do not give the model's trees from the retained rows.
    """
    report = progress or silent
    report(0.0, "Coding the table")
    estimator = estimator_of(case.model)
    trees = trees_of(estimator)
    weights = weights_from(saved.values, len(trees), case.n_retained)
    drawn: list[Any] = [None] * len(trees)
    bound = None
    if moves_draws(estimator):
        drawn, bound = drawn_from(saved.values, weights)
    grove = grove_of(case, bound)
    codes = case.train_codes[grove.rows]
    draws = draws_from(saved.values, len(trees), grove.X.shape[1])

    def one(index: int, bench: Bench) -> tuple[LivingTree | None, int]:
        weight = weights[index].astype(np.int32)
        roots = Roots(draws[index], (weight << CLASS_BITS) | (codes & CLASS_MASK).astype(np.int32), drawn[index])
        rows = np.flatnonzero(weight > 0).astype(np.int32)
        tree = grow(grove.table, grove.rules, roots, rows, trees[index], bench)
        stored = replace(tree, estimator=trees[index])
        node = first_difference(stored.grown, tree.grown)
        return (None, node) if node >= 0 else (stored, -1)

    def task(index: int) -> Any:
        return grove.on_bench(lambda bench: one(index, bench))

    return ForestState(grove, all_trees(task, trees, report, "Restoring"), bool(saved.values["known_order"]))
