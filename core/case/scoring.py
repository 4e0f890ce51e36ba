"""Scores of the positive class, and the decisions a threshold makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from core.case.group_thresholds import decides_by_group, scorer
from core.case.libraries.models import own_names
from core.case.own_decisions import OwnCut, response_of
from core.case.roles import AtRate
from core.errors import InputError, NotSupportedError, said
from core.typing import Array, Bools, Floats, Positions, Singles


def final_estimator(model: Any) -> Any:
    """Return the last estimator of a pipeline, or the model itself."""
    return model.steps[-1][1] if isinstance(model, Pipeline) else model


def column_names(model: Any) -> Any:
    """Return the column names a model was fitted on, or None.

    A pipeline that starts with "passthrough" asks its next step.
    """
    model = scorer(model)
    own = own_names(model)
    return column_names(_first_step(model)) if own is None and isinstance(model, Pipeline) else own


def columns_taken(model: Any) -> tuple[str, ...] | None:
    """Return which columns a pipeline that starts with a ColumnTransformer uses.

    None for other models.
    """
    step = scorer(model)
    while isinstance(step, Pipeline):
        step = _first_step(step)
    if not isinstance(step, ColumnTransformer):
        return None
    kept = [name for name, part, _ in step.transformers_ if not (isinstance(part, str) and part == "drop")]
    taken = {int(place) for name in kept for place in step._transformer_to_input_indices[name]}
    return tuple(str(name) for place, name in enumerate(column_names(step)) if place in taken)


def _first_step(model: Pipeline) -> Any:
    return next((step for _, step in model.steps if step is not None and step != "passthrough"), None)


def names_columns(model: Any) -> bool:
    """Return whether a model was fitted on named columns, and so takes tables as they are."""
    return column_names(model) is not None


def score_kind(model: Any) -> str:
    """Return "probability" or "decision", whichever response the model's own `predict` goes by."""
    return response_of(scorer(model))


def model_rows(model: Any, table: pd.DataFrame) -> Any:
    """Return rows as the model takes them: with column names if it was fitted with any."""
    return table if names_columns(model) else table.to_numpy()


def singles(table: Any) -> Singles:
    """Return a table's cells in single precision, as trees take them.

    Sparse ones are filled; missing values of pandas' nullable columns become NaN.

    Examples
    --------
    >>> singles(pd.DataFrame({"children": pd.array([1, None], dtype="Int64")})).tolist()
    [[1.0], [nan]]
    """
    return np.ascontiguousarray(_filled(table, np.float32))


def reals(table: Any) -> Floats:
    """Return a table's cells in double precision, as `singles` does."""
    found: Floats = _filled(table, np.float64)
    return found


def _filled(table: Any, dtype: type[np.floating[Any]]) -> Any:
    if isinstance(table, pd.DataFrame):
        return table.to_numpy(dtype=dtype, na_value=np.nan)
    return np.asarray(table.toarray() if hasattr(table, "toarray") else table, dtype=dtype)


def positive_scores(model: Any, X: pd.DataFrame | npt.NDArray[Any], column: int) -> Floats:
    """Return the score of class number `column` for every row of `X`.

    Raises
    ------
    InputError
        If the model cannot score the rows, or a score is NaN or infinite.
    """
    try:
        scores = _scores(model, X, column)
    except Exception as error:  # what is in the model decides which
        raise InputError(
            f"The model must be able to score every row. {type(scorer(model)).__name__} says: {said(error)}. Mend such rows, or leave them out."
        ) from error
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).sum())
        where = "among the numbers of the model itself" if bad == len(scores) else "for infinities in its columns"
        raise InputError(
            f"Every score must be finite. The model gives NaN or infinity for {bad:,} of {len(scores):,} rows; look {where}."
        )
    return np.ascontiguousarray(scores)


def predicted_codes(model: Any, X: pd.DataFrame | Array, classes: Array) -> Positions:
    """Return what a model's own `predict` gives, as indices into its classes.

    -1 for what is none of them.
    """
    try:
        predicted = np.asarray(scorer(model).predict(X))
    except Exception as error:  # what is in the model decides which
        raise InputError(
            f"The model must be able to predict every row. {type(scorer(model)).__name__} says: {said(error)}. Mend such rows, or leave them out."
        ) from error
    return np.asarray(pd.Index(classes).get_indexer(pd.Index(predicted)), dtype=np.intp)


def refused(model: Any, X: pd.DataFrame | npt.NDArray[Any]) -> str:
    """Return what a model says of rows that it does not score; empty where it does."""
    try:
        with np.errstate(all="ignore"):
            _scores(model, X, 0)
    except Exception as error:  # what is in the model decides which
        return said(error)
    return ""


def _scores(model: Any, X: pd.DataFrame | npt.NDArray[Any], column: int) -> Floats:
    model = scorer(model)
    if score_kind(model) == "probability":
        return np.asarray(model.predict_proba(X), dtype=np.float64)[:, column]
    return _decision(np.asarray(model.decision_function(X), dtype=np.float64), column)


def _decision(values: Floats, column: int) -> Floats:
    if values.ndim == 2:
        return np.asarray(values[:, column])
    return values if column == 1 else -values


def cut(scores: Floats, threshold: float | AtRate | None, own: OwnCut) -> float:
    """Return the score at which decisions change.

    Parameters
    ----------
    scores : ndarray, shape (n_rows,)
        Scores of the positive class.
    threshold : float, AtRate or None
        As given to the case.
    own : OwnCut
        Where the model's own `predict` draws the line.

    Examples
    --------
    >>> cut(np.array([0.1, 0.4, 0.8]), None, OwnCut(0.5, ties_positive=False))
    0.5
    """
    if threshold is None:
        return own.at
    if isinstance(threshold, AtRate):
        flagged = min(len(scores) - 1, round(threshold.rate * len(scores)))
        return float(np.partition(scores, len(scores) - flagged - 1)[len(scores) - flagged - 1])
    return float(threshold)


def decide(scores: Floats, threshold: float | AtRate | None, own: OwnCut) -> Bools:
    """Return which rows are predicted as the positive class.

    Notes
    -----
    A number flags scores equal to it or above. An alert capacity never flags more than its share: ties at the edge are not flagged.
    Without a threshold, ties are decided as the model's own `predict` decides them.
    """
    at = cut(scores, threshold, own)
    if isinstance(threshold, AtRate) or (threshold is None and not own.ties_positive):
        return np.asarray(scores > at)
    return np.asarray(scores >= at)


def checked_threshold(model: Any, threshold: float | AtRate | None) -> float | AtRate | None:
    """Return a threshold as it was given, or raise where it cannot be one."""
    if threshold is None:
        return threshold
    if decides_by_group(model):
        raise no_single_threshold()
    if isinstance(threshold, AtRate):
        return threshold
    if (
        isinstance(threshold, bool)
        or not isinstance(threshold, (int, float, np.floating))
        or not np.isfinite(threshold)
    ):
        raise InputError(f"The threshold must be None, a finite number or AtRate(share). Got {threshold!r} instead.")
    return float(threshold)


def no_single_threshold() -> NotSupportedError:
    """Return the error for a model whose thresholds are those of its groups."""
    return NotSupportedError(
        "One threshold for all must not replace those of the groups. The model is a ThresholdOptimizer; to set one, make the case "
        "from the estimator inside it (its estimator_)."
    )
