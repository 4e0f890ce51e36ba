"""The Hessian of a penalised logistic loss, and the distances it certifies.

In the model's own coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, lapack

from core.errors import NotSupportedError
from core.numerics.linear.self_concordance import distance_to_optimum
from core.typing import Floats
from core.unlearning.preprocessing.blocks import EPS

SUMMING = 32.0
"""Rounding of a sum of 512 terms, in units of the last place of their absolute sum: its root, and a half as much again for the terms."""


@dataclass(frozen=True, eq=False)
class LocalNorm:
    """A fixed positive definite matrix over atoms that bounds moves of rows' predictors.

    For every row, ``abs(z_i . d) <= largest * sqrt(d . matrix @ d)``.

    Parameters
    ----------
    matrix : ndarray, shape (n_atoms, n_atoms)
    largest : float
        max over rows of ``sqrt(z_i . matrix^-1 z_i)``.
    mass : ndarray, shape (n_atoms,)
        ``sum_i s_i * abs(z_i)``: scales the rounding error of a gradient.
    """

    matrix: Floats
    largest: float
    mass: Floats

    def movement(self, step: Floats) -> float:
        """Bound the move of any row's predictor for a step over atoms."""
        return self.largest * math.sqrt(max(0.0, float(step @ self.matrix @ step)))


@dataclass(frozen=True, eq=False)
class Rounding:
    """Bounds on what rounding made of the map from parameters to coefficients of atoms.

    Parameters
    ----------
    relative : ndarray, shape (n_parameters,)
        Bound on the relative error of a column of it.
    absolute : ndarray, shape (n_parameters,)
        Bound on the error of a column's entry for the constant atom, and of that for a missing value.
    one : int
        The constant atom, of the first block.
    """

    relative: Floats
    absolute: Floats
    one: int


SINGULAR = (
    "the Hessian is singular to working precision: columns determine one another, a class is separated, or single records "
    "outweigh all others by far"
)


class Curvature:
    """``H = A.T @ G @ A + diag(D)``, its factor, and certificates in its norm.

    Parameters
    ----------
    A : ndarray, shape (n_atoms, n_parameters)
        Maps parameters to coefficients of atoms.
    G : ndarray, shape (n_atoms, n_atoms)
        Hessian of the loss over atoms, at some point.
    D : ndarray, shape (n_parameters,)
        Penalties.
    metric : Metric
        Bounds the rows.
    rounding : Rounding
        Of A.
    blocks : int
        Of how many equal blocks on its diagonal A is made.

    Raises
    ------
    NotSupportedError
        If H is singular to working precision.
    """

    def __init__(self, A: Floats, G: Floats, D: Floats, metric: LocalNorm, rounding: Rounding, blocks: int = 1) -> None:
        self.A, self.G, self.D, self._metric, self._blocks = A, G, D, metric, blocks
        H = self._pulled(G)
        H.flat[:: len(H) + 1] += D
        self.H = H
        self._scale = 1.0 / np.sqrt(np.maximum(H.diagonal(), 1e-300))
        both = self._scale[:, None] * self._scale
        self._factor, info = lapack.dpotrf(H * both, lower=1)
        if info:
            raise NotSupportedError(SINGULAR)
        inverse = self._inverted()
        smallest = 1.0 / largest_eigenvalue_bound(inverse)
        if smallest < 1e3 * EPS:
            raise NotSupportedError(SINGULAR)
        self.inverse = inverse * both
        self.smallest = 1.0 / largest_eigenvalue_bound(self.inverse)
        self._row_bound = metric.largest * math.sqrt(self._dominance())
        self._precision = EPS / math.sqrt(smallest)
        ones = slice(rounding.one, None, len(A) // blocks)
        summed = (SUMMING * EPS + rounding.relative) * (np.abs(A).T @ metric.mass)
        summed += 2.0 * rounding.absolute * float(metric.mass[ones].sum())
        self._summing = length(self._scale * summed) / math.sqrt(smallest)
        constant = math.sqrt(float(G[ones, ones].diagonal().max()))
        self._mapped = rounding.relative * np.sqrt(H.diagonal()) + 2.0 * rounding.absolute * constant

    def _pulled(self, matrix: Floats) -> Floats:
        """Return ``A.T @ matrix @ A``."""
        if self._blocks == 1:
            return np.asarray(self.A.T @ (matrix @ self.A))
        n_atoms, n_parameters = (side // self._blocks for side in self.A.shape)
        block = self.A[:n_atoms, :n_parameters]
        half = (matrix.reshape(-1, n_atoms) @ block).reshape(self._blocks, n_atoms, -1)
        return np.asarray((block.T @ half).reshape(self.A.shape[1], -1))

    def _inverted(self) -> Floats:
        # Not dpotri: OpenBLAS puts it on threads however small the matrix, which takes 10,000 times as long on a busy machine.
        root, _ = lapack.dtrtri(self._factor, lower=1)
        return np.asarray(root.T @ root)

    def _dominance(self) -> float:
        """Bound k such that ``A.T @ metric @ A <= k * H``."""
        extra = self._pulled(self._metric.matrix - self.G)
        extra.flat[:: len(extra) + 1] -= self.D
        product = self.inverse @ extra
        squared = float(np.vdot(product, product.T))
        if 0.0 <= squared < 0.09:
            return 1.0 + math.sqrt(squared)
        last = len(self.H) - 1
        top = float(eigh(extra, self.H, eigvals_only=True, subset_by_index=(last, last))[0])
        return max(1e-12, 1.0 + top) * (1.0 + 1e-6)

    def solve(self, gradient: Floats) -> Floats:
        """Return ``H^-1 @ gradient``."""
        solution, _ = lapack.dpotrs(self._factor, self._scale * gradient, lower=1)
        return np.asarray(self._scale * solution)

    def decrement(self, gradient: Floats) -> float:
        """Return ``sqrt(gradient . H^-1 gradient)``."""
        return math.sqrt(max(0.0, float(gradient @ self.solve(gradient))))

    def distance(self, nu: float, moved: float, w: Floats) -> float:
        """Certify the Euclidean distance of `w` to the optimum.

        Parameters
        ----------
        nu : float
            Norm of the gradient at `w`, or a bound on it, in ``H^-1``.
        moved : float
            Bound on how far any row's predictor at `w` is from where H was taken.
        w : ndarray, shape (n_parameters,)
            The point; scales the allowances for rounding, of the solve and of the preprocessing.

        Returns
        -------
        float
            Infinite where nothing can be certified.
        """
        if not moved < 50.0:
            return math.inf
        slack = math.exp(moved / 2)
        solving = 8.0 * self._precision * length(w / self._scale)
        nu = slack * (nu + self._summing + solving + float(self._mapped @ np.abs(w)))
        return slack * distance_to_optimum(nu, slack * self._row_bound) / math.sqrt(self.smallest)


def length(vector: Floats) -> float:
    """Return the Euclidean norm of a short vector."""
    return math.sqrt(float(vector @ vector))


def largest_eigenvalue_bound(P: Floats) -> float:
    """Bound the largest eigenvalue of a positive definite matrix from above.

    By at most the eighth root of its size too much.

    The trace of P^8 is the sum of the eighth powers of the eigenvalues. O(d^3), two products.

    Examples
    --------
    >>> round(largest_eigenvalue_bound(np.diag([1.0, 2.0, 4.0])), 3)
    4.002
    """
    scale = float(np.trace(P))
    fourth = P / scale
    for _ in range(2):
        fourth = fourth @ fourth
    return scale * math.pow(float(np.vdot(fourth, fourth)), 0.125) * (1.0 + 1e-12)
