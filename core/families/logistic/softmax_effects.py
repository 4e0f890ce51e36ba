"""Leave-one-out in logistic regression of more than two classes.

One Newton step for every row at once.

Row i holds its predictors by K - 1 contrasts: with r_i the derivative of its loss by them, C_i its second derivative and B_i what H^-1 gives
the row itself, removing it moves its own contrasts by ``B_i (I - C_i B_i)^-1 r_i``. ``C_i B_i`` is the leverage, a matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.special import softmax

from core.families.logistic.softmax_rows import SoftmaxRows
from core.families.logistic.state import GlmState
from core.numerics.linear.softmax import curvatures
from core.typing import Floats

NUMBERS_AT_ONCE = 1_000_000
"""Numbers that the leverages of a block of rows may hold."""
LEAST = 1e-3
"""What is left of a row's leverage to 1 is taken as at least so much."""


def reweighted(state: GlmState) -> SoftmaxRows:
    """Return the rows with balanced class weights folded into theirs."""
    rows = state.frame.rows
    if not isinstance(rows, SoftmaxRows):
        raise TypeError(f"{type(rows).__name__} have two classes")
    return replace(rows, weight=rows.weight * state.part_weights[rows.part])


def softmax_effects(rows: SoftmaxRows, u: Floats, spread: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Return what each row's removal does along a direction, and the residuals.

    O(n_rows * n_atoms^2) for every pair of contrasts.

    Parameters
    ----------
    rows : SoftmaxRows
    u : ndarray
        Coefficients of atoms.
    spread : ndarray
        The inverse Hessian, by coefficients of atoms.
    direction : ndarray
        Derivative by coefficients of atoms, times the inverse Hessian.
    """
    along, residuals = np.empty(len(rows.y)), np.empty((len(rows.y), rows.n_classes - 1))
    by_contrast = direction.reshape(rows.n_classes - 1, -1)
    for at, _, _, own, moves in _alone(rows, u, spread):
        residuals[at] = own
        along[at] = np.einsum("ia,ia->i", rows.Z[at] @ by_contrast.T, moves)
    return along, residuals


def softmax_moves(rows: SoftmaxRows, u: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return every row's predictors, and how far each moves without the row.

    The shape is (n_rows, n_classes).
    """
    raw, moved = np.empty((len(rows.y), rows.n_classes)), np.empty((len(rows.y), rows.n_classes))
    for at, eta, reach, _, moves in _alone(rows, u, spread):
        raw[at] = eta
        moved[at] = np.einsum("iab,ib->ia", reach, moves) @ rows.Q.T
    return raw, moved


def _alone(rows: SoftmaxRows, u: Floats, spread: Floats) -> Iterator[tuple[slice, Floats, Floats, Floats, Floats]]:
    """Give blocks of rows: where they are, predictors, B, r, and ``(I - C B)^-1 r``."""
    width, n_atoms = rows.n_classes - 1, rows.Z.shape[1]
    blocks = spread.reshape(width, n_atoms, width, n_atoms)
    length = max(1, NUMBERS_AT_ONCE // width**2)
    for low in range(0, len(rows.y), length):
        at = slice(low, min(low + length, len(rows.y)))
        Z, eta = rows.Z[at], rows.predictors(rows.Z[at], u)
        weight_of = curvatures(softmax(eta, axis=1), rows.Q, rows.weight[at])
        bend, reach = np.empty((2, len(Z), width, width))
        for a in range(width):
            for b in range(a + 1):
                bend[:, a, b] = bend[:, b, a] = weight_of(a, b)
                reach[:, a, b] = reach[:, b, a] = np.einsum("ij,ij->i", Z @ blocks[a, :, b, :], Z)
        leverage = bend @ reach
        squared = leverage @ leverage
        largest = np.einsum("iab,iba->i", squared, squared) ** 0.25
        leverage *= np.minimum(1.0, (1.0 - LEAST) / np.maximum(largest, LEAST))[:, None, None]
        own = rows.residuals(eta, at)
        moves = np.linalg.solve(np.eye(width) - leverage, own[:, :, None])[:, :, 0]
        yield at, eta, reach, own, np.asarray(moves, dtype=np.float64)
