"""SHAP values of logistic regression, features taken as independent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression

from core.attribution.explainer import CENTRED, Explained, Explainer
from core.case.case import Case
from core.case.scoring import final_estimator
from core.errors import NotSupportedError
from core.typing import Floats


class LinearReasons(Explainer):
    """Values of `shap.LinearExplainer` around the mean of the retained records."""

    def explain(
        self, case: Case, rows: Floats, background: Callable[[], Floats], report: Callable[[float, str], None]
    ) -> Explained:
        """Return values that add up to log-odds, or to centred log-ratios of more classes."""
        estimator = final_estimator(case.model)
        if type(estimator) is not LogisticRegression:
            raise NotSupportedError(
                f"Reasons are given for LogisticRegression as scikit-learn has it. Got {type(estimator).__name__}."
            )
        report(0.0, "Explaining the records")
        values, base = _by_coefficients(estimator, rows, background())
        if len(case.classes) > 2:
            centred = values[:, :, case.pos_column] - values.mean(axis=2)
            return Explained(centred, float(base[case.pos_column] - base.mean()), CENTRED)
        sign = 1.0 if case.pos_column == 1 else -1.0
        return Explained(sign * values, sign * float(base[0]), "log-odds")


def _by_coefficients(estimator: LogisticRegression, rows: Floats, background: Floats) -> tuple[Floats, Floats]:
    from shap import LinearExplainer  # takes seconds to import, and few sessions ask for reasons
    from shap.maskers import Independent

    explainer = LinearExplainer(estimator, Independent(background, max_samples=len(background)))
    return np.asarray(explainer.shap_values(rows)), np.ravel(explainer.expected_value)
