"""The objective that a fitted binary LogisticRegression minimises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from core.errors import NotSupportedError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LogisticObjective:
    """``sum_i s_i * loss_i(w) + 0.5 * (penalty * ||coef||^2 + intercept_penalty * intercept^2)``.

    Parameters
    ----------
    penalty : float
        1 / C; 0 without a penalty.
    fit_intercept : bool
        Whether there is an intercept.
    intercept_penalty : float
        0 but for liblinear, which penalises ``intercept / intercept_scaling`` too.
    class_weight : None, "balanced" or tuple of float
        Weights of the two classes.
    """

    penalty: float
    fit_intercept: bool
    intercept_penalty: float
    class_weight: str | tuple[float, float] | None

    def diagonal(self, n_features: int) -> Floats:
        """Return the penalty of every coefficient, and of the intercept if there is one, shape (n_features [+ 1],)."""
        weights = np.full(n_features + self.fit_intercept, self.penalty)
        if self.fit_intercept:
            weights[-1] = self.intercept_penalty
        return weights

    def class_weights(self, totals: Floats) -> Floats:
        """Return the weights of the two classes, given the total sample weight of each, shape (2,)."""
        if self.class_weight == "balanced":
            return np.asarray(totals.sum() / (2.0 * totals))
        return np.array([1.0, 1.0] if self.class_weight is None else self.class_weight, dtype=np.float64)


def linear_estimator(model: Any) -> Any:
    """Return the last estimator of a pipeline, or the model itself."""
    return model.steps[-1][1] if isinstance(model, Pipeline) else model


def logistic_objective(model: Any) -> LogisticObjective:
    """Return the objective of a fitted LogisticRegression, bare or at the end of a pipeline.

    Raises
    ------
    NotSupportedError
        If the model is of another kind, multinomial, has an L1 part, or was fitted in single precision.
    """
    estimator = linear_estimator(model)
    if type(estimator) is not LogisticRegression:
        raise NotSupportedError(f"the model is not a LogisticRegression but a {type(estimator).__name__}")
    if len(estimator.classes_) != 2:
        raise NotSupportedError(f"the model has {len(estimator.classes_)} classes, not two")
    if estimator.penalty in ("l1", "elasticnet") or (estimator.l1_ratio and estimator.penalty != "l2"):
        raise NotSupportedError("the penalty has an L1 part")
    if estimator.coef_.dtype != np.float64:
        raise NotSupportedError("the model was fitted in single precision")
    penalty = 0.0 if estimator.penalty is None or not np.isfinite(estimator.C) else 1.0 / estimator.C
    own = penalty / estimator.intercept_scaling**2 if estimator.solver == "liblinear" else 0.0
    return LogisticObjective(penalty, bool(estimator.fit_intercept), own, _class_weight(estimator))


def _class_weight(estimator: LogisticRegression) -> str | tuple[float, float] | None:
    given = estimator.class_weight
    if given is None or given == "balanced":
        return given  # type: ignore[no-any-return]
    first, second = (float(given.get(label, 1.0)) for label in estimator.classes_)
    return first, second


def coefficients(model: Any) -> Floats:
    """Return coefficients and, if there is one, the intercept, shape (n_features [+ 1],)."""
    estimator = linear_estimator(model)
    coef = np.asarray(estimator.coef_[0], dtype=np.float64)
    return np.append(coef, estimator.intercept_[0]) if estimator.fit_intercept else coef
