"""Forests whose preprocessing gives other values in the same order, as a scale fitted again does: updated in place.

A tree depends on a column's values through their order, through which of them scikit-learn takes as one, and through its thresholds,
which lie halfway between neighbours. Where the first two stay, the tree that building on the new values gives is the one
that taking the rows out on the old values gives, with its thresholds written again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.numerics.tree_arrays import LINK, Rules, Table
from core.numerics.tree_thresholds import rewrite_thresholds
from core.unlearning.base import Positions
from core.unlearning.forest_anew import Refitted
from core.unlearning.forest_state import ForestState
from core.unlearning.forest_tree import LivingTree, with_tree
from core.unlearning.threads import on_threads

Bools = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]

IN_PLACE = "The preprocessing, fitted again, gives the trees other values in the same order; each was updated, and its thresholds were put between these."


def rescaled(state: ForestState, positions: Positions, new: Refitted, rules: Rules) -> ForestState | None:
    """Return the trees without the training rows at `positions` on another preprocessing; None where they have to be built anew.

    Bit for bit what building them from scratch gives. Costs the removal, and a look at every row on every level of every tree.

    Parameters
    ----------
    state : ForestState
    positions : ndarray of int
    new : Refitted
        The preprocessing of the rows that stay.
    rules : Rules
        For so many rows.

    Raises
    ------
    NotSupportedError
        If a tree would be left without rows.
    """
    grove = state.grove
    # A drawn threshold is no midpoint: rounding may carry a value to its other side.
    if rules != grove.rules or rules.random or not new.same_columns:
        return None
    known = new.rows[grove.rows]
    table = with_values(grove.table, new.changed, new.values, known)
    if table is None:
        return None
    X = grove.X.copy()
    X[np.ix_(known, new.changed)] = new.values
    chosen = np.zeros(X.shape[1], dtype=bool)
    chosen[new.changed] = True
    after = state.without(positions, new.rows)

    def one(before: LivingTree, tree: LivingTree) -> LivingTree:
        tree = _copied(tree) if tree is before else tree
        words, reals = tree.grown[:2]
        rewrite_thresholds(table, chosen, tree.samples, words, reals, np.empty(len(words), np.int64))
        return tree

    trees = tuple(on_threads(one, list(zip(state.trees, after.trees, strict=True))))
    return replace(after, grove=replace(grove, X=X, table=table), trees=trees)


def _copied(tree: LivingTree) -> LivingTree:
    """Return the tree with nodes of its own."""
    fitted = tree.estimator.tree_
    state: Any = fitted.__getstate__()
    estimator = with_tree(tree.estimator, state["nodes"], state["values"][:, 0, :], fitted.max_depth)
    return replace(tree, estimator=estimator)


def with_values(table: Table, changed: Positions, values: Singles, known: Bools) -> Table | None:
    """Return the table with other values in some columns, its codes as they are; None where the order does not stay. O(d n).

    Parameters
    ----------
    table : Table
    changed : ndarray of int
        Features that get other values.
    values : ndarray of float32, shape (n_known, n_changed)
        What these are in the rows that are known; the others are never asked for again.
    known : ndarray of bool, shape (n_rows,)
    """
    after, filled = table.values.copy(), np.empty(len(known), dtype=np.float32)
    for f, column in zip(changed.tolist(), values.T, strict=True):
        filled[known] = np.where(np.isnan(column), np.float32(np.inf), column)
        order = table.order[f]
        order = order[known[order]]
        first, last = table.first[f : f + 2]
        now = _in_place_of(table.values[first:last], table.codes[f, order], filled[order])
        if now is None:
            return None
        after[first:last] = now
        if table.twin[f] >= 0:
            first, last = table.first[table.twin[f] : table.twin[f] + 2]
            after[first + 1 : last] = now[:-1]
    return table._replace(values=after)


def _in_place_of(before: Singles, codes: npt.NDArray[Any], ranked: Singles) -> Singles | None:
    """Return the values of a column's codes in place of those before, None where ascending `codes` do not rank the values `ranked`.

    A code that no row has takes the value below it, so that values ascend.
    """
    apart = codes[1:] != codes[:-1]
    if not (np.array_equal(ranked[1:] > ranked[:-1], apart) and (ranked[1:] >= ranked[:-1]).all()):
        return None
    starts = np.flatnonzero(np.append(True, apart))
    present, values, missing = codes[starts], ranked[starts], np.isinf(before)
    if not (np.array_equal(np.isinf(values), missing[present]) and _linked_alike(before[present], values)):
        return None
    at = np.searchsorted(present, np.arange(len(before)), side="right") - 1
    now = values[np.maximum(at, 0)]
    now[missing] = np.inf
    return now


def _linked_alike(one: Singles, other: Singles) -> bool:
    """Return whether scikit-learn takes the same of two columns' ascending values as one, however many of those between are gone."""
    for step in range(1, len(one)):
        linked = one[step:] <= one[:-step] + LINK
        if not np.array_equal(linked, other[step:] <= other[:-step] + LINK):
            return False
        if not linked.any():
            break
    return True
