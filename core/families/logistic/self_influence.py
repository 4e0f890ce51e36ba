"""How far each record's own prediction moves without it.

One Newton step of leave-one-out at the record itself.

References
----------
Koh, P. W. and Liang, P. (2017). Understanding black-box predictions via influence functions. ICML.
"""

from __future__ import annotations

import numpy as np

from core.case.case import Case
from core.families.logistic.softmax_effects import reweighted, softmax_moves
from core.families.logistic.softmax_rows import SoftmaxRows
from core.families.logistic.state import GlmState
from core.families.logistic.unlearner import Newton
from core.numerics.linear.logistic import sigmoid
from core.typing import Floats
from core.unlearning.threads import one_blas_thread

BLOCK = 8192
LEAST = 1e-3
"""What is left of a point's own curvature without the record is taken as at least this share."""


@one_blas_thread()
def own_step_moves(case: Case) -> tuple[Floats, Floats]:
    """Return every row's linear predictors, and how far they move without the row: O(n d^2)."""
    state: GlmState = Newton().prepare(case)
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
