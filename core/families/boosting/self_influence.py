"""How far each record's own prediction moves without it.

The moves of its own leaves, summed over the trees, each leaf's being exact.

References
----------
Brophy, J., Hammoudeh, Z. and Lowd, D. (2023). Adapting and evaluating influence-estimation methods for gradient-boosted decision
trees. Journal of Machine Learning Research 24.
"""

from __future__ import annotations

import numpy as np

from core.case.case import Case
from core.families.boosting.unlearner import BoostingState, LeafRefit
from core.numerics.boosting.nodes import GRADIENT, HESSIAN
from core.typing import Floats

LEAST = 1e-3
"""What is left of a leaf's own curvature without the record is taken as at least this share."""


def own_leaf_moves(case: Case) -> tuple[Floats, Floats]:
    """Return every row's predictions, and how far its own leaves move without it.

    O(n_rows * n_trees).
    """
    state: BoostingState = LeafRefit().prepare(case)
    leaves, booster, first = state.leaves(case, case.retained), state.booster, state.forest.first
    width, labels = booster.n_outputs, booster.labels(state.rows.y)
    raw = np.tile(leaves.baseline, (len(labels), 1))
    moved, step = np.zeros_like(raw), np.zeros_like(raw)
    for tree, nodes in enumerate(state.rows.nodes):
        k = tree % width
        if k == 0:
            given = state.rows.given(tree // width)
            raw += step
            p, step = booster.probabilities(raw), np.zeros_like(raw)
        if booster.histogram and first[tree + 1] - first[tree] == 1:
            continue
        at = first[tree] + nodes
        value, factor = leaves.values[at], booster.factor
        gradient, curve = leaves.weight * (p[:, k] - labels[:, k]), leaves.weight * p[:, k] * (1.0 - p[:, k])
        whole = leaves.sums[at, HESSIAN] + booster.ridge
        left = np.maximum(whole - curve, np.maximum(LEAST * whole, 1e-150))
        own = given & np.isclose(
            value * whole, -factor * leaves.sums[at, GRADIENT]
        )  # not set by a monotonic constraint
        moved[:, k] += own * booster.rate * (factor * gradient + value * curve) / left
        step[:, k] = booster.rate * value
    return raw + step, moved * leaves.keep[:, None]
