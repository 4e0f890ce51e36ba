"""A case's trees, and the test rows as these get them, found once for a case."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.case.case import Case
from core.families.forest.state import ForestState
from core.families.forest.table import as_trees_take
from core.families.forest.unlearner import Forest
from core.numerics.trees.effects import leaves_of
from core.typing import Ints


def state_of(case: Case) -> ForestState:
    """Return the trees of a case, adopted if they were not."""
    state: ForestState = Forest().prepare(case)
    return state


def points_of(case: Case, on: str) -> npt.NDArray[np.float32]:
    """Return test rows as the trees get them."""

    def make() -> Any:
        return as_trees_take(case.model, case.X_test.iloc[case.rows(on)])

    return case.prepared.get(("forest points", on), make)


def leaves_at(case: Case, on: str) -> Ints:
    """Return the leaf of every test row in every tree, shape (n_trees, n_points)."""

    def make() -> Ints:
        state, X = state_of(case), points_of(case, on)
        leaves = np.empty((len(state.trees), len(X)), dtype=np.int32)
        for own, tree in zip(leaves, state.trees, strict=True):
            leaves_of(tree.grown.words, tree.grown.reals, X, own)
        return leaves

    return case.prepared.get(("forest leaves", on), make)
