"""The leftover of a logistic regression's gradient at its fitted coefficients, in rows.

A row adds a multiple of itself to the gradient. Directions that move no row's predictor, such as all categories of a column up and the
intercept down, are therefore no row's: along them the penalty alone pulls, and what is left there is the solver's. It is taken out by
moving the coefficients along them to where the penalty is least, which leaves every row's prediction as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, lapack
from scipy.special import softmax

from core.case.scoring import final_estimator
from core.numerics.linear.logistic import sigmoid
from core.numerics.linear.softmax import contrasts, curvatures
from core.typing import Codes, Floats
from core.unlearning.linear.design import Design
from core.unlearning.linear.objective import LogisticObjective, by_class, coefficients
from core.unlearning.threads import one_blas_thread


class Leftover(NamedTuple):
    """How far a gradient is from 0.

    Parameters
    ----------
    left : float
        Its norm under the inverse Hessian, in directions that rows affect.
    one_row : float
        Root mean square of the same norm of single rows' terms.
    largest : float
        The largest entry of all of it, over the sum of the weights: what solvers stop at.
    unseen : float
        Its norm in directions that no row affects.
    """

    left: float
    one_row: float
    largest: float
    unseen: float


def leftover(model: Any, objective: LogisticObjective, design: Design, y: Codes, weight: Floats) -> Leftover:
    """Return the gradient's leftover on rows, with weights that hold the class weights.

    O(n d^2 + d^3), and with more than two classes for every pair of contrasts; a sparse table takes as many steps as its rows have pairs
    of entries. Beside the rows it holds one matrix of the size of the Hessian.

    Raises
    ------
    LinAlgError
        If the Hessian is singular in directions that rows affect.
    """
    k, width = objective.n_predictors, design.width
    w = coefficients(model).reshape(k, width)
    each = objective.diagonal(width - objective.fit_intercept)[:width]
    own, largest, weight_of = _terms(model, design, y, weight, each)
    free = design.unseen()
    moved = _to_least_penalty(w, each, free)
    seen = (design.pulled(own) + each * (w - moved)).ravel()
    inverse = _inverted(_hessian(design, weight_of, each, free, k))
    squared = 0.0
    for a, b in np.ndindex(k, k):
        block = inverse[a * width : (a + 1) * width, b * width : (b + 1) * width]
        squared += design.spread(block, own[:, a] * own[:, b])
    return Leftover(
        left=float(np.sqrt(max(0.0, float(seen @ inverse @ seen)))),
        one_row=float(np.sqrt(max(0.0, squared) / len(y))),
        largest=largest / float(weight.sum()),
        unseen=float(np.sqrt(np.sum(each * moved * moved) + _in_common(model, each))),
    )


def largest_entry(model: Any, objective: LogisticObjective, design: Design, y: Codes, weight: Floats) -> float:
    """Return the largest entry of the gradient, over the sum of the weights.

    Solvers stop at that. One pass.
    """
    each = objective.diagonal(design.width - objective.fit_intercept)[: design.width]
    return _terms(model, design, y, weight, each)[1] / float(weight.sum())


def _terms(
    model: Any, design: Design, y: Codes, weight: Floats, each: Floats
) -> tuple[Floats, float, Callable[[int, int], Floats]]:
    """Return rows' residuals by contrast and the gradient's largest entry.

    With what gives rows' second derivatives by two contrasts.
    """
    W = _all_coefficients(model)
    F = design.predictors(W)
    if len(W) == 1:
        p = sigmoid(F[:, 0])
        bend = weight * p * (1.0 - p)
        own = residual = (weight * (p - y))[:, None]
        weight_of: Callable[[int, int], Floats] = lambda a, b: bend  # noqa: ARG005, E731
    else:
        P, Q = softmax(F, axis=1), contrasts(len(W))
        weight_of = curvatures(P, Q, weight)
        residual = weight[:, None] * P
        residual[np.arange(len(y)), y] -= weight
        own = residual @ Q
    return own, float(np.abs(design.pulled(residual) + each * W).max()), weight_of


def _all_coefficients(model: Any) -> Floats:
    """Return coefficients and intercept of each class, or of the only predictor of two."""
    estimator = final_estimator(model)
    return by_class(estimator) if len(estimator.classes_) > 2 else coefficients(model)[None]


def _in_common(model: Any, each: Floats) -> float:
    """Return the squared norm of the penalty's pull on what classes have in common.

    That is of the coefficients of more than two classes.
    """
    W = _all_coefficients(model)
    common = W.sum(axis=0)
    return float((each * common) @ common) / len(W) if len(W) > 1 else 0.0


def _to_least_penalty(w: Floats, each: Floats, free: Floats) -> Floats:
    """Return the part of the coefficients that the penalty pulls at, along some directions.

    The shape is (n_predictors, width).
    """
    pulled = free.T @ (each[:, None] * free)
    return np.asarray((free @ (np.linalg.pinv(pulled, hermitian=True) @ (free.T @ (each * w).T))).T)


def _hessian(
    design: Design, weight_of: Callable[[int, int], Floats], each: Floats, free: Floats, n_contrasts: int
) -> Floats:
    """Return the Hessian with a pull of its own where neither rows nor a penalty pull."""
    width = design.width
    if n_contrasts == 1:
        H = design.products(weight_of(0, 0))
    else:
        H = np.empty((n_contrasts * width, n_contrasts * width))
        for a, b in np.ndindex(n_contrasts, n_contrasts):
            if b <= a:
                block = design.products(weight_of(a, b))
                H[a * width : (a + 1) * width, b * width : (b + 1) * width] = block
                H[b * width : (b + 1) * width, a * width : (a + 1) * width] = block
    H.flat[:: len(H) + 1] += np.tile(each, n_contrasts)
    if free.shape[1] and not np.any(each):
        for at in range(0, len(H), width):
            own = H[at : at + width, at : at + width]
            own += np.trace(own) / width * (free @ free.T)
    return H


def _inverted(H: Floats) -> Floats:
    """Return the inverse of a positive definite matrix, written over it."""
    with one_blas_thread():
        factor, info = lapack.dpotrf(H.T, lower=1, overwrite_a=1, clean=0)
        if not info:
            factor, info = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if info:
        raise LinAlgError("the Hessian is singular")
    for row in range(len(factor)):
        factor[row, row + 1 :] = factor[row + 1 :, row]
    return np.asarray(factor)


def distance(model: Any, other: Any, objective: LogisticObjective, design: Design, weight: Floats) -> float:
    """Return the distance of two models' coefficients in the norm of the first one's Hessian.

    `Leftover` measures in that. Two passes.
    """
    W, apart = _all_coefficients(model), _all_coefficients(other) - _all_coefficients(model)
    each = objective.diagonal(design.width - objective.fit_intercept)[: design.width]
    F, moves = design.predictors(W), design.predictors(apart)
    if len(W) == 1:
        p = sigmoid(F[:, 0])
        rows = p * (1.0 - p) * moves[:, 0] ** 2
    else:
        P = softmax(F, axis=1)
        rows = np.sum(P * moves**2, axis=1) - np.sum(P * moves, axis=1) ** 2
    return float(np.sqrt(max(0.0, float(weight @ rows)) + np.sum(each * apart * apart)))
