"""The optimum of logistic regression.

scikit-learn nearly reaches it, plain Newton steps on all coefficients do the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.case.group_thresholds import decides_by_group, scorer
from core.case.scoring import final_estimator, reals
from core.numerics.linear.softmax import contrasts
from core.typing import Bools, Floats
from core.unlearning.base import model_input
from core.unlearning.linear.objective import by_class, coefficients, logistic_objective
from core.unlearning.oracle import Oracle
from core.unlearning.refit import fit_again

STEPS = 3


class LogisticOracle(Oracle):
    """Training again to the optimum."""

    def untrained(self, model: Any) -> Any:
        """Return an unfitted clone whose solver stops at rounding."""
        model = clone(model)
        estimator = final_estimator(model.estimator if decides_by_group(model) else model)
        if type(estimator) is LogisticRegression:
            liblinear = {"tol": 1e-14, "max_iter": 1_000_000}
            others = {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 1000}
            estimator.set_params(**(liblinear if estimator.solver == "liblinear" else others))
        return model

    def parameters(self, model: Any) -> Floats:
        """Return coefficients and intercept, of all classes where there are more than two."""
        return coefficients(scorer(model))

    def optimum(self, case: Case, retained: Bools) -> Floats:
        """Return the coefficients that training again ends at."""
        model, _ = fit_again(case, retained, self.untrained(case.model))
        return polished(case, retained, model)


def polished(case: Case, retained: Bools, model: object) -> Floats:
    """Return the parameters of a fitted logistic regression after three plain Newton steps.

    liblinear stops a millionth short.

    Parameters
    ----------
    case : Case
        Gives the table and the weights.
    retained : ndarray of bool, shape (n_train,)
        The rows it was fitted on.
    model : estimator
        Fitted on them.

    Returns
    -------
    ndarray
        As `core.unlearning.linear.objective.coefficients` gives them.
    """
    table, model = model_input(case, retained), scorer(model)
    X = reals(model[:-1].transform(table) if isinstance(model, Pipeline) else table)
    objective = logistic_objective(model)
    penalty = objective.diagonal(X.shape[1])
    X = np.column_stack([X, np.ones(len(X))]) if objective.fit_intercept else X
    y = case.train_codes[retained]
    weight = np.ones(len(y)) if case.train_weight is None else case.train_weight[retained]
    totals: Floats = np.bincount(y, weights=weight, minlength=objective.n_classes).astype(np.float64)
    weight = weight * objective.class_weights(totals)[y]
    if objective.n_classes > 2:
        W = by_class(final_estimator(model))
        for _ in range(STEPS):
            W = _step(W, X, y, weight, penalty[: X.shape[1]])
        return (contrasts(len(W)).T @ W).ravel()
    w = coefficients(model)
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-(X @ w)))
        H = (X * (weight * p * (1.0 - p))[:, None]).T @ X + np.diag(penalty)
        w = w - np.linalg.solve(H, X.T @ (weight * (p - y)) + penalty * w)
    return w


def _step(W: Floats, X: Floats, y: npt.NDArray[np.intp], weight: Floats, penalty: Floats) -> Floats:
    """Take the shortest Newton step on the coefficients of all classes.

    The loss does not see a shift that they have in common.
    """
    P = softmax(X @ W.T, axis=1)
    residual = P.copy()
    residual[np.arange(len(y)), y] -= 1.0
    gradient = (weight[:, None] * residual).T @ X + penalty * W
    H = np.empty((*W.shape, *W.shape))
    for k in range(len(W)):
        for other in range(len(W)):
            bend = weight * P[:, k] * (float(k == other) - P[:, other])
            H[k, :, other, :] = (X * bend[:, None]).T @ X + (k == other) * np.diag(penalty)
    step = np.linalg.lstsq(H.reshape(W.size, W.size), gradient.ravel(), rcond=None)[0]
    return np.asarray(W - step.reshape(W.shape))
