"""Provenance of logistic regression.

The gradient of the training objective at the fitted coefficients must vanish.

What is left of it says how many rows could have changed unnoticed. Where a solver stopped early that is many; then training is repeated,
which gives the same coefficients, stop and all, on the same rows alone.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError
from sklearn.base import clone

from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance, sentence
from core.errors import NotSupportedError, said
from core.typing import Codes, Floats
from core.unlearning.linear.design import Design
from core.unlearning.linear.gradient import Leftover, distance, largest_entry, leftover
from core.unlearning.linear.objective import LogisticObjective, logistic_objective

VERIFIED_ROWS = 0.1
"""Verified when what is left of the gradient is below this share of one average row's."""
REPEATED_ROWS = 1e-3
"""Verified when training again gives coefficients nearer than this share of how far one average row moves the optimum,"""
SAME = 1e-9
"""or nearer than this share of their length."""
CONVERGED = 1e-8
"""Largest entry of the gradient, over the sum of the weights, up to which it is looked at before the training is repeated."""
MOST_PARAMETERS = 4096
"""Of a Hessian that is factored here."""
MOST_WORK = 1e10
"""Entries of the table that repeating the training may pass over."""
NONE_UNNOTICED = "not even one changed row would go unnoticed"


class RetainedRows(NamedTuple):
    """The retained rows as the last step takes them, with classes and weights.

    Class weights are included.
    """

    table: Any
    design: Design
    y: Codes
    weight: Floats


def check_optimum(case: Case, table: Any, checked: str) -> Provenance:
    """Compare the gradient at the fitted coefficients with what single rows add to it.

    O(n d^2); repeat the training where that is not enough.

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
    design = Design.of(table, objective.fit_intercept)
    if design is None:
        return Provenance(
            "mismatch",
            "The preprocessing gives missing or infinite values, and no such model can be fitted on them; find the rows it was trained on.",
        )
    y = case.train_codes[case.retained]
    weight = np.ones(len(y)) if case.train_weight is None else np.asarray(case.train_weight[case.retained])
    totals = np.bincount(y, weights=weight, minlength=objective.n_classes).astype(np.float64)
    weight = weight * objective.class_weights(totals)[y]
    rows = RetainedRows(table, design, y, weight)
    verdict = _check(case, objective, rows)
    return replace(verdict, evidence=sentence(checked + verdict.evidence))


def _check(case: Case, objective: LogisticObjective, rows: RetainedRows) -> Provenance:
    """Look at the gradient and at training again, first at what is likelier to settle it."""
    model, stopped = final_estimator(case.model), _why_stopped(final_estimator(case.model))
    short = largest_entry(model, objective, rows.design, rows.y, rows.weight) > CONVERGED
    again, repeated = _trained_again(case, rows) if short else (None, "")
    if again is not None and (share := _apart(model, again)) <= SAME:
        return _repeats(stopped, f", to {share:.1g} of their length" if share else "")
    found, why_not = _leftover(model, objective, rows)
    if found is not None and _at_optimum(model, found):
        share = found.left / found.one_row
        what = f"the gradient at the fitted coefficients is {share:.1g} of what one average row adds"
        return Provenance("verified", f"{what}, so {NONE_UNNOTICED}.", converge=found.unseen > found.one_row)
    if not short:
        again, repeated = _trained_again(case, rows)
    if again is None or found is None:
        return _judge(model, found, why_not, repeated or "training again gives other coefficients", False)
    apart = distance(model, again, objective, rows.design, rows.weight) / found.one_row
    if apart <= REPEATED_ROWS:
        return _repeats(stopped, f", to {apart:.1g} of what one average row moves them by")
    stops = _ran_out(again) or largest_entry(again, objective, rows.design, rows.y, rows.weight) > 2.0 * again.tol
    return _judge(model, found, "", f"training again gives coefficients {apart:.2g} average rows away", stops)


def _leftover(model: Any, objective: LogisticObjective, rows: RetainedRows) -> tuple[Leftover | None, str]:
    """Return the gradient's leftover, or None and why it says nothing."""
    n_parameters = objective.n_predictors * rows.design.width
    if n_parameters > MOST_PARAMETERS:
        return None, f"the Hessian of {n_parameters:,} parameters is too large to be factored"
    try:
        found = leftover(model, objective, rows.design, rows.y, rows.weight)
    except LinAlgError:
        return None, "the Hessian at the coefficients is singular, so the gradient says nothing"
    return (found, "") if found.one_row > 0.0 else (None, "no row adds anything to the gradient")


def _at_optimum(estimator: Any, found: Leftover) -> bool:
    """Return whether all is as at the optimum.

    What the solver may have left where no row affects it does not count.
    """
    return found.left <= VERIFIED_ROWS * found.one_row and (
        found.unseen <= VERIFIED_ROWS * found.one_row or found.largest <= 2.0 * estimator.tol or _ran_out(estimator)
    )


def _ran_out(estimator: Any) -> bool:
    return bool(np.max(estimator.n_iter_) >= estimator.max_iter)


def _apart(estimator: Any, again: Any) -> float:
    """Return the distance of two fits' parameters, over the length of the first one's."""
    own, other = (np.append(one.coef_.ravel(), one.intercept_) for one in (estimator, again))
    return float(np.linalg.norm(own - other)) / max(float(np.linalg.norm(own)), 1e-300)


def _repeats(stopped: str, to: str) -> Provenance:
    what = f"the solver {stopped}; training again on these rows stops at the same coefficients{to}"
    return Provenance("verified", f"{what}, so {NONE_UNNOTICED}.", converge=True)


def _trained_again(case: Case, rows: RetainedRows) -> tuple[Any, str]:
    """Return the last step fitted on the rows again, or None and why not."""
    estimator = final_estimator(case.model)
    if float(np.max(estimator.n_iter_)) * rows.design.n_entries > MOST_WORK:
        return None, "training again would take too long to be repeated here"
    weight = None if case.train_weight is None else case.train_weight[case.retained]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return clone(estimator).fit(rows.table, case.train_labels[case.retained], sample_weight=weight), ""
    except Exception as error:  # what is in the model decides which
        return None, f"it cannot be trained again on these rows ({said(error)})"


def _why_stopped(estimator: Any) -> str:
    return (
        f"ran into max_iter={estimator.max_iter}"
        if _ran_out(estimator)
        else f"stopped within its tolerance tol={estimator.tol:g}"
    )


def _judge(estimator: Any, found: Leftover | None, why_not: str, repeated: str, stops_early: bool) -> Provenance:
    """Tell what a gradient that does not vanish means, where training again does not settle it.

    `stops_early` says whether training again, too, ends before the gradient is within the solver's tolerance.
    """
    if found is None:
        return Provenance("unverifiable", f"{why_not}, and {repeated}.", converge=True)
    unnoticed = max(1, round((found.left / found.one_row) ** 2))
    if _ran_out(estimator) or stops_early or found.largest <= 2.0 * estimator.tol:
        return Provenance(
            "unverifiable",
            f"the solver {_why_stopped(estimator)}, which leaves a gradient as large as {unnoticed:,} changed rows would; this test would not "
            f"notice fewer, and {repeated}.",
            converge=True,
        )
    allowed = f"its solver's tolerance allows {2.0 * estimator.tol / found.largest:.1g} of it, and {repeated}"
    if found.left <= VERIFIED_ROWS * found.one_row:
        what = f"its coefficients were moved since in directions that no row affects: {allowed}"
    else:
        what = (
            f"the gradient at the fitted coefficients is as large as about {unnoticed:,} changed rows would make it, and {allowed}; these are "
            "not the rows it was trained on"
        )
    return Provenance("mismatch", f"{what}.", converge=True, refit=True)
