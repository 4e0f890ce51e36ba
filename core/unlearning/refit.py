"""Refit: train the whole pipeline again on the retained records.

The oracle of every other unlearner, and the last resort.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from core.case.case import Case, check_case
from core.case.edits import Edits
from core.case.group_thresholds import decides_by_group, scorer
from core.case.scoring import final_estimator
from core.errors import InputError, NotSupportedError, said
from core.former import formerly
from core.typing import Positions, Progress
from core.unlearning.base import Guarantee, Removal, Unlearner, UnlearnResult, mask_without, model_input
from core.unlearning.once_case import OnceCase
from core.unlearning.thresholds import thresholds_on

TRAINING = "Training again"

RACES = (
    "This linear booster is trained by threads that race, so that no two trainings give quite the same model; n_jobs=1 or "
    "updater='coord_descent' would."
)


class Refit(Unlearner):
    """Fits a clone of the model on the retained records, preprocessing included."""

    name = "refit"
    guarantee = Guarantee.EXACT
    way = "It is fitted again from the start."

    def refusal(self, case: Case) -> str | None:
        """Return None unless nobody knows how the model was trained."""
        return why_never_again(case.model) or None

    def adopt(self, case: Case, progress: Progress | None = None) -> None:
        """Return None: nothing needs preparing."""

    def is_ready(self, case: Case) -> bool:
        """Return whether the model can be trained again: nothing needs preparing for it."""
        return not why_never_again(case.model)

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case with a model fitted without the records at `positions`."""
        retained = mask_without(case, positions)
        model, notes = fit_again(case, retained)
        return Removal(case.replace(model, retained), Guarantee.EXACT, notes=(*notes, *_drawn_anew(model)))

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case with a model fitted on the labels and weights of `edits`."""
        model, notes = fit_again(case.with_edits(case.model, edits), case.retained)
        return Removal(case.with_edits(model, edits), Guarantee.EXACT, notes=notes)


@formerly("progress")
def refit(case: Case, *, progress: Progress | None = None) -> UnlearnResult:
    """Train a case's model again on the retained rows, nothing removed.

    It makes approximate removals exact.

    Parameters
    ----------
    case : Case
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel. Models whose `fit` takes a `monitor` report every stage;
        others are fitted in one call, which can be cancelled before and after it only.

    Returns
    -------
    UnlearnResult
        Its `case` has the new model; `n_forgotten` is 0.

    Raises
    ------
    InputError
        If the model cannot be fitted on them.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from core import Case, Roles, refit, unlearn
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 15, "sex": ["f", "m"] * 30, "granted": [0, 1, 0, 1] * 15})
    >>> model = HistGradientBoostingClassifier(max_iter=3).fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> removed = unlearn(unlearn(case, [3, 7], method="leaf_refit").case, [8], method="leaf_refit")
    >>> removed.guarantee.value, refit(removed.case).case.n_retained
    ('approximate', 57)
    """
    check_case(case)
    case.check_unchanged()
    if progress:
        progress(0.0, TRAINING)
    start = time.perf_counter()
    model, notes = fit_again(case, case.retained, progress=progress)
    seconds = time.perf_counter() - start
    if progress:
        progress(1.0, "Ready")
    again = case.replace(model, case.retained)
    return OnceCase(again, case, Guarantee.EXACT, None, None, Refit.name, seconds, 0, notes)


def fit_again(
    case: Case, retained: Any, model: Any = None, progress: Progress | None = None
) -> tuple[Any, tuple[str, ...]]:
    """Return a clone of a model fitted on the retained rows, and what the fit warned about.

    Parameters
    ----------
    case : Case
        Gives the table and the weights.
    retained : ndarray of bool, shape (n_train,)
        The rows to fit on.
    model : estimator, optional
        What to clone; None is the case's model.
    progress : callable, optional
        As for `refit`.

    Raises
    ------
    InputError
        If the model cannot be fitted on them.
    """
    wanted = case.model if model is None else model
    if reason := why_never_again(wanted):
        raise NotSupportedError(f"Training again needs the parameters a model was trained with: {reason}.")
    model = wanted.estimator if decides_by_group(wanted) else wanted
    options: dict[str, Any] = {}
    if case.train_weight is not None:
        options["sample_weight"] = case.train_weight[retained]
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if progress and has_fit_parameter(last, "monitor"):
        options["monitor"] = _reporting(progress)
    if isinstance(model, Pipeline):
        options = {f"{model.steps[-1][0]}__{name}": value for name, value in options.items()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = _unfitted(model).fit(model_input(case, retained), case.train_labels[retained], **options)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"The model must be able to fit the {int(np.count_nonzero(retained))} retained records. It says: {said(error)}."
            ) from error
    if decides_by_group(wanted):
        fitted = thresholds_on(case, retained, wanted, fitted)
    stopped = any(issubclass(item.category, ConvergenceWarning) for item in caught)
    return fitted, ("The solver stopped before its tolerance was met.",) if stopped else ()


def _unfitted(model: Any) -> Any:
    try:
        return clone(model)
    except RuntimeError as error:  # a parameter that its class changes, such as a list that CatBoost copies
        raise InputError(
            f"A model must keep its parameters as they are given, to be made anew with them. It does not: {said(error)}. "
            "Give those that are lists as tuples."
        ) from error


def why_never_again(model: Any) -> str:
    """Return why a model cannot be trained again; empty where it can.

    One whose file holds no parameters says so in its `unknown_training`.
    """
    return str(getattr(final_estimator(scorer(model)), "unknown_training", ""))


def _drawn_anew(model: Any) -> tuple[str, ...]:
    """Return a note where the same seed draws other rows once there are fewer.

    Scores move far by that alone.
    """
    model = model.estimator if decides_by_group(model) else model
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    stops = getattr(last, "n_iter_no_change", None) is not None and getattr(last, "early_stopping", True) is True
    held_back = getattr(last, "do_early_stopping_", stops) and getattr(last, "validation_fraction", None) is not None
    share = getattr(last, "subsample", 1.0)
    seen = getattr(last, "bootstrap", False) or (share is not None and share < 1.0)
    what = [
        words
        for words, holds in (
            ("are held back for early stopping", held_back),
            ("each part of the model learns from", seen),
        )
        if holds
    ]
    if not what:
        return (RACES,) if _races(last) else ()
    return (
        f"Training again draws anew which rows {' and which '.join(what)}: part of the change comes from that, whichever records go.",
    )


def _races(last: Any) -> bool:
    """Return whether threads race, as by default in XGBoost's linear boosters."""
    linear = getattr(last, "booster", None) == "gblinear" and hasattr(last, "get_booster")
    return linear and last.get_params().get("updater") != "coord_descent" and last.n_jobs != 1


def _reporting(progress: Progress) -> Callable[[int, Any, Any], bool]:
    """Return a monitor that reports a model's stages."""

    def monitor(stage: int, model: Any, _: Any) -> bool:
        progress((stage + 1) / model.n_estimators, TRAINING)
        return False

    return monitor
