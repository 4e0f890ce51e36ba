"""Memory that adopting a forest takes, estimated before any of it is taken."""

from __future__ import annotations

from typing import Any

from core.case.case import Case
from core.families.forest.parts import estimator_of, moves_draws, trees_of
from core.numerics.trees.histograms import WIDTH
from core.unlearning.memory import check_memory
from core.unlearning.threads import processors

BYTES_PER_CELL = 40
"""Of the table while it is coded: as it is handed in, float32 values, ranks as they are found, codes, bins, order and distinct values."""
BYTES_PER_ROW = 16
"""In every tree: its labels, its samples, and its weights while they are drawn."""
BYTES_PER_MOVING_DRAW = 8
"""Of a bootstrap whose draws move: the row of each, before and after they do."""
BYTES_PER_NODE = 44
"""Beside scikit-learn's own: children as fitted, where draws start, origins, bounds and levels."""
BYTES_PER_DRAW = 12
"""Of a feature drawn at a node, and of what is drawn along with it."""
BYTES_COUNTED = 7
"""Of a row and candidate in every tree, for what large nodes remember of their search."""
BYTES_PER_LINE = 128
"""Of up to 32 cells of a row, coded and side by side: two cache lines."""
BYTES_ON_BENCH = 310
"""Of a row, for each thread's room to work in, mostly for nodes that wait their turn, beside room for as many nodes as a tree of all rows could have."""

BYTES_OF_BINS = 90_000
"""For each thread, to count rows in bins."""


def memory_of(estimator: Any, n_rows: int) -> int:
    """Return about how many bytes adopting a fitted tree or forest takes at its peak.

    Parameters
    ----------
    estimator : tree or forest
        Fitted.
    n_rows : int
        Rows it was fitted on.
    """
    trees = trees_of(estimator)
    first = trees[0]
    nodes = [tree.tree_.node_count for tree in trees]
    candidates = int(first.max_features_)
    stored = 80 + 8 * len(estimator.classes_)
    table = BYTES_PER_CELL * n_rows * int(first.n_features_in_)
    rows = (BYTES_PER_ROW + BYTES_COUNTED * candidates) * n_rows * len(trees)
    if moves_draws(estimator):
        rows += BYTES_PER_MOVING_DRAW * (getattr(estimator, "_n_samples_bootstrap", None) or n_rows) * len(trees)
    inner = (BYTES_PER_NODE + BYTES_PER_DRAW * (candidates + 2)) * sum(nodes)
    waiting = 2 * 8 * (int(first.n_features_in_) // 64 + 1 + len(estimator.classes_)) + int(first.n_features_in_)
    on_bench = BYTES_ON_BENCH + waiting + 2 * stored + 4 * WIDTH * max(int(first.n_features_in_), 8)
    benches = min(processors(), len(trees)) * (n_rows * on_bench + BYTES_OF_BINS)
    table += BYTES_PER_LINE * n_rows * (int(first.n_features_in_) // 32 + 1)
    return int(table + rows + inner + benches)


def check_room(case: Case, doing: str = "Adopting") -> None:
    """Refuse to adopt a case's forest, or to build it again beside it, where memory is short.

    Raises
    ------
    LimitError
        With what it takes and what is available.
    """
    estimator = estimator_of(case.model)
    n_trees = len(trees_of(estimator))
    what = (
        f"{doing} {n_trees:,} trees of {case.n_retained:,} rows"
        if n_trees > 1
        else f"{doing} a tree of {case.n_retained:,} rows"
    )
    check_memory(
        memory_of(estimator, case.n_retained), what, "remove records by refit (method='refit'), or train fewer trees"
    )
