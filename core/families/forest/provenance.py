"""Provenance of trees and forests.

Each tree's own rows, routed through it, must give the counts and class shares it stores.

Counts alone are blind to flipped labels, so both are compared, at every node. One tree at a time is held in memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._forest import ForestClassifier

from core.case.case import Case
from core.case.scoring import final_estimator, singles
from core.case.verdict import Provenance, sentence
from core.errors import NotSupportedError
from core.families.forest.state import ForestState
from core.families.forest.weights import OtherRowsError, WeightsOf, weights_of_trees
from core.numerics.trees.routing import node_sums
from core.typing import Floats

OFFER = "train it again on these rows, or find the rows it was trained on"


def check_trees(case: Case, table: Any, checked: str) -> Provenance:
    """Route each tree's rows and compare every node.

    One prediction pass over the rows, no more than one tree's paths held.

    Parameters
    ----------
    case : Case
    table : DataFrame, ndarray or sparse matrix
        The retained rows as the estimator takes them.
    checked : str
        What was found of the preprocessing, to begin the sentence with.
    """
    estimator = final_estimator(case.model)
    rows = _singles(table)
    if rows is None:
        return Provenance(
            "mismatch",
            "The preprocessing gives values that are infinite or too large for single precision, and no tree can be fitted on them; find the "
            "rows it was trained on.",
        )
    codes = case.train_codes[case.retained]
    weight = None if case.train_weight is None else case.train_weight[case.retained]
    try:
        weights_of = _kept_weights(case, len(_trees(estimator))) or weights_of_trees(estimator, codes, weight)
    except OtherRowsError as error:
        return Provenance(
            "mismatch",
            sentence(f"{checked}these are not the rows and labels it was trained on: {error}; {OFFER}."),
            refit=True,
        )
    except NotSupportedError as error:
        return Provenance("unverifiable", sentence(f"{checked}the rest cannot be checked: {error}."))
    return _compare_trees(estimator, rows, codes, weights_of, checked)


def _why(estimator: Any, matching: int, *, bare: bool) -> str:
    """Return what a difference means, given how many trees show none."""
    if matching:
        return (
            "not all of it was trained on these rows and labels with its settings of now, or trees were changed since"
        )
    order = ", or not in that order" if getattr(estimator, "bootstrap", False) else ""
    columns = ", or its columns came in another order" if bare and not hasattr(estimator, "feature_names_in_") else ""
    return f"these are not the rows and labels it was trained on{order}{columns}"


def _compare_trees(
    estimator: Any, rows: Any, codes: npt.NDArray[np.intp], weights_of: WeightsOf, checked: str
) -> Provenance:
    trees, free = _trees(estimator), getattr(estimator, "monotonic_cst", None) is None
    known, matching, n_nodes, first = np.zeros(len(codes), dtype=bool), 0, 0, ""
    for index, tree in enumerate(trees):
        weight = weights_of(index)
        difference = _difference(tree.tree_, rows, codes, weight, free)
        known |= weight > 0
        matching += not difference
        n_nodes += tree.tree_.node_count
        if difference and not first:
            first = f"tree {index} differs first at {difference}"
    if first:
        return Provenance(
            "mismatch",
            sentence(
                f"{checked}{_count(matching, len(trees))}, so {_why(estimator, matching, bare=not checked)}: {first}; {OFFER}."
            ),
            refit=True,
        )
    if not free:
        why = "monotonic_cst moves class shares, so that flipped labels would go unnoticed"
        return Provenance("unverifiable", sentence(f"{checked}counts match at all {n_nodes:,} nodes, but {why}."))
    unseen = len(codes) - int(known.sum())
    blind = f"; {unseen:,} of {len(codes):,} rows are in no tree and went unchecked" if unseen else ""
    return Provenance(
        "verified",
        sentence(
            f"{checked}these rows are what the model was trained on: {_count(matching, len(trees))}, counts and class shares at all "
            f"{n_nodes:,} nodes{blind}; a changed value that crosses no threshold would go unnoticed."
        ),
    )


def _count(matching: int, n: int) -> str:
    if n == 1:
        return "the tree matches" if matching else "the tree does not match"
    return f"{matching:,} of {n:,} trees match"


def _difference(tree: Any, rows: Any, codes: npt.NDArray[np.intp], weight: Floats, shares: bool) -> str:
    """Return at which node, and in what, a tree differs first from what the rows give.

    Empty where it does not.
    """
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    stored = np.asarray(tree.value[:, 0, :])
    sums = node_sums(left, right, tree.apply(rows), codes, weight, stored.shape[1])
    total = sums[:, 1:].sum(axis=1)
    given = sums[:, 1:] / np.where(total > 0, total, 1.0)[:, None]
    counts = sums[:, 0] != tree.n_node_samples
    heavy = ~np.isclose(total, tree.weighted_n_node_samples, rtol=1e-9, atol=0.0)
    apart = ~np.isclose(given, stored, rtol=1e-9, atol=1e-12) & shares
    wrong = np.flatnonzero(counts | heavy | apart.any(axis=1))
    if len(wrong) == 0:
        return ""
    node = int(wrong[0])
    where = f"node {node:,} of {len(left):,}"
    if counts[node]:
        return f"{where}, which stores {tree.n_node_samples[node]:,} rows where these give {int(sums[node, 0]):,}"
    if heavy[node]:
        return f"{where}, which stores weight {tree.weighted_n_node_samples[node]:.10g} where these rows give {total[node]:.10g}"
    c = int(np.flatnonzero(apart[node])[0])
    return f"{where}, which stores a share of {stored[node, c]:.6g} of class number {c} where these rows give {given[node, c]:.6g}"


def _kept_weights(case: Case, n_trees: int) -> WeightsOf | None:
    """Return the weights that an unlearner carries along for the retained rows.

    A forest that forgot holds no others.
    """
    state, saved = case.prepared.of_type(ForestState), case.prepared.kept
    if state is not None:
        return state.weights_of_trees(case.retained)
    kept = None if saved is None else saved.values.get("tree_weights")
    if kept is None or kept.shape != (n_trees, case.n_retained):
        return None
    return lambda index: np.asarray(kept[index], dtype=np.float64)


def _trees(estimator: Any) -> list[Any]:
    return list(estimator.estimators_) if isinstance(estimator, ForestClassifier) else [estimator]


def _singles(table: Any) -> Any:
    """Return rows as trees take them, or None where a cell is no number that fits.

    Missing values are let through.
    """
    with np.errstate(over="ignore"):
        if hasattr(table, "tocsr"):
            rows = table.tocsr().astype(np.float32)
            rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
            return None if np.isinf(rows.data).any() else rows
        try:
            dense = singles(table)
        except (ValueError, TypeError):
            return None
    return None if np.isinf(dense).any() else dense
