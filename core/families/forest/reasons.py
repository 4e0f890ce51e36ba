"""SHAP values of trees and forests, following the trees' own record counts."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from core.attribution.explainer import Explained, Explainer
from core.attribution.tree_values import by_trees
from core.case.case import Case
from core.case.scoring import final_estimator
from core.errors import NotSupportedError
from core.typing import Floats


class TreeReasons(Explainer):
    """Means over the trees of `shap.TreeExplainer`'s values."""

    def explain(
        self,
        case: Case,
        rows: Floats,
        background: Callable[[], Floats],  # noqa: ARG002
        report: Callable[[float, str], None],
    ) -> Explained:
        """Return values that add up to probabilities."""
        estimator = final_estimator(case.model)
        if type(estimator) not in (DecisionTreeClassifier, ExtraTreesClassifier, RandomForestClassifier):
            raise NotSupportedError(
                f"Reasons are given for decision trees, random forests and extra-trees as scikit-learn has them. Got {type(estimator).__name__}."
            )
        trees = [estimator] if isinstance(estimator, DecisionTreeClassifier) else estimator.estimators_
        values, base = by_trees(trees, rows, report)
        return Explained(values[:, :, case.pos_column], float(base[case.pos_column]), "probability")

    def steps(self, case: Case) -> float:
        """Return the leaves of all trees times the square of their depth."""
        estimator = final_estimator(case.model)
        trees = [one.tree_ for one in getattr(estimator, "estimators_", ())]
        return float(sum(tree.n_leaves * tree.max_depth**2 for tree in trees))
