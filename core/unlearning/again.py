"""Whether training a model again on its rows gives the same model.

It is the provenance of a model where nothing better is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance, sentence
from core.errors import said
from core.unlearning.refit import why_never_again

CLOSE = 1e-6
"""Largest difference in score that counts as the same model."""
MOST_STEPS = 3e8
"""Rows times columns times rounds of boosting that are trained for this: some seconds."""


def check_by_training(case: Case, table: Any, checked: str, library: str, n_rounds: int) -> Provenance:
    """Train the last step of a model again on the retained rows and compare scores.

    Costs a fit, where that is quick; where it is not, nothing is claimed.

    Parameters
    ----------
    case : Case
    table : DataFrame or ndarray
        The retained rows as the last step takes them.
    checked : str
        What was found of the preprocessing, to begin the sentence with.
    library : str
        Whose release counts.
    n_rounds : int
        Of boosting in the model.
    """
    model, what = final_estimator(case.model), "the rest" if checked else "the model"
    reason = why_never_again(model)
    n_steps = float(np.prod(np.shape(table), dtype=float)) * max(n_rounds, 1)
    if not reason and n_steps > MOST_STEPS:
        reason = f"it would take training {n_rounds:,} rounds again, which core.retrain_gap does"
    apart = np.nan
    if not reason:
        try:
            apart = _apart(case, table, model)
        except Exception as error:  # what is in the model decides which
            reason = f"training again fails ({said(error)})"
    if reason:
        return Provenance("unverifiable", sentence(f"{checked}{what} cannot be checked: {reason}."))
    if apart <= CLOSE:
        return Provenance(
            "verified",
            sentence(
                f"{checked}training again on these {len(table):,} rows with the parameters the model holds gives the same scores (within "
                f"{apart:.1g}); a changed value that moves no split would go unnoticed."
            ),
        )
    return Provenance(
        "unverifiable",
        sentence(
            f"{checked}{what} cannot be checked: training again on these rows with the parameters it holds gives scores up to {apart:.2g} "
            f"apart, which other rows, other draws or another release of {library} would explain."
        ),
    )


def _apart(case: Case, table: Any, model: Any) -> float:
    weight = case.train_weight
    options = {} if weight is None else {"sample_weight": weight[case.retained]}
    again = clone(model).fit(table, case.train_labels[case.retained], **options)
    return float(np.abs(again.predict_proba(table) - model.predict_proba(table)).max())
