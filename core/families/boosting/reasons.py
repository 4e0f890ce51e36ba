"""SHAP values of gradient boosting, following the trees' own record counts."""

from __future__ import annotations

from collections.abc import Callable

from core.attribution.explainer import CENTRED, Explained, Explainer
from core.attribution.tree_values import by_trees, centred_by_trees
from core.case.case import Case
from core.case.scoring import final_estimator
from core.typing import Floats


class StageReasons(Explainer):
    """Values of `shap.TreeExplainer`; with more than two classes, those of `pos_label` less the mean of all classes'."""

    def explain(
        self,
        case: Case,
        rows: Floats,
        background: Callable[[], Floats],  # noqa: ARG002
        report: Callable[[float, str], None],
    ) -> Explained:
        """Return values that add up to log-odds, or to centred log-ratios with more than two classes."""
        estimator = final_estimator(case.model)
        if len(case.classes) > 2:
            return Explained(*centred_by_trees(estimator, rows, case.pos_column, report), CENTRED)
        values, base = by_trees([estimator], rows, report)
        sign = 1.0 if case.pos_column == 1 else -1.0
        return Explained(sign * values, sign * float(base[0]), "log-odds")
