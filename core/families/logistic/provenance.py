"""Provenance of logistic regression: the gradient of the training objective at the fitted coefficients must vanish.

What is left of it says how many rows could have changed unnoticed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import LinAlgError

from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance, sentence
from core.errors import NotSupportedError
from core.typing import Floats
from core.unlearning.linear.gradient import leftover
from core.unlearning.linear.objective import logistic_objective

VERIFIED_ROWS = 0.1
"""Verified when what is left of the gradient is below this share of one average row's."""


def check_optimum(case: Case, table: Any, checked: str) -> Provenance:
    """Compare the gradient at the fitted coefficients with what single rows add to it: O(n d^2).

    Parameters
    ----------
    case : Case
    table : DataFrame, ndarray or sparse matrix
        The retained rows as the estimator takes them.
    checked : str
        What was found of the preprocessing, to begin the sentence with.
    """
    try:
        objective = logistic_objective(case.model)
    except NotSupportedError as error:
        return Provenance("unverifiable", sentence(f"{checked}the rest cannot be checked: {error}."))
    X = _numbers(table)
    if X is None:
        return Provenance(
            "mismatch",
            "The preprocessing gives missing or infinite values, and no such model can be fitted on them; find the rows it was trained on.",
        )
    return _check_gradient(case, objective, X, checked)


def _check_gradient(case: Case, objective: Any, X: Floats, checked: str) -> Provenance:
    y = case.train_codes[case.retained]
    weight = np.ones(len(y)) if case.train_weight is None else case.train_weight[case.retained]
    weight = weight * objective.class_weights(np.bincount(y, weights=weight, minlength=objective.n_classes))[y]
    try:
        left, one_row, largest = leftover(case.model, objective, X, y, weight)
    except LinAlgError:
        return Provenance(
            "unverifiable",
            sentence(f"{checked}the Hessian at the coefficients is singular, so the gradient says nothing."),
        )
    unnoticed = (left / one_row) ** 2 if one_row > 0 else np.inf
    return _judge(case, largest, left / one_row, unnoticed, checked)


def _judge(case: Case, scaled_gradient: float, in_rows: float, unnoticed: float, checked: str) -> Provenance:
    if in_rows <= VERIFIED_ROWS:
        return Provenance(
            "verified",
            sentence(
                f"{checked}the gradient at the fitted coefficients is {in_rows:.1g} of what one average row adds, "
                "so not even one changed row would go unnoticed."
            ),
        )
    estimator = final_estimator(case.model)
    stopped = bool(np.max(estimator.n_iter_) >= estimator.max_iter)
    if stopped or scaled_gradient <= 2.0 * estimator.tol:
        why = (
            f"ran into max_iter={estimator.max_iter}"
            if stopped
            else f"stopped within its tolerance tol={estimator.tol:g}"
        )
        return Provenance(
            "unverifiable",
            sentence(
                f"{checked}the solver {why}, which leaves a gradient as large as {max(1, round(unnoticed)):,} changed rows would; "
                f"this test would not notice fewer."
            ),
            converge=True,
        )
    return Provenance(
        "mismatch",
        sentence(
            f"{checked}the gradient at the fitted coefficients is as large as about {max(1, round(unnoticed)):,} changed rows would make it, "
            f"and its solver's tolerance allows {2.0 * estimator.tol / scaled_gradient:.1g} of it; these are not the rows it was trained on."
        ),
        converge=True,
        refit=True,
    )


def _numbers(table: Any) -> Floats | None:
    """Return a table as finite numbers, or None where it holds anything else."""
    try:
        numbers = np.asarray(table.toarray() if hasattr(table, "toarray") else table, dtype=np.float64)
    except (ValueError, TypeError):
        return None
    return numbers if np.isfinite(numbers).all() else None
