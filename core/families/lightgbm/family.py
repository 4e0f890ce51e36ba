"""The family of LightGBM's classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from lightgbm import LGBMClassifier

from core.attribution.tree_values import LibraryReasons
from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance
from core.families.base import Family
from core.typing import Floats
from core.unlearning.again import check_by_training


class LightGBMReasons(LibraryReasons):
    """SHAP values as the library computes them, following the trees' own record counts."""

    def contributions(self, model: Any, rows: Floats) -> Floats:
        """Return values that add up to log-odds, the base value last."""
        found = model.booster_.predict(rows, pred_contrib=True, num_iteration=model.best_iteration_ or -1)
        return np.asarray(found, dtype=np.float64)


def check_lightgbm(case: Case, table: Any, checked: str) -> Provenance:
    """Train the last step again on its rows, where that is quick, and compare scores."""
    model = final_estimator(case.model)
    return check_by_training(case, table, checked, "LightGBM", model.booster_.current_iteration())


LIGHTGBM = Family(
    name="LightGBM",
    model_types=(LGBMClassifier,),
    provenance=check_lightgbm,
    explainer=LightGBMReasons(),
)
