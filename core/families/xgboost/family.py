"""The family of XGBoost's classifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xgboost import DMatrix, XGBClassifier

from core.attribution.explainer import Explained, Explainer
from core.attribution.tree_values import by_contributions
from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance
from core.families.base import Family
from core.typing import Floats
from core.unlearning.again import check_by_training


class XGBoostReasons(Explainer):
    """SHAP values as the library computes them, following the trees' own record weights."""

    def explain(
        self,
        case: Case,
        rows: Floats,
        background: Callable[[], Floats],  # noqa: ARG002
        report: Callable[[float, str], None],
    ) -> Explained:
        """Return values that add up to log-odds."""
        model = final_estimator(case.model)
        booster = model.get_booster()
        used = model._get_iteration_range(None)

        def values(some: Floats) -> Floats:
            table = DMatrix(some, missing=model.missing, feature_names=booster.feature_names)
            found = booster.predict(table, pred_contribs=True, iteration_range=used, validate_features=False)
            return np.asarray(found, dtype=np.float64)

        return by_contributions(case, values, rows, report)


def check_xgboost(case: Case, table: Any, checked: str) -> Provenance:
    """Train the last step again on its rows, where that is quick, and compare scores."""
    model = final_estimator(case.model)
    return check_by_training(case, table, checked, "XGBoost", model.get_booster().num_boosted_rounds())


XGBOOST = Family(
    name="XGBoost",
    model_types=(XGBClassifier,),
    provenance=check_xgboost,
    explainer=XGBoostReasons(),
)
