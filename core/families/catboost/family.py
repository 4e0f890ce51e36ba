"""The family of CatBoost's classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from catboost import CatBoostClassifier, Pool

from core.attribution.tree_values import LibraryReasons
from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance
from core.families.base import Family
from core.typing import Floats
from core.unlearning.again import check_by_training


class CatBoostReasons(LibraryReasons):
    """SHAP values as the library computes them, following the trees' own record weights."""

    def contributions(self, model: Any, rows: Floats) -> Floats:
        """Return values that add up to log-odds, the base value last."""
        table = Pool(rows, feature_names=model.feature_names_)
        return np.asarray(model.get_feature_importance(table, type="ShapValues"), dtype=np.float64)


def check_catboost(case: Case, table: Any, checked: str) -> Provenance:
    """Train the last step again on its rows, where that is quick, and compare scores."""
    return check_by_training(case, table, checked, "CatBoost", final_estimator(case.model).tree_count_)


CATBOOST = Family(
    name="CatBoost",
    model_types=(CatBoostClassifier,),
    provenance=check_catboost,
    explainer=CatBoostReasons(),
)
