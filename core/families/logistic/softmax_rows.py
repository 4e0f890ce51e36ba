"""The training rows as the loss of more than two classes sees them.

Coefficients are those of orthonormal contrasts between classes (`core.numerics.linear.softmax.contrasts`), one contrast after the other: the
common shift of all classes, which the loss does not see, is no parameter. The penalty and Euclidean distances are those of the
classes' own coefficients where these sum to 0 over the classes, as scikit-learn's solvers leave them, intercepts included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from core.families.logistic.anchor import LogisticRows
from core.numerics.linear.softmax import (
    contrasts,
    curvatures,
    largest_range,
    log_odds_shares,
    products,
    softmax_gradient_block,
    softmax_hessian_block,
)
from core.typing import Bools, Floats, Positions
from core.unlearning.threads import on_threads, spans


@dataclass(frozen=True, eq=False)
class SoftmaxRows(LogisticRows):
    """Rows of more than two classes; predictors have a column for each class.

    Parameters
    ----------
    n_classes : int
    """

    n_classes: int

    @property
    def Q(self) -> Floats:
        """Contrasts between the classes, shape (n_classes, n_classes - 1)."""
        return contrasts(self.n_classes)

    def by_class(self, u: Floats) -> Floats:
        """Return the coefficients of every class from those of the contrasts.

        The shape is (n_classes, n_atoms).
        """
        return np.ascontiguousarray(self.Q @ u.reshape(self.n_classes - 1, -1))

    def predictors(self, Z: Floats, u: Floats) -> Floats:
        """Return the predictors of all classes for rows given as atoms, shape (n_rows, n_classes)."""
        return np.asarray(Z @ self.by_class(u).T)

    def scores(self, eta: Floats, column: int) -> Floats:
        """Return the probability of class number `column` at predictors `eta`."""
        return np.asarray(softmax(eta, axis=1)[:, column])

    def slope(self, Z: Floats, eta: Floats, by_log_odds: Floats, column: int) -> Floats:
        """Return the derivative of what follows a class's log-odds against all others.

        By coefficients of atoms, over some rows.
        """
        by_class = by_log_odds[:, None] * log_odds_shares(softmax(eta, axis=1), column)
        return np.asarray(((by_class @ self.Q).T @ Z).ravel())

    def residuals(self, eta: Floats, at: Positions | slice) -> Floats:
        """Return the derivative of the weighted loss of the rows `at` by their predictors.

        By the contrasts of these, which are `eta`.
        """
        P = softmax(eta, axis=1)
        P[np.arange(len(P)), self.y[at]] -= 1.0
        return np.asarray(self.weight[at][:, None] * (P @ self.Q))

    def movement(self, step: Floats) -> float:
        """Return how far apart any row's classes move for a step over atoms. One pass."""
        return float(np.ptp(self.predictors(self.Z, step), axis=1).max())

    def largest(self, factor: Floats, retained: Bools) -> float:
        """Return how far apart any retained row's classes move for a step of length 1.

        The length is taken in the norm of factor @ factor.T.
        """
        return largest_range(self.Z if retained.all() else self.Z[retained], factor, self.Q)

    def by_coefficient(self, mass: Floats) -> Floats:
        """Return a bound on the sum of rows' absolute residuals times atoms, by coefficient.

        It comes from the weighted sum of atoms.
        """
        return 2.0 * np.tile(mass, self.n_classes - 1)

    def gradient(self, u: Floats, retained: Bools, anchor: Floats) -> tuple[Floats, float]:
        """Return the loss gradient at `u` by part, and how far classes moved from `anchor`.

        They moved apart, in some retained row. One pass.
        """
        weight, U = self.weight * retained, self.by_class(u)
        work = [(self.Z, U, self.y, weight, self.part, anchor, *span, self.n_parts) for span in spans(len(weight))]
        done = on_threads(softmax_gradient_block, work)
        total = sum(partial.astype(np.longdouble).sum(axis=0) for partial, _ in done)
        by_class = np.asarray(total, dtype=np.float64)
        return np.stack([(self.Q.T @ one).ravel() for one in by_class]), max(moved for _, moved in done)

    def hessian(self, eta: Floats, retained: Bools) -> Floats:
        """Return the loss Hessian at predictors `eta` by part, shape (n_parts, n, n). One pass."""
        weight, parts = self.weight * retained, []
        for part in range(self.n_parts):
            own = weight if self.n_parts == 1 else weight * (self.part == part)
            work = [(self.Z, eta, self.Q, own, *span) for span in spans(len(eta))]
            parts.append(sum(on_threads(softmax_hessian_block, work)))
        return np.array(parts)

    def terms(self, positions: Positions, u: Floats, eta: Floats, sign: float) -> tuple[Floats, Floats]:
        """Return what some rows add to the gradient at `u` and to the Hessian at `eta`, by part.

        Both are multiplied by `sign`; `eta` are predictors.
        """
        Z, part = self.Z[positions], self.part[positions]
        residual = sign * self.residuals(self.predictors(Z, u), positions)
        P, weight = softmax(eta[positions], axis=1), sign * self.weight[positions]
        gradients, hessians = [], []
        for one in range(self.n_parts):
            own = np.ones(len(part), dtype=bool) if self.n_parts == 1 else part == one
            gradients.append((residual[own].T @ Z[own]).ravel())
            hessians.append(products(Z[own], self.n_classes - 1, curvatures(P[own], self.Q, weight[own])))
        return np.array(gradients), np.array(hessians)
