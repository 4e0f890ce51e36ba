"""Where a model's own `predict` draws the line: what a case without a threshold decides by."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, NuSVC

from core.errors import InputError
from core.typing import Bools, Codes


class OwnCut(NamedTuple):
    """A cut on the score of one class.

    Parameters
    ----------
    at : float
    ties_positive : bool
        Whether a score equal to it is decided as the class.
    """

    at: float
    ties_positive: bool


def response_of(model: Any) -> str:
    """Return which response `predict` goes by: "probability" or "decision".

    A FixedThresholdClassifier names its response; a support vector machine decides by its margin even where it gives probabilities.
    """
    final = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if isinstance(final, FixedThresholdClassifier | TunedThresholdClassifierCV):
        named = final._get_response_method()
        asked = [named] if isinstance(named, str) else named
        return next((_KINDS[name] for name in asked if hasattr(final, name)), "decision")
    if isinstance(final, SVC | NuSVC) or not hasattr(model, "predict_proba"):
        return "decision"
    return "probability"


_KINDS = {"predict_proba": "probability", "decision_function": "decision"}


def own_cut(model: Any, column: int) -> OwnCut:
    """Return where `model.predict` begins to decide for class number `column`.

    It is on the response that the model goes by.

    Parameters
    ----------
    model : estimator
        Fitted, or a pipeline.
    column : int
        Index into its classes.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = FixedThresholdClassifier(LogisticRegression(), threshold=0.3).fit([[0.0], [1.0]], [0, 1])
    >>> own_cut(model, 1), own_cut(model, 0)
    (OwnCut(at=0.3, ties_positive=True), OwnCut(at=0.7, ties_positive=False))
    """
    final = model.steps[-1][1] if isinstance(model, Pipeline) else model
    probability = response_of(model) == "probability"
    usual = 0.5 if probability else 0.0
    if not isinstance(final, FixedThresholdClassifier | TunedThresholdClassifierCV):
        return OwnCut(usual, column == 0)
    given = final.best_threshold_ if isinstance(final, TunedThresholdClassifierCV) else final.threshold
    at = usual if isinstance(given, str) else float(given)
    label = getattr(final, "pos_label", None)
    chosen = 1 if label is None else int(np.flatnonzero(np.asarray(final.classes_) == label)[0])
    if column == chosen:
        return OwnCut(at, ties_positive=True)
    return OwnCut(1.0 - at if probability else -at, ties_positive=False)


def check_decisions(model: Any, predicted: Codes, decided: Bools, column: int) -> None:
    """Raise unless the decisions of a case without a threshold are those of `model.predict`.

    They have to be the same row for row.

    Parameters
    ----------
    model : estimator
    predicted : ndarray of int, shape (n_rows,)
        What `predict` gives, as indices into the classes.
    decided : ndarray of bool, shape (n_rows,)
        Which rows the case decides as class number `column`.
    column : int

    Raises
    ------
    InputError
        If a row differs.
    """
    differ = int(np.count_nonzero((predicted == column) != decided))
    if differ:
        raise InputError(
            f"Without a threshold the decisions must be those of the model's own predict. {type(model).__name__} decides {differ:,} of "
            f"{len(decided):,} test rows otherwise than its scores do; give a threshold as a number, or use the estimator inside it."
        )
