"""The point a removal steps from: gradient and Hessian of the loss over the retained rows, kept by subtraction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.numerics.logistic import gradient_block, hessian_block, sigmoid
from core.unlearning.threads import on_threads, spans

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Rows:
    """The training rows as the loss sees them; shared by all cases made from one another.

    Parameters
    ----------
    Z : ndarray, shape (n_train, n_atoms)
        Atoms.
    y : ndarray of uint8, shape (n_train,)
        1 for the second class.
    weight : ndarray, shape (n_train,)
        Sample weights, with fixed class weights folded in.
    part : ndarray of uint8, shape (n_train,)
        The sum each row belongs to: its class if class weights follow the counts, else 0.
    n_parts : int
        1 or 2.
    """

    Z: Floats
    y: Bytes
    weight: Floats
    part: Bytes
    n_parts: int

    def gradient(self, u: Floats, retained: Bools, anchor: Floats) -> tuple[Floats, float]:
        """Return the loss gradient at `u` by part, and the largest distance of a retained row's predictor to `anchor`. One pass."""
        weight = self.weight * retained
        work = [(self.Z, u, self.y, weight, self.part, anchor, *span, self.n_parts) for span in spans(len(weight))]
        done = on_threads(gradient_block, work)
        total = sum(partial.astype(np.longdouble).sum(axis=0) for partial, _ in done)
        return np.asarray(total, dtype=np.float64), max(moved for _, moved in done)

    def hessian(self, eta: Floats, retained: Bools) -> Floats:
        """Return the loss Hessian at predictors `eta` by part, shape (n_parts, n_atoms, n_atoms). One pass."""
        p = sigmoid(eta)
        curvature = self.weight * retained * p * (1.0 - p)
        parts = []
        for part in range(self.n_parts):
            own = curvature if self.n_parts == 1 else curvature * (self.part == part)
            parts.append(sum(on_threads(hessian_block, [(self.Z, own, *span) for span in spans(len(eta))])))
        return np.array(parts)


@dataclass(frozen=True, eq=False)
class Anchor:
    """Gradient at one point and Hessian at a nearby one, over the retained rows.

    Parameters
    ----------
    u : ndarray, shape (n_atoms,)
        Where the gradient was taken, in coefficients of atoms.
    gradient : ndarray, shape (n_parts, n_atoms)
        Exact gradient of the loss at `u`.
    eta : ndarray, shape (n_train,)
        Predictors where the Hessian was taken.
    hessian : ndarray, shape (n_parts, n_atoms, n_atoms)
        Hessian of the loss at `eta`.
    moved : float
        Largest distance of a retained row's predictor at `u` to `eta`.
    """

    u: Floats
    gradient: Floats
    eta: Floats
    hessian: Floats
    moved: float

    @classmethod
    def at(cls, rows: Rows, u: Floats, retained: Bools) -> Anchor:
        """Take gradient and Hessian at `u`: two passes."""
        eta = rows.Z @ u
        eta.flags.writeable = False
        gradient, _ = rows.gradient(u, retained, eta)
        return cls(u, gradient, eta, rows.hessian(eta, retained), 0.0)

    def without(self, rows: Rows, positions: npt.NDArray[np.intp]) -> Anchor:
        """Take the rows at `positions` out of both sums: O(k n_atoms^2), no pass."""
        return self._with(rows, positions, -1.0)

    def changed(self, rows: Rows, other: Rows, positions: npt.NDArray[np.intp]) -> Anchor:
        """Put the labels and weights of `other` in the place of the rows' own at `positions`: O(k n_atoms^2), no pass."""
        return self._with(rows, positions, -1.0)._with(other, positions, 1.0)

    def _with(self, rows: Rows, positions: npt.NDArray[np.intp], sign: float) -> Anchor:
        Z, y, weight = rows.Z[positions], rows.y[positions], rows.weight[positions]
        p = sigmoid(self.eta[positions])
        curvature = sign * weight * p * (1.0 - p)
        residual = sign * weight * (sigmoid(Z @ self.u) - y)
        gradient, hessian = self.gradient.copy(), self.hessian.copy()
        for part in range(rows.n_parts):
            own = Z if rows.n_parts == 1 else Z * (rows.part[positions] == part)[:, None]
            gradient[part] += residual @ own
            hessian[part] += (own.T * curvature) @ own
        return Anchor(self.u, gradient, self.eta, hessian, self.moved)

    def moved_to(self, rows: Rows, u: Floats, retained: Bools) -> Anchor:
        """Take the gradient at `u` and keep the Hessian: one pass."""
        gradient, moved = rows.gradient(u, retained, self.eta)
        return replace(self, u=u, gradient=gradient, moved=moved)
