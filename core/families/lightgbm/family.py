"""The family of LightGBM's classifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier

from core.attribution.explainer import Explained, Explainer
from core.attribution.tree_values import by_contributions
from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance
from core.families.base import Family
from core.typing import Floats
from core.unlearning.again import check_by_training


class LightGBMReasons(Explainer):
    """SHAP values as the library computes them, following the trees' own record counts."""

    def explain(
        self,
        case: Case,
        rows: Floats,
        background: Callable[[], Floats],  # noqa: ARG002
        report: Callable[[float, str], None],
    ) -> Explained:
        """Return values that add up to log-odds."""
        model = final_estimator(case.model)

        def values(some: Floats) -> Floats:
            found = model.booster_.predict(some, pred_contrib=True, num_iteration=model.best_iteration_ or -1)
            return np.asarray(found, dtype=np.float64)

        return by_contributions(case, values, rows, report)


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
