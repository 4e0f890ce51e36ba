"""Provenance: whether these rows are the ones the model was trained on.

Preprocessing is refitted and compared with what the model stores. For logistic regression the gradient of the training objective
at the fitted coefficients must vanish: what is left of it says how many rows could have changed unnoticed. Trees and forests are
checked node by node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from core.case.case import Case, check_case
from core.case.gradient_test import leftover
from core.case.group_thresholds import chances, with_thresholds
from core.case.objective import linear_estimator, logistic_objective
from core.case.scoring import model_rows
from core.case.tree_provenance import check_trees, is_of_trees
from core.case.verdict import Provenance, sentence
from core.errors import InputError, NotSupportedError, said

Floats = npt.NDArray[np.float64]

VERIFIED_ROWS = 0.1
"""Verified when what is left of the gradient is below this share of one average row's."""


FAMILY_CHECKS: list[Callable[[Case], Provenance | None]] = []
"""Checks that later layers add for families they know how to read; None for a model that is not theirs."""


def check_provenance(case: Case) -> Provenance:
    """Say whether the retained training rows are what the model was trained on.

    One fit of the preprocessing; then O(n d^2), or for trees and forests one prediction pass over the rows.

    Parameters
    ----------
    case : Case

    Returns
    -------
    Provenance

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, check_provenance
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 1, 0, 1] * 5})
    >>> model = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> check_provenance(case).status
    'verified'
    """
    check_case(case)
    if case.randomised:
        return _check_thresholds(case)
    table: Any = model_rows(case.model, case.X_train[case.retained])
    checked = ""
    if isinstance(case.model, Pipeline) and len(case.model.steps) > 1:
        difference = _preprocessing_difference(case.model[:-1], table)
        if difference:
            return Provenance(
                "mismatch",
                f"The preprocessing was not fitted on these rows: {difference}.",
                converge=_is_logistic(case),
                refit=True,
            )
        table = case.model[:-1].transform(table)
        checked = "The preprocessing equals what these rows give; "
    estimator = linear_estimator(case.model)
    if is_of_trees(estimator):
        return check_trees(case, estimator, table, checked)
    for check in FAMILY_CHECKS:
        verdict = check(case)
        if verdict is not None:
            return replace(verdict, evidence=sentence(checked + verdict.evidence))
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


def _check_thresholds(case: Case) -> Provenance:
    """Check the estimator inside a ThresholdOptimizer, and that these rows give its thresholds."""
    inside = getattr(case.state, "inside", None) or case.replace(case.model.estimator_, case.retained, case.state)
    verdict = replace(check_provenance(inside), converge=False)
    if verdict.status == "mismatch":
        return verdict
    rows, groups = model_rows(case.model, case.X_train[case.retained]), case.deciding_groups("train")[case.retained]
    try:
        again = with_thresholds(case.model, case.model.estimator_, rows, case.train_codes[case.retained], groups)
    except InputError as error:
        return Provenance("mismatch", f"No thresholds can be chosen on these rows: {error}")
    apart = np.abs(chances(case.model, rows, groups) - chances(again, rows, groups))[:, 1]
    differ = int(np.count_nonzero(apart > 1e-9))
    if differ:
        return Provenance(
            "mismatch",
            f"The thresholds were not chosen on these rows: those that are decide otherwise for {differ:,} of {len(apart):,} of them.",
        )
    return replace(verdict, evidence=f"The thresholds are those these rows give. {verdict.evidence}")


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
    estimator = linear_estimator(case.model)
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


def _preprocessing_difference(fitted: Pipeline, table: Any) -> str:
    """Return the first learned attribute that refitting on `table` changes, in words, or an empty string."""
    try:
        again = clone(fitted).fit(table)
    except (ValueError, TypeError) as error:
        return f"it cannot be fitted on them ({said(error)})"
    return _difference(fitted, again)


def _difference(one: Any, other: Any) -> str:
    for name, value in vars(one).items():
        if not name.endswith("_") or name.startswith("_"):
            continue
        found = _compare(value, getattr(other, name, None), f"{type(one).__name__}.{name}")
        if found:
            return found
    for (_, part), (_, twin) in zip(getattr(one, "steps", ()), getattr(other, "steps", ()), strict=False):
        found = "" if isinstance(part, str) else _difference(part, twin)
        if found:
            return found
    return ""


def _compare(value: Any, twin: Any, where: str) -> str:
    if isinstance(value, np.ndarray | np.generic | float | int):
        return _compare_arrays(np.asarray(value), np.asarray(twin), where)
    if isinstance(value, list | tuple):
        if not isinstance(twin, list | tuple) or len(value) != len(twin):
            return f"{where} has another length"
        return next(
            (found for pair in zip(value, twin, strict=True) for found in [_compare(*pair, where)] if found), ""
        )
    return _difference(value, twin) if hasattr(value, "get_params") and hasattr(twin, "get_params") else ""


def _compare_arrays(value: npt.NDArray[Any], twin: npt.NDArray[Any], where: str) -> str:
    if value.shape != twin.shape:
        return f"{where} has {value.size} values, these rows give {twin.size}"
    if value.dtype.kind in "fiu" and twin.dtype.kind in "fiu":
        close = np.isclose(value.astype(float), twin.astype(float), rtol=1e-9, atol=1e-12, equal_nan=True)
    else:
        close = np.array(
            [a is b or a == b or (a != a and b != b) for a, b in zip(value.ravel(), twin.ravel(), strict=True)],
            dtype=bool,
        )
    if close.all():
        return ""
    first = int(np.flatnonzero(~close.ravel())[0])
    return f"{where} stores {_short(value.ravel()[first])} where these rows give {_short(twin.ravel()[first])}"


def _short(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float | np.floating) else repr(getattr(value, "item", lambda: value)())


def _is_logistic(case: Case) -> bool:
    try:
        logistic_objective(case.model)
    except NotSupportedError:
        return False
    return True


def _numbers(table: Any) -> Floats | None:
    """Return a table as finite numbers, or None where it holds anything else."""
    try:
        numbers = np.asarray(table.toarray() if hasattr(table, "toarray") else table, dtype=np.float64)
    except (ValueError, TypeError):
        return None
    return numbers if np.isfinite(numbers).all() else None


__all__ = ["Provenance", "check_provenance"]
