"""Refit: train the whole pipeline again on the retained records. The oracle of every other unlearner, and the last resort."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.case.edits import Edits
from core.case.group_thresholds import decides_by_group
from core.errors import InputError
from core.unlearning.base import Guarantee, Positions, Progress, Removal, Unlearner, mask_without, model_input
from core.unlearning.composite import thresholds_on


class Refit(Unlearner):
    """Fits a clone of the model on the retained records, preprocessing included."""

    name = "refit"
    guarantee = Guarantee.EXACT

    def fits(self, case: Case) -> str | None:  # noqa: ARG002
        """Return None: every classifier can be fitted again."""
        return None

    def prepare(self, case: Case, progress: Progress | None = None) -> Case:  # noqa: ARG002
        """Return the case: nothing needs preparing."""
        return case

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case with a model fitted without the records at `positions`."""
        retained = mask_without(case, positions)
        model, notes = fit_again(case, retained)
        return Removal(case.replace(model, retained), Guarantee.EXACT, notes=notes)

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case with a model fitted on the labels and weights of `edits`."""
        model, notes = fit_again(case.with_edits(case.model, edits), case.retained)
        return Removal(case.with_edits(model, edits), Guarantee.EXACT, notes=notes)


def fit_again(case: Case, retained: Any, model: Any = None) -> tuple[Any, tuple[str, ...]]:
    """Return a clone of a model fitted on the retained rows, and what the fit warned about.

    Parameters
    ----------
    case : Case
        Gives the table and the weights.
    retained : ndarray of bool, shape (n_train,)
        The rows to fit on.
    model : estimator, optional
        What to clone; None is the case's model.

    Raises
    ------
    InputError
        If the model cannot be fitted on them.
    """
    wanted = case.model if model is None else model
    inner = wanted.estimator if decides_by_group(wanted) else wanted
    options = {}
    if case.train_weight is not None:
        name = f"{inner.steps[-1][0]}__sample_weight" if isinstance(inner, Pipeline) else "sample_weight"
        options[name] = case.train_weight[retained]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = clone(inner).fit(model_input(case, retained), case.train_labels[retained], **options)
        except ValueError as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"The model must be able to fit the {int(np.count_nonzero(retained))} retained records. It says: {reason}"
            ) from error
    if decides_by_group(wanted):
        fitted = thresholds_on(case, retained, wanted, fitted)
    stopped = any(issubclass(item.category, ConvergenceWarning) for item in caught)
    return fitted, ("The solver stopped before its tolerance was met.",) if stopped else ()
