"""A case's model as fairlearn wants one: label 1 is favourable, and the fit takes weights under one name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from core.case.case import Case
from core.case.objective import linear_estimator

Labels = npt.NDArray[np.int64]


class Favorable(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of the favourable label, 1, against the other, 0.

    Parameters
    ----------
    estimator : estimator
        The model, which keeps the labels it knows.
    labels : tuple
        Its unfavourable and its favourable label.
    before_fit : callable, optional
        Called before every fit; may raise to cancel. Shared by clones and copies, as `estimator` is.
    """

    def __init__(self, estimator: Any, labels: tuple[Any, Any], before_fit: Callable[[], None] | None = None) -> None:
        self.estimator = estimator
        self.labels = labels
        self.before_fit = before_fit

    @classmethod
    def of(cls, case: Case, before_fit: Callable[[], None] | None = None) -> Favorable:
        """Return the case's own model, fitted as it is."""
        good = case.pos_column if case.favorable_is_positive else 1 - case.pos_column
        made = cls(case.model, (case.classes[1 - good], case.classes[good]), before_fit)
        made.estimator_, made.classes_ = case.model, np.array([0, 1])
        return made

    def __sklearn_clone__(self) -> Favorable:
        return Favorable(self.estimator, self.labels, self.before_fit)

    def __deepcopy__(self, memo: Any) -> Favorable:
        return self.__sklearn_clone__()

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Favorable:
        """Fit a clone of the model on its own labels."""
        if self.before_fit is not None:
            self.before_fit()
        options = {} if sample_weight is None else {weight_name(self.estimator): np.asarray(sample_weight)}
        labels = np.where(np.asarray(y) == 1, self.labels[1], self.labels[0])
        self.estimator_ = clone(self.estimator).fit(X, labels, **options)
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X: Any) -> Labels:
        """Return 1 where the model predicts the favourable label."""
        return np.asarray(self.estimator_.predict(X) == self.labels[1], dtype=np.int64)

    def score_method(self) -> str:
        """Return which of the model's methods gives scores."""
        return "predict_proba" if hasattr(self.estimator_, "predict_proba") else "decision_function"

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of 0 and 1."""
        proba = self.estimator_.predict_proba(X)
        return proba if self.estimator_.classes_[1] == self.labels[1] else proba[:, ::-1]

    def decision_function(self, X: Any) -> Any:
        """Return the decision values, high for favourable."""
        values = self.estimator_.decision_function(X)
        return values if self.estimator_.classes_[1] == self.labels[1] else -values


def weight_name(model: Any) -> str:
    """Return what the model's fit calls its weights: a pipeline's belong to its last step."""
    return f"{model.steps[-1][0]}__sample_weight" if isinstance(model, Pipeline) else "sample_weight"


def takes_weights(model: Any) -> bool:
    """Return whether the model can be fitted with weights."""
    return bool(has_fit_parameter(linear_estimator(model), "sample_weight"))
