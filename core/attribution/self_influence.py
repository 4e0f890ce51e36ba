"""Self-influence: what removing a training record does to the loss of its own label.

A record whose own removal would let the model turn against its label is one the model could only memorise. For logistic regression
it is one Newton step of leave-one-out at the record itself; for gradient boosting the move of the record's own leaves, summed over
the trees (BoostIn), each leaf's change being exact.

References
----------
Koh, P. W. and Liang, P. (2017). Understanding black-box predictions via influence functions. ICML.
Brophy, J., Hammoudeh, Z. and Lowd, D. (2023). Adapting and evaluating influence-estimation methods for gradient-boosted decision
trees. Journal of Machine Learning Research 24.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from core.attribution.softmax_effects import reweighted, softmax_moves
from core.case.case import Case
from core.case.group_thresholds import scorer
from core.case.objective import linear_estimator
from core.errors import NotSupportedError
from core.numerics.boosting_nodes import GRADIENT, HESSIAN
from core.numerics.logistic import sigmoid
from core.unlearning.boosting import BoostingState, LeafRefit
from core.unlearning.glm import Newton
from core.unlearning.glm_state import GlmState
from core.unlearning.softmax_rows import SoftmaxRows
from core.unlearning.threads import one_blas_thread

Floats = npt.NDArray[np.float64]

BLOCK = 8192
LEAST = 1e-3
"""What is left of a leaf's or a point's own curvature without the record is taken as at least this share."""


def self_influence(case: Case) -> Floats:
    """Return how much the logistic loss of every training row's own label would rise without it, shape (n_train,).

    One pass over the rows, and over the trees. Removed rows may hold anything.

    Raises
    ------
    NotSupportedError
        If the model is neither a logistic regression nor gradient boosting that can be adopted.
    """
    for unlearner, moves in ((Newton(), _linear_moves), (LeafRefit(), _boosting_moves)):
        reason = unlearner.fits(case)
        if reason is None:
            raw, moved = moves(unlearner.prepare(case))
            return _losses(case, raw + moved) - _losses(case, raw)
        if isinstance(linear_estimator(scorer(case.model)), unlearner.family):
            raise NotSupportedError(reason)
    raise NotSupportedError("self-influence is known for logistic regression and gradient boosting")


def _losses(case: Case, raw: Floats) -> Floats:
    """Return the loss of every training row's own label, at predictions of class 1 or of all classes."""
    if raw.shape[1] == 1:
        return np.asarray(np.logaddexp(0.0, np.where(case.train_codes == 1, -1.0, 1.0) * raw[:, 0]))
    own = np.take_along_axis(raw, case.train_codes[:, None].astype(np.intp), axis=1)[:, 0]
    return np.asarray(logsumexp(raw, axis=1) - own)


@one_blas_thread()
def _linear_moves(case: Case) -> tuple[Floats, Floats]:
    """Return every row's linear predictors, and how far they move without the row: O(n d^2)."""
    state: GlmState = case.state
    curvature, rows = state.curvature(), state.frame.rows
    spread, u = curvature.A @ curvature.inverse @ curvature.A.T, state.A @ state.w
    if isinstance(rows, SoftmaxRows):
        return softmax_moves(reweighted(state), u, spread)
    weight = rows.weight * state.part_weights[rows.part]
    raw, moved = np.empty(len(rows.y)), np.empty(len(rows.y))
    for low in range(0, len(rows.y), BLOCK):
        at = slice(low, low + BLOCK)
        raw[at] = rows.Z[at] @ u
        p = sigmoid(raw[at])
        reach = weight[at] * np.einsum("ij,ij->i", rows.Z[at] @ spread, rows.Z[at])
        moved[at] = (p - rows.y[at]) * reach / np.maximum(1.0 - reach * p * (1.0 - p), LEAST)
    return raw[:, None], moved[:, None]


def _boosting_moves(case: Case) -> tuple[Floats, Floats]:
    """Return every row's predictions, and how far its own leaves move without it: O(n_rows * n_trees)."""
    state: BoostingState = case.state
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
