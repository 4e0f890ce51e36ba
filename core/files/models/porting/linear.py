"""Linear models of earlier releases.

Logistic regression of two classes with ``multi_class="multinomial"`` gave the softmax over (-z, z), which is the usual sigmoid of 2z: as training
it minimised the usual loss at 2w with the penalty of C doubled, so it becomes that model. `penalty` became `l1_ratio`, no penalty an infinite C.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.files.models.building.special import malformed

TWO_BY_SOFTMAX = (
    'The logistic regression of two classes was trained with multi_class="multinomial", which no longer exists: it is opened as the same model '
    "in today's form, with coefficients and C doubled; scores stay what they were, decision values double."
)


def _logistic(made: Any, held: dict[str, Any], release: int) -> tuple[str, ...]:
    kind = held.pop("multi_class", None)
    _penalty(made, held)
    if kind != "multinomial" or "coef_" not in held or len(made.classes_) != 2 or release > 7:
        return ()
    made.coef_, made.intercept_ = made.coef_ * 2.0, made.intercept_ * 2.0
    made.C = made.C * 2.0
    return (TWO_BY_SOFTMAX,)


def _penalty(made: Any, held: dict[str, Any]) -> None:
    penalty = held.get("penalty", "deprecated")
    if penalty in ("none", None):
        made.C = np.inf
    elif penalty == "l1":
        made.l1_ratio = 1.0
    elif penalty == "l2" or (penalty == "deprecated" and held.get("l1_ratio") is None):
        made.l1_ratio = 0.0
    elif penalty not in ("elasticnet", "deprecated"):
        raise malformed("logistic regression has a penalty that there is not")
    if penalty in ("none", None):
        made.l1_ratio = 0.0
    made.penalty = "deprecated"


def _cross_validated(made: Any, held: dict[str, Any], release: int) -> tuple[str, ...]:
    held.pop("multi_class", None)
    if release < 8:
        held.setdefault("use_legacy_attributes", True)
        if held.get("penalty") in ("l1", "l2"):
            made.l1_ratios = (1.0,) if made.penalty == "l1" else (0.0,)
    return ()


def _ridge(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    held.pop("normalize", None)
    held.pop("_normalize", None)
    if held.get("store_cv_results", False) is None or "store_cv_values" in held:
        made.store_cv_results = held.pop("store_cv_values", False) is True
    if "classes_" not in held and (binarizer := held.get("_label_binarizer")) is not None:
        made.classes_ = binarizer.classes_
    return ()


def _by_gradient(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    held.pop("loss_function_", None)
    held.pop("C", None)
    if held.get("loss") == "log":
        made.loss = "log_loss"
    if held.get("eta0") == 0.0 and held.get("learning_rate") == "optimal":
        made.eta0 = 0.01  # not looked at with this learning rate, and no longer allowed to be 0
    if "coef_" in held:
        made._loss_function_ = made._get_loss_function(made.loss)
    return ()


RULES = {
    "LogisticRegression": _logistic,
    "LogisticRegressionCV": _cross_validated,
    "RidgeClassifier": _ridge,
    "RidgeClassifierCV": _ridge,
    "SGDClassifier": _by_gradient,
    "Perceptron": _by_gradient,
}
