"""Forests whose preprocessing gives other values in the same order, updated in place.

A scale fitted again does so.

A tree depends on a column's values through their order, through which of them scikit-learn takes as one, and through its thresholds,
which lie halfway between neighbours. Where the first two stay, the tree that building on the new values gives is the one
that taking rows out on the old values gives, with its thresholds written again. The few rows that single precision ranks
otherwise leave along with the others, and join again with the values that they have now.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.errors import NotSupportedError
from core.families.forest.anew import RefittedPreprocessing
from core.families.forest.revaluing import Revalued, revalued
from core.families.forest.state import ForestState, Grove
from core.families.forest.steps import joining
from core.families.forest.tree import LivingTree, Memory, with_tree
from core.numerics.trees.arrays import CLASS_MASK, Rules, Table
from core.numerics.trees.rescaling import rewrite_thresholds, shift_splits
from core.typing import Bools, Positions
from core.unlearning.threads import on_threads

MANY = 32
"""Where more than one row in so many leaves, building every tree anew is as quick."""
IN_PLACE = "The preprocessing, fitted again, gives the trees other values; each was updated, and its thresholds were put between these."


def rescaled(state: ForestState, positions: Positions, new: RefittedPreprocessing, rules: Rules) -> ForestState | None:
    """Return the trees without the training rows at `positions` on another preprocessing.

    None where they have to be built anew.

    Bit for bit what building them from scratch gives. Costs the removal, and a look at every row on every level of every tree;
    where rounding ranks rows otherwise, their removal and return as well.

    Parameters
    ----------
    state : ForestState
    positions : ndarray of int
    new : Refitted
        The preprocessing of the rows that stay.
    rules : Rules
        For so many rows.
    """
    grove = state.grove
    known = new.rows[grove.rows]
    # A drawn threshold is no midpoint: rounding may carry any value to its other side.
    as_before = rules == grove.rules and not rules.random and new.same_columns
    if not as_before or len(positions) * MANY > np.count_nonzero(known):
        return None
    found = revalued(grove.table, new.changed, new.values, known)
    if found is None:
        return None
    settled, moved = new.rows.copy(), grove.rows[found.wavering]
    settled[moved] = False
    try:
        rest = state.without(np.append(positions, moved), settled, moved)
    except NotSupportedError:  # a tree of wavering rows alone
        return None
    chosen = np.zeros(grove.X.shape[1], dtype=bool)
    chosen[new.changed] = True
    after = _on_values(grove, new, found.table, known)

    def one(before: LivingTree, tree: LivingTree) -> LivingTree:
        tree = _renewed(tree, found, chosen, tree is before)
        rows = found.wavering[tree.roots.labels[found.wavering] > CLASS_MASK]
        if not len(rows):
            return tree
        step = joining(tree, rows)
        return after.on_bench(lambda bench: step.taken(after.table, after.rules, known, bench))

    return replace(rest, grove=after, trees=tuple(on_threads(one, list(zip(state.trees, rest.trees, strict=True)))))


def _on_values(grove: Grove, new: RefittedPreprocessing, table: Table, known: Bools) -> Grove:
    """Return what the trees share, on the new values."""
    X = grove.X.copy()
    X[np.ix_(known, new.changed)] = new.values
    same = table.codes is grove.table.codes
    return replace(grove, X=X, table=table, benches=grove.benches if same else [])


def _renewed(tree: LivingTree, found: Revalued, chosen: Bools, shared: bool) -> LivingTree:
    """Return a tree with its thresholds between the new values.

    It is written to unless `shared`.
    """
    if shared:
        fitted: Any = tree.estimator.tree_
        state = fitted.__getstate__()
        tree = replace(
            tree, estimator=with_tree(tree.estimator, state["nodes"], state["values"][:, 0, :], fitted.max_depth)
        )
    words, reals = tree.grown[:2]
    rewrite_thresholds(found.table, chosen, tree.samples, words, reals, np.empty(len(words), np.int64))
    if found.shifts is None:
        return tree
    memory: Any = tree.memory
    parts = memory.shared.copy(), memory.own.copy()
    for lines in parts:
        shift_splits(lines, found.first, found.shifts)
    return replace(tree, memory=Memory(*parts))
