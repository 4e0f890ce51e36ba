"""A case's model as fairlearn wants one.

Label 1 is favourable, and the fit takes weights under one name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from core.case.case import Case
from core.case.scoring import final_estimator, positive_scores
from core.mitigation.fits import Fits
from core.typing import Longs


class Favorable(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of the favourable label, 1, against what is not, 0.

    Parameters
    ----------
    estimator : estimator
        The model, which keeps the labels it knows; of more than two, it is trained on whether they are favourable.
    labels : tuple
        What it is trained on in the place of 0 and 1.
    fits : Fits, optional
        Counts the fits, and may give a model in the place of a new one. Shared by clones and copies, as `estimator` is.
    """

    def __init__(self, estimator: Any, labels: tuple[Any, Any], fits: Fits | None = None) -> None:
        self.estimator = estimator
        self.labels = labels
        self.fits = fits

    @classmethod
    def of(cls, case: Case, fits: Fits | None = None) -> Favorable:
        """Return the case's own model, fitted as it is."""
        good = case.pos_column if case.favorable_is_positive else 1 - case.pos_column
        binary = len(case.classes) == 2
        made = cls(case.model, (case.classes[1 - good], case.classes[good]) if binary else (0, 1), fits)
        made.estimator_, made.label_, made.classes_ = case.model, case.classes[good], np.array([0, 1])
        return made

    def __sklearn_clone__(self) -> Favorable:
        return Favorable(self.estimator, self.labels, self.fits)

    def __deepcopy__(self, memo: Any) -> Favorable:
        return self.__sklearn_clone__()

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Favorable:
        """Fit a clone of the model on its own labels, or take one fitted before.

        The latter where `fits` has it so.
        """
        self.label_, self.classes_ = self.labels[1], np.array([0, 1])
        known = None if self.fits is None else self.fits.instead(X)
        if known is not None:
            self.estimator_ = known
            return self
        options = {} if sample_weight is None else {weight_name(self.estimator): np.asarray(sample_weight)}
        labels = np.where(np.asarray(y) == 1, self.labels[1], self.labels[0])
        self.estimator_ = clone(self.estimator).fit(X, labels, **options)
        if self.fits is not None:
            self.fits.trained.append(self.estimator_)
        return self

    def predict(self, X: Any) -> Longs:
        """Return 1 where the model predicts the favourable label."""
        said = self._says(self.estimator_, X) if self.fits is None else self.fits.said(self.estimator_, X, self._says)
        return np.asarray(said, dtype=np.int64)

    def _says(self, model: Any, X: Any) -> npt.NDArray[np.bool_]:
        return np.asarray(model.predict(X) == self.label_, dtype=bool)

    def score_method(self) -> str:
        """Return which of the model's methods gives scores."""
        return "predict_proba" if hasattr(self.estimator_, "predict_proba") else "decision_function"

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of 0 and 1."""
        favorable = self._scores(X)
        return np.column_stack([1.0 - favorable, favorable])

    def decision_function(self, X: Any) -> Any:
        """Return the decision values, high for favourable."""
        return self._scores(X)

    def _scores(self, X: Any) -> npt.NDArray[np.float64]:
        return positive_scores(self.estimator_, X, list(self.estimator_.classes_).index(self.label_))


def weight_name(model: Any) -> str:
    """Return what the model's fit calls its weights: a pipeline's belong to its last step."""
    return f"{model.steps[-1][0]}__sample_weight" if isinstance(model, Pipeline) else "sample_weight"


def takes_weights(model: Any) -> bool:
    """Return whether the model can be fitted with weights."""
    return bool(has_fit_parameter(final_estimator(model), "sample_weight"))
