"""The family of XGBoost's classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from xgboost import DMatrix, XGBClassifier

from core.attribution.tree_values import LibraryReasons
from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance
from core.families.base import Family
from core.typing import Floats
from core.unlearning.again import check_by_training


class XGBoostReasons(LibraryReasons):
    """SHAP values as the library computes them, following the trees' own record weights."""

    def contributions(self, model: Any, rows: Floats) -> Floats:
        """Return values that add up to log-odds, the base value last."""
        booster = model.get_booster()
        table = DMatrix(rows, missing=model.missing, feature_names=booster.feature_names)
        used = model._get_iteration_range(None)
        found = booster.predict(table, pred_contribs=True, iteration_range=used, validate_features=False)
        return np.asarray(found, dtype=np.float64)


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
