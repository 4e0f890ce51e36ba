"""The objective that a fitted LogisticRegression minimises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from core.case.scoring import final_estimator
from core.errors import NotSupportedError
from core.numerics.linear.softmax import contrasts
from core.typing import Floats
from core.words import with_article

MOST_ENTRIES = 1_000_000
"""Of the Hessian of a model of more than two classes, which every version of a case keeps and every removal factors."""


@dataclass(frozen=True)
class LogisticObjective:
    """The penalised logistic loss: every term's loss, plus penalties on coefficients.

    It is ``sum_i s_i * loss_i(w) + 0.5 * (penalty * ||coef||^2 + intercept_penalty * intercept^2)``.

    With more than two classes the loss is multinomial, and w holds contrasts between classes in the place of the classes' own
    coefficients, which the loss knows only up to a common shift: orthonormal ones, so that the penalty is the same.

    Parameters
    ----------
    penalty : float
        1 / C; 0 without a penalty.
    fit_intercept : bool
        Whether there is an intercept.
    intercept_penalty : float
        0 but for liblinear, which penalises ``intercept / intercept_scaling`` too.
    class_weight : None, "balanced" or tuple of float
        Weights of the classes.
    n_classes : int
    """

    penalty: float
    fit_intercept: bool
    intercept_penalty: float
    class_weight: str | tuple[float, ...] | None
    n_classes: int = 2

    @property
    def n_predictors(self) -> int:
        """How many coefficients w holds for each feature.

        1, or one for each contrast of more than two classes.
        """
        return self.n_classes - 1

    def diagonal(self, n_features: int) -> Floats:
        """Return the penalty of every entry of w, shape (n_predictors * (n_features [+ 1]),)."""
        weights = np.full(n_features + self.fit_intercept, self.penalty)
        if self.fit_intercept:
            weights[-1] = self.intercept_penalty
        return np.tile(weights, self.n_predictors)

    def class_weights(self, totals: Floats) -> Floats:
        """Return the weights of the classes, given the total sample weight of each.

        The shape is (n_classes,).
        """
        if self.class_weight == "balanced":
            return np.asarray(totals.sum() / (float(self.n_classes) * totals))
        return np.ones(self.n_classes) if self.class_weight is None else np.array(self.class_weight, dtype=np.float64)


def logistic_objective(model: Any) -> LogisticObjective:
    """Return the objective of a fitted LogisticRegression, bare or at the end of a pipeline.

    Raises
    ------
    NotSupportedError
        If the model is of another kind, has an L1 part, was fitted in single precision, or has more than two classes and these were
        fitted one against the rest or have too many coefficients.
    """
    estimator = final_estimator(model)
    if type(estimator) is not LogisticRegression:
        raise NotSupportedError(f"the model is not a LogisticRegression but {with_article(type(estimator).__name__)}")
    if estimator.penalty in ("l1", "elasticnet") or (estimator.l1_ratio and estimator.penalty != "l2"):
        raise NotSupportedError("the penalty has an L1 part")
    if estimator.coef_.dtype != np.float64:
        raise NotSupportedError("the model was fitted in single precision")
    if len(estimator.classes_) > 2:
        _check_multinomial(estimator)
    penalty = 0.0 if estimator.penalty is None or not np.isfinite(estimator.C) else 1.0 / estimator.C
    own = penalty / estimator.intercept_scaling**2 if estimator.solver == "liblinear" else 0.0
    weights = _class_weight(estimator)
    return LogisticObjective(penalty, bool(estimator.fit_intercept), own, weights, len(estimator.classes_))


def _check_multinomial(estimator: LogisticRegression) -> None:
    """Raise unless more than two classes share one loss, and its Hessian can be kept.

    One for each where their weights are balanced.
    """
    n_classes, each = len(estimator.classes_), estimator.coef_.shape[1] + bool(estimator.fit_intercept)
    entries = ((n_classes - 1) * each) ** 2 * (n_classes if estimator.class_weight == "balanced" else 1)
    if estimator.solver == "liblinear" or getattr(estimator, "multi_class", None) == "ovr":
        raise NotSupportedError("its classes were fitted one against the rest")
    if entries > MOST_ENTRIES:
        raise NotSupportedError(
            f"the Hessian of {n_classes} classes with {each:,} coefficients each has {entries:,} entries, and at most {MOST_ENTRIES:,} "
            "are kept and factored"
        )


def _class_weight(estimator: LogisticRegression) -> str | tuple[float, ...] | None:
    given = estimator.class_weight
    if given is None or given == "balanced":
        return given  # type: ignore[no-any-return]
    return tuple(float(given.get(label, 1.0)) for label in estimator.classes_)


def coefficients(model: Any) -> Floats:
    """Return coefficients and, if there is one, the intercept, shape (n_features [+ 1],).

    With more than two classes: their contrasts, one after the other, each as long; a common shift of all classes leaves them as they are.
    """
    estimator = final_estimator(model)
    if len(estimator.classes_) > 2:
        return (contrasts(len(estimator.classes_)).T @ by_class(estimator)).ravel()
    coef = np.asarray(estimator.coef_[0], dtype=np.float64)
    return np.append(coef, estimator.intercept_[0]) if estimator.fit_intercept else coef


def by_class(estimator: LogisticRegression) -> Floats:
    """Return coefficients and the intercept, if any, of each of more than two classes.

    The shape is (n_classes, n_features [+ 1]).
    """
    coef = np.asarray(estimator.coef_, dtype=np.float64)
    return np.column_stack([coef, estimator.intercept_]) if estimator.fit_intercept else coef
