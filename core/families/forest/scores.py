"""Scores of test rows by a forest that forgot.

Rows keep their leaves where a tree kept its nodes, and only others are routed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from core.case.case import Case
from core.families.forest.table import as_trees_take
from core.families.forest.tree import LivingTree
from core.numerics.trees.scores import add_shares, reroute, route
from core.typing import Floats, Ints, Positions, Singles
from core.unlearning.threads import on_threads, processors

MANY = 1_000_000
"""Rows times trees that are worth more than one thread."""


@dataclass(eq=False)
class Scorer:
    """The leaves of test rows in a case's trees, found when they are first asked for.

    Parameters
    ----------
    model : estimator
        The case's model; its preprocessing is used.
    table : DataFrame
        The model's columns of the test table.
    positive : int
        The class whose shares are scores.
    trees : tuple of LivingTree
    base : Scorer or None
        Of the case this one was made from; let go once it was of use.
    """

    model: Any
    table: Any
    positive: int
    trees: tuple[LivingTree, ...]
    base: Scorer | None = None
    found: dict[int, tuple[Singles, Ints]] = field(default_factory=dict)

    @classmethod
    def of(cls, case: Case, model: Any, trees: tuple[LivingTree, ...], before: Scorer | None = None) -> Scorer:
        """Return the scorer of a new model; `before` is that of the case it was made from."""
        if before is not None and before.base is not None and not before.found:
            before = before.base
        return cls(model, case.X_test, case.pos_column, trees, before)

    def scores(self, rows: Positions) -> Floats:
        """Return the scores of test rows, bit for bit those of `predict_proba` with one job."""
        _, leaves = self._follow(rows)
        total = np.zeros(len(rows))
        for tree, leaf in zip(self.trees, leaves, strict=True):
            add_shares(np.ascontiguousarray(tree.grown.values[:, self.positive]), leaf, total)
        return total / len(self.trees)

    def _follow(self, rows: Positions) -> tuple[Singles, Ints]:
        key = hash(rows.tobytes())
        if key not in self.found:
            X, base = as_trees_take(self.model, self.table.iloc[rows]), self.base
            before, leaves = (X, None) if base is None else base._follow(rows)
            same = leaves is not None and (X is before or np.array_equal(X, before, equal_nan=True))
            self.found[key] = (before, self._moved(before, leaves, base)) if same else (X, self._routed(X))
            self.base = None
        return self.found[key]

    def _routed(self, X: Singles) -> Ints:
        leaves = np.empty((len(self.trees), len(X)), dtype=np.int32)

        def task(some: range) -> None:
            for index in some:
                words, reals = self.trees[index].grown[:2]
                route(words, reals, X, leaves[index])

        on_threads(task, _shares(len(self.trees), len(X)))
        return leaves

    def _moved(self, X: Singles, before: Any, base: Any) -> Ints:
        """Return the leaves in these trees from those in the trees of `base`."""
        leaves: Ints = before.copy()

        def task(some: range) -> None:
            for index in some:
                if base.trees[index] is not self.trees[index]:
                    bring_along(base.trees[index], self.trees[index], X, leaves[index])

        on_threads(task, _shares(len(self.trees), len(X)))
        return leaves


def bring_along(before: LivingTree, after: LivingTree, X: Singles, leaf: npt.NDArray[np.int32]) -> int:
    """Bring the rows' leaves from one tree to another; return how many rows had to be routed."""
    old, new = before.grown, after.grown
    stack, found = np.empty((len(old.words) + 2, 3), np.int64), np.empty(len(old.words), np.int32)
    return int(reroute(old.words, old.reals, new.words, new.reals, X, leaf, stack, found))


def _shares(n_trees: int, n_rows: int) -> list[tuple[range]]:
    """Deal the trees out to the processors, where there is enough to do."""
    hands = min(processors(), n_trees) if n_trees * n_rows > MANY else 1
    return [(range(start, n_trees, hands),) for start in range(hands)]
