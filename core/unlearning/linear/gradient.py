"""What is left of a logistic regression's gradient at its fitted coefficients, in rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import softmax

from core.case.scoring import final_estimator
from core.numerics.linear.logistic import sigmoid
from core.numerics.linear.softmax import contrasts, products, softmax_hessian_block
from core.typing import Codes, Floats
from core.unlearning.linear.objective import LogisticObjective, by_class, coefficients


class Leftover(NamedTuple):
    """How far a gradient is from 0.

    Parameters
    ----------
    left : float
        Its norm under the inverse Hessian.
    one_row : float
        Root mean square of the same norm of single rows' terms.
    largest : float
        Its largest entry, over the sum of the weights: what solvers stop at.
    """

    left: float
    one_row: float
    largest: float


def leftover(model: Any, objective: LogisticObjective, X: Floats, y: Codes, weight: Floats) -> Leftover:
    """Return what is left of the gradient on rows `X`, with weights that hold the class weights: O(n d^2).

    Raises
    ------
    LinAlgError
        If the Hessian is singular.
    """
    X = np.column_stack([X, np.ones(len(X))]) if objective.fit_intercept else X
    penalty = objective.diagonal(X.shape[1] - objective.fit_intercept)
    if objective.n_classes > 2:
        return _of_many(model, X, y, weight, penalty)
    w = coefficients(model)
    p = sigmoid(X @ w)
    residual = weight * (p - y)
    gradient = X.T @ residual + penalty * w
    H = (X * (weight * p * (1 - p))[:, None]).T @ X + np.diag(penalty)
    factor = cho_factor(H)
    left = float(np.sqrt(max(0.0, float(gradient @ cho_solve(factor, gradient)))))
    rows = X * residual[:, None]
    one_row = float(np.sqrt(np.mean(np.einsum("ij,ji->i", rows, cho_solve(factor, rows.T)))))
    return Leftover(left, one_row, float(np.abs(gradient).max() / weight.sum()))


def _of_many(model: Any, X: Floats, y: Codes, weight: Floats, penalty: Floats) -> Leftover:
    """Return the same with more than two classes: O(n d^2) for every pair of contrasts.

    The Hessian is that of the contrasts. What all classes have in common is seen by the penalty alone, which adds its own share.
    """
    W = by_class(final_estimator(model))
    Q = contrasts(len(W))
    F = X @ W.T
    residual = softmax(F, axis=1)
    residual[np.arange(len(y)), y] -= 1.0
    residual *= weight[:, None]
    each = penalty[: W.shape[1]]
    gradient = residual.T @ X + each * W
    H = softmax_hessian_block(X, F, Q, weight, 0, len(X)) + np.diag(penalty)
    factor = cho_factor(H)
    along, own = (Q.T @ gradient).ravel(), residual @ Q
    common = W.sum(axis=0)
    left = float(along @ cho_solve(factor, along) + (each * common) @ common / len(W))
    of_rows = products(X, Q.shape[1], lambda a, b: own[:, a] * own[:, b])
    one_row = float(np.trace(cho_solve(factor, of_rows))) / len(X)
    return Leftover(
        float(np.sqrt(max(0.0, left))), float(np.sqrt(max(0.0, one_row))), float(np.abs(gradient).max() / weight.sum())
    )
