"""SHAP values of gradient boosting, following the trees' own record counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

from core.attribution.explainer import CENTRED, Explained, Explainer
from core.attribution.tree_values import by_trees
from core.case.case import Case
from core.case.scoring import final_estimator
from core.typing import Floats
from core.unlearning.preprocessing.steps import shallow


class StageReasons(Explainer):
    """Values of `shap.TreeExplainer`.

    With more than two classes, those of `pos_label` less the mean of all classes'.
    """

    def explain(
        self,
        case: Case,
        rows: Floats,
        background: Callable[[], Floats],  # noqa: ARG002
        report: Callable[[float, str], None],
    ) -> Explained:
        """Return values that add up to log-odds, or to centred log-ratios of more classes."""
        estimator = final_estimator(case.model)
        if len(case.classes) > 2:
            return Explained(*_centred(estimator, rows, case.pos_column, report), CENTRED)
        values, base = by_trees([estimator], rows, report)
        sign = 1.0 if case.pos_column == 1 else -1.0
        return Explained(sign * values, sign * float(base[0]), "log-odds")


def _centred(
    estimator: Any, rows: Floats, explained: int, report: Callable[[float, str], None]
) -> tuple[Floats, float]:
    """Return values and base value of one class's log-probability less all classes' mean.

    For boosting with more than two classes.

    A class's trees are explained as a model of their own; all classes are, so that what moves them alike counts for nothing.
    """
    hist = isinstance(estimator, HistGradientBoostingClassifier)
    start = np.ravel(estimator._baseline_prediction) if hist else estimator._raw_predict_init(rows[:1])[0]
    one_class = _one_class_hist if hist else _one_class_classic
    weights = (np.arange(len(start)) == explained) - 1.0 / len(start)
    found, base = np.zeros(rows.shape), float(start @ weights)
    for k, weight in enumerate(weights):

        def part(share: float, doing: str, k: int = k) -> None:
            report((k + share) / len(start), f"class {k + 1} of {len(start)}, {doing}")

        values, mean = by_trees([one_class(estimator, k)], rows, part)
        found, base = found + weight * values, base + float(weight * mean[0])
    return found, base


def _one_class_hist(estimator: HistGradientBoostingClassifier, k: int) -> Any:
    """Return a model of two classes with the trees that boosting has for one of its classes."""
    other = shallow(estimator)
    other._predictors = [[stage[k]] for stage in estimator._predictors]
    other._baseline_prediction = np.zeros((1, 1))
    return other


def _one_class_classic(estimator: GradientBoostingClassifier, k: int) -> Any:
    """Return a model of two classes with the trees that boosting has for one of its classes."""
    other = shallow(estimator)
    other.estimators_ = estimator.estimators_[:, k : k + 1]
    other.init_ = DummyClassifier(strategy="prior")
    other.init_.class_prior_ = np.array([0.5, 0.5])
    return other
