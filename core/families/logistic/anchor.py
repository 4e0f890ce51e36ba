"""The point a removal steps from.

Gradient and Hessian of the loss over the retained rows, kept by subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.numerics.linear.logistic import gradient_block, hessian_block, largest_norm_block, sigmoid
from core.typing import Bools, Codes, Floats, Positions
from core.unlearning.threads import on_threads, spans


@dataclass(frozen=True, eq=False)
class LogisticRows:
    """The training rows as the loss of two classes sees them.

    Shared by all cases made from one another.

    Parameters
    ----------
    Z : ndarray, shape (n_train, n_atoms)
        Atoms.
    y : ndarray of int, shape (n_train,)
        Class of every row, 0 or 1.
    weight : ndarray, shape (n_train,)
        Sample weights, with fixed class weights folded in.
    part : ndarray of int, shape (n_train,)
        The sum each row belongs to: its class if class weights follow the counts, else 0.
    n_parts : int
        1, or the number of classes.
    """

    Z: Floats
    y: Codes
    weight: Floats
    part: Codes
    n_parts: int

    def predictors(self, Z: Floats, u: Floats) -> Floats:
        """Return the linear predictors of rows given as atoms, for coefficients `u` of atoms."""
        return np.asarray(Z @ u)

    def scores(self, eta: Floats, column: int) -> Floats:
        """Return the probability of class number `column` at predictors `eta`."""
        return sigmoid(eta if column == 1 else -eta)

    def slope(self, Z: Floats, eta: Floats, by_log_odds: Floats, column: int) -> Floats:  # noqa: ARG002
        """Return the derivative of what follows the log-odds of class number `column`.

        By coefficients of atoms, over some rows.
        """
        return (1.0 if column == 1 else -1.0) * (by_log_odds @ Z)

    def movement(self, step: Floats) -> float:
        """Return the largest move of any row's predictor for a step over atoms. One pass."""
        return float(np.abs(self.Z @ step).max())

    def largest(self, factor: Floats, retained: Bools) -> float:
        """Return the largest move of any retained row's predictor for a step of length 1.

        The length is taken in the norm of factor @ factor.T.
        """
        Z = self.Z if retained.all() else self.Z[retained]
        norms: list[float] = on_threads(largest_norm_block, [(Z, factor, *span) for span in spans(len(Z))])
        return max(norms)

    def by_coefficient(self, mass: Floats) -> Floats:
        """Return a bound on the sum of rows' absolute residuals times atoms, by coefficient.

        It comes from the weighted sum of atoms.
        """
        return mass

    def gradient(self, u: Floats, retained: Bools, anchor: Floats) -> tuple[Floats, float]:
        """Return the loss gradient at `u` by part, and the largest distance to `anchor`.

        That is of a retained row's predictor. One pass.
        """
        weight = self.weight * retained
        work = [(self.Z, u, self.y, weight, self.part, anchor, *span, self.n_parts) for span in spans(len(weight))]
        done = on_threads(gradient_block, work)
        total = sum(partial.astype(np.longdouble).sum(axis=0) for partial, _ in done)
        return np.asarray(total, dtype=np.float64), max(moved for _, moved in done)

    def hessian(self, eta: Floats, retained: Bools) -> Floats:
        """Return the loss Hessian at predictors `eta` by part, shape (n_parts, n_atoms, n_atoms).

        One pass.
        """
        p = sigmoid(eta)
        curvature = self.weight * retained * p * (1.0 - p)
        parts = []
        for part in range(self.n_parts):
            own = curvature if self.n_parts == 1 else curvature * (self.part == part)
            parts.append(sum(on_threads(hessian_block, [(self.Z, own, *span) for span in spans(len(eta))])))
        return np.array(parts)

    def terms(self, positions: Positions, u: Floats, eta: Floats, sign: float) -> tuple[Floats, Floats]:
        """Return what some rows add to the gradient at `u` and to the Hessian at `eta`, by part.

        Both are multiplied by `sign`; `eta` are predictors.
        """
        Z, y, weight = self.Z[positions], self.y[positions], self.weight[positions]
        p = sigmoid(eta[positions])
        curvature = sign * weight * p * (1.0 - p)
        residual = sign * weight * (sigmoid(Z @ u) - y)
        gradients, hessians = [], []
        for part in range(self.n_parts):
            own = Z if self.n_parts == 1 else Z * (self.part[positions] == part)[:, None]
            gradients.append(residual @ own)
            hessians.append((own.T * curvature) @ own)
        return np.array(gradients), np.array(hessians)


@dataclass(frozen=True, eq=False)
class Anchor:
    """Gradient at one point and Hessian at a nearby one, over the retained rows.

    Parameters
    ----------
    u : ndarray, shape (n,)
        Where the gradient was taken, in coefficients of atoms: one for each atom, or for each contrast of classes and atom.
    gradient : ndarray, shape (n_parts, n)
        Exact gradient of the loss at `u`.
    eta : ndarray, shape (n_train,) or (n_train, n_classes)
        Predictors where the Hessian was taken.
    hessian : ndarray, shape (n_parts, n, n)
        Hessian of the loss at `eta`.
    moved : float
        Largest distance of a retained row's predictor at `u` to `eta`; of several classes', the range of their moves.
    """

    u: Floats
    gradient: Floats
    eta: Floats
    hessian: Floats
    moved: float

    @classmethod
    def at(cls, rows: LogisticRows, u: Floats, retained: Bools) -> Anchor:
        """Take gradient and Hessian at `u`: two passes."""
        eta = rows.predictors(rows.Z, u)
        eta.flags.writeable = False
        gradient, _ = rows.gradient(u, retained, eta)
        return cls(u, gradient, eta, rows.hessian(eta, retained), 0.0)

    def without(self, rows: LogisticRows, positions: Positions) -> Anchor:
        """Take the rows at `positions` out of both sums: O(k n_atoms^2), no pass."""
        return self._with(rows, positions, -1.0)

    def changed(self, rows: LogisticRows, other: LogisticRows, positions: Positions) -> Anchor:
        """Put the labels and weights of `other` in the place of the rows' own at `positions`.

        O(k n_atoms^2), no pass.
        """
        return self._with(rows, positions, -1.0)._with(other, positions, 1.0)

    def _with(self, rows: LogisticRows, positions: Positions, sign: float) -> Anchor:
        gradient, hessian = rows.terms(positions, self.u, self.eta, sign)
        return Anchor(self.u, self.gradient + gradient, self.eta, self.hessian + hessian, self.moved)

    def moved_to(self, rows: LogisticRows, u: Floats, retained: Bools) -> Anchor:
        """Take the gradient at `u` and keep the Hessian: one pass."""
        gradient, moved = rows.gradient(u, retained, self.eta)
        return replace(self, u=u, gradient=gradient, moved=moved)
