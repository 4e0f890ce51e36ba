"""Passes over the rows of a weighted multinomial loss.

They give gradients, Hessians and how far predictors may move.

The loss of row i at the predictors f_i of its K classes is ``s_i * (logsumexp(f_i) - f_i[y_i])``. Moving all K by the same amount
changes nothing, so parameters are kept as K - 1 orthonormal contrasts between classes: ``f_i = contrasts @ t_i``, ``t_i[a] = z_i . u[a]``.
A squared norm of contrasts is that of the classes' own coefficients, centred over the classes.

Along a move v of the predictors the third derivative of a row's loss is at most ``max(v) - min(v)`` times the second: that range
takes the place that ``abs(v)`` has with two classes, and every bound of `self_concordance` holds with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.linalg import helmert, solve_triangular
from scipy.special import softmax

from core.numerics.kernel import reordered
from core.numerics.linear.logistic import BLOCK, SUMMED
from core.typing import Floats, Positions


@cache
def contrasts(n_classes: int) -> Floats:
    """Return orthonormal contrasts between classes (Helmert's).

    Every column sums to 0; the shape is (n_classes, n_classes - 1).

    Examples
    --------
    >>> contrasts(3).round(3).tolist()
    [[0.707, 0.408], [-0.707, 0.408], [0.0, -0.816]]
    """
    found: Floats = np.ascontiguousarray(helmert(n_classes).T)
    found.flags.writeable = False
    return found


@reordered
def softmax_gradient_block(
    Z: Floats,
    U: Floats,
    y: Positions,
    weight: Floats,
    part: Positions,
    anchor: Floats,
    start: int,
    stop: int,
    n_parts: int,
) -> tuple[Floats, float]:
    """Return the loss gradient's sums over rows start..stop, by part and class.

    How far predictors moved apart comes with them.

    Parameters
    ----------
    Z : ndarray, shape (n_rows, n_atoms), C-contiguous
        Design.
    U : ndarray, shape (n_classes, n_atoms), C-contiguous
        Where to evaluate.
    y : ndarray of int, shape (n_rows,)
        Class of every row.
    weight : ndarray, shape (n_rows,)
        Row weights; rows of weight 0 are passed over.
    part : ndarray of int, shape (n_rows,)
        Which of `n_parts` sums a row adds to.
    anchor : ndarray, shape (n_rows, n_classes)
        Predictors to measure the largest move from.
    start, stop : int
        The block of rows.
    n_parts : int
        Number of sums.

    Returns
    -------
    partial : ndarray, shape (n_sums, n_parts, n_classes, n_atoms)
        One sum per 512 rows, to be added up in higher precision.
    moved : float
        max over rows of weight > 0 of the range, over classes, of their predictors' moves from `anchor`.
    """
    n_classes, n_atoms = U.shape
    partial = np.zeros(((stop - start + SUMMED - 1) // SUMMED, n_parts, n_classes, n_atoms))
    f = np.empty(n_classes)
    moved = 0.0
    for i in range(start, stop):
        s = weight[i]
        if s <= 0.0:
            continue
        row = Z[i]
        for k in range(n_classes):
            eta = 0.0
            for j in range(n_atoms):
                eta += row[j] * U[k, j]
            f[k] = eta
        top, low, high = f[0], f[0] - anchor[i, 0], f[0] - anchor[i, 0]
        for k in range(1, n_classes):
            top = max(top, f[k])
            low, high = min(low, f[k] - anchor[i, k]), max(high, f[k] - anchor[i, k])
        moved = max(moved, high - low)
        total = 0.0
        for k in range(n_classes):
            f[k] = np.exp(f[k] - top)
            total += f[k]
        target = partial[(i - start) // SUMMED, part[i]]
        for k in range(n_classes):
            residual = s * (f[k] / total - (1.0 if y[i] == k else 0.0))
            for j in range(n_atoms):
                target[k, j] += residual * row[j]
    return partial, moved


def softmax_hessian_block(Z: Floats, F: Floats, Q: Floats, weight: Floats, start: int, stop: int) -> Floats:
    """Return the loss Hessian over rows start..stop at predictors `F`.

    Its shape is (n, n), n = (n_classes - 1) * n_atoms.

    Contrasts come first: entry (a * n_atoms + i, b * n_atoms + j) belongs to atom i of contrast a and atom j of contrast b.
    """
    size = Q.shape[1] * Z.shape[1]
    total = np.zeros((size, size))
    for low in range(start, stop, BLOCK):
        at = slice(low, min(low + BLOCK, stop))
        weight_of = curvatures(softmax(F[at], axis=1), Q, weight[at])
        total += products(Z[at], Q.shape[1], weight_of)
    return total


def curvatures(P: Floats, Q: Floats, weight: Floats) -> Callable[[int, int], Floats]:
    """Return the function that gives every row's second derivative by two contrasts.

    That is ``s_i * (q_a . diag(p_i) q_b - (p_i . q_a) (p_i . q_b))``.
    """
    along = P @ Q
    return lambda a, b: weight * (P @ (Q[:, a] * Q[:, b]) - along[:, a] * along[:, b])


def products(Z: Floats, n_contrasts: int, weight_of: Callable[[int, int], Floats]) -> Floats:
    """Return the symmetric matrix of blocks ``sum_i weight_of(a, b)[i] * outer(z_i, z_i)``.

    Contrasts come first.
    """
    n_atoms = Z.shape[1]
    total = np.empty((n_contrasts, n_atoms, n_contrasts, n_atoms))
    for a in range(n_contrasts):
        for b in range(a + 1):
            block = (Z * weight_of(a, b)[:, None]).T @ Z
            total[b, :, a, :] = block.T
            total[a, :, b, :] = block
    return total.reshape(n_contrasts * n_atoms, n_contrasts * n_atoms)


def largest_range(Z: Floats, factor: Floats, Q: Floats) -> float:
    """Return how far apart any row's classes move at most for a step of length 1.

    The length is taken in the norm of K = factor @ factor.T.

    The move of class k against class l is ``((q_k - q_l) kron z_i) . step``, at most the norm of what stands before the step under
    K^-1. O(n_rows * n_atoms^2) for every pair of classes.
    """
    inverse = solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)
    by_contrast, largest = inverse.reshape(len(factor), Q.shape[1], Z.shape[1]), 0.0
    for k in range(len(Q)):
        for other in range(k):
            root: Floats = np.linalg.qr(np.tensordot(Q[k] - Q[other], by_contrast, (0, 1)), mode="r")  # type: ignore[assignment]
            for low in range(0, len(Z), BLOCK):
                images = Z[low : low + BLOCK] @ root.T
                largest = max(largest, float(np.einsum("ij,ij->i", images, images).max()))
    return float(np.sqrt(largest))


def log_odds_shares(P: Floats, column: int) -> Floats:
    """Return the derivative of one class's log-odds by every class's predictor.

    The odds are against all others; the shape is (n_rows, n_classes).

    Examples
    --------
    >>> log_odds_shares(np.array([[0.5, 0.2, 0.3]]), 0).round(3).tolist()
    [[1.0, -0.4, -0.6]]
    """
    others = P.copy()
    others[:, column] = 0.0
    shares = -others / np.maximum(others.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    shares[:, column] = 1.0
    return np.asarray(shares)
