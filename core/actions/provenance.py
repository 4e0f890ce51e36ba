"""Provenance: whether these rows are the ones the model was trained on.

Preprocessing is refitted and compared with what the model stores; the last step is checked by its family.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from core.actions.through_thresholds import inside_of
from core.case.case import Case, check_case
from core.case.group_thresholds import chances, with_thresholds
from core.case.scoring import final_estimator, model_rows
from core.case.verdict import Provenance, sentence
from core.errors import InputError
from core.families.registry import family_of, own_unlearner
from core.former import formerly
from core.unlearning.preprocessing.provenance import Repeated, repeated
from core.words import with_article


@formerly()
def check_provenance(case: Case) -> Provenance:
    """Say whether the retained training rows are what the model was trained on.

    One fit of the preprocessing; then about one prediction pass over the rows, or O(n d^2) where a gradient has to be weighed.

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
    unlearner = own_unlearner(case.model)
    table: Any = model_rows(case.model, case.X_train[case.retained])
    if not isinstance(case.model, Pipeline) or len(case.model.steps) == 1:
        return _check_last_step(case, table, "")
    found = repeated(case.model[:-1], table, case.train_labels[case.retained])
    if found.differs:
        return Provenance(
            "mismatch",
            f"The preprocessing was not fitted on these rows: {found.differs}.",
            converge=unlearner is not None and unlearner.can_converge(case),
            refit=True,
        )
    if found.unknown:
        return _in_part(case, found)
    return _check_last_step(case, found.table, "The preprocessing equals what these rows give; ")


def _check_last_step(case: Case, table: Any, checked: str) -> Provenance:
    """Let the model's family check the last step.

    It is given the step's table and what was found of the preprocessing.
    """
    family = family_of(case.model)
    if family is None or family.provenance is None:
        who = with_article(type(final_estimator(case.model)).__name__) if family is None else family.name
        what = "the rest" if checked else "the model"
        return Provenance(
            "unverifiable",
            sentence(f"{checked}{what} cannot be checked: nothing is known of what {who} keeps of its rows."),
        )
    return family.provenance(case, table, checked)


def _in_part(case: Case, found: Repeated) -> Provenance:
    """Check the last step where the preprocessing cannot be fitted again as it was.

    All together that verifies nothing.
    """
    verdict = _check_last_step(case, found.table, "")
    checked = f"The preprocessing cannot be checked: {found.unknown}"
    if verdict.status == "mismatch" and found.surely:
        return replace(verdict, evidence=f"{checked}. {verdict.evidence}")
    if verdict.status == "mismatch":
        return Provenance(
            "unverifiable", f"{checked}, and what the last step was given follows from it.", verdict.converge
        )
    return replace(verdict, status="unverifiable", evidence=f"{checked}. Of the last step: {verdict.evidence}")


def _check_thresholds(case: Case) -> Provenance:
    """Check the estimator inside a ThresholdOptimizer, and that these rows give its thresholds."""
    verdict = replace(check_provenance(inside_of(case)), converge=False)
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
