"""Passes over the rows of a weighted logistic loss: gradients, Hessians and leverages.

The loss of row i at the linear predictor eta_i = z_i . u is ``s_i * (log(1 + exp(eta_i)) - y_i * eta_i)``. Every pass
is split in blocks of rows, so callers may run blocks on threads (the kernels release the GIL) and add the results.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from core.numerics.kernel import reordered
from core.typing import Bytes, Floats

BLOCK = 4096
SUMMED = 512
"""Rows added up in one running sum; longer sums lose digits."""


@reordered
def gradient_block(
    Z: Floats, u: Floats, y: Bytes, weight: Floats, part: Bytes, anchor: Floats, start: int, stop: int, n_parts: int
) -> tuple[Floats, float]:
    """Return the loss gradient's sums over rows start..stop, by part, and the largest move.

    The move is that of a row's predictor.

    Parameters
    ----------
    Z : ndarray, shape (n_rows, n_atoms), C-contiguous
        Design.
    u : ndarray, shape (n_atoms,)
        Where to evaluate.
    y : ndarray of uint8, shape (n_rows,)
        Labels, 0 or 1.
    weight : ndarray, shape (n_rows,)
        Row weights; rows of weight 0 are passed over.
    part : ndarray of uint8, shape (n_rows,)
        Which of `n_parts` sums a row adds to.
    anchor : ndarray, shape (n_rows,)
        Linear predictors to measure the largest move from.
    start, stop : int
        The block of rows.
    n_parts : int
        Number of sums.

    Returns
    -------
    partial : ndarray, shape (n_sums, n_parts, n_atoms)
        One sum per 512 rows, to be added up in higher precision.
    moved : float
        max over rows of weight > 0 of abs(z_i . u - anchor_i).
    """
    n_atoms = Z.shape[1]
    partial = np.zeros(((stop - start + SUMMED - 1) // SUMMED, n_parts, n_atoms))
    moved = 0.0
    for i in range(start, stop):
        s = weight[i]
        if s <= 0.0:
            continue
        row = Z[i]
        eta = 0.0
        for j in range(n_atoms):
            eta += row[j] * u[j]
        shift = abs(eta - anchor[i])
        moved = max(moved, shift)
        residual = s * (1.0 / (1.0 + np.exp(-eta)) - y[i])
        target = partial[(i - start) // SUMMED, part[i]]
        for j in range(n_atoms):
            target[j] += residual * row[j]
    return partial, moved


def sigmoid(eta: Floats) -> Floats:
    """Return 1 / (1 + exp(-eta)) without overflow.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    half = np.tanh(0.5 * eta)
    half += 1.0
    half *= 0.5
    return half


def hessian_block(Z: Floats, curvature: Floats, start: int, stop: int) -> Floats:
    """Return the sum of ``curvature_i * outer(z_i, z_i)`` over rows start..stop.

    Its shape is (n_atoms, n_atoms).
    """
    total = np.zeros((Z.shape[1], Z.shape[1]))
    for low in range(start, stop, BLOCK):
        rows = Z[low : min(low + BLOCK, stop)]
        total += (rows * curvature[low : low + len(rows), None]).T @ rows
    return total


def largest_norm_block(Z: Floats, factor: Floats, start: int, stop: int) -> float:
    """Return the largest ``sqrt(z_i . K^-1 z_i)`` over rows start..stop.

    K = factor @ factor.T, factor lower triangular.
    """
    largest = 0.0
    for low in range(start, stop, BLOCK):
        rows = Z[low : min(low + BLOCK, stop)]
        solved = solve_triangular(factor, rows.T, lower=True, check_finite=False)
        largest = max(largest, float(np.einsum("ij,ij->j", solved, solved).max()))
    return float(np.sqrt(largest))
