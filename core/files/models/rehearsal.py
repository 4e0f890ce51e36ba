"""Trying a model on rows made up for it, before any other process scores with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from core.case.group_thresholds import scorer
from core.case.scoring import column_names, score_kind
from core.errors import InputError
from core.files.models.building.special import malformed
from core.files.models.content import parts_of

_NUMBERS = (0.0, 1.0, -1.0, 1e3, float("nan"))
_MOST_COLUMNS = 100_000
_ROUNDING = 1e-6


def rehearse(model: Any) -> None:
    """Score rows made up for a model, and make an unfitted copy of it.

    Rows that it refuses, as may be where they are made up, prove nothing and are passed over. Costs five calls.

    Parameters
    ----------
    model : object
        Opened and checked.

    Raises
    ------
    InputError
        If it gives shares outside 0 to 1, scores for another number of rows or classes, or cannot be trained anew.
    """
    estimator = scorer(model)
    try:
        clone(estimator)
    except Exception as error:  # what is in the model decides which
        raise InputError(
            f"A model must be one that can be trained anew. {type(estimator).__name__} cannot ({type(error).__name__}); save the model again."
        ) from error
    kind = score_kind(model)
    respond: Any = getattr(estimator, "predict_proba" if kind == "probability" else "decision_function", None)
    for row in _rows(estimator) if respond is not None else ():
        try:
            with np.errstate(all="ignore"):
                scores = np.asarray(respond(row), dtype=np.float64)
        except Exception:  # noqa: S112  rows made up may be refused
            continue
        if kind == "probability":
            _check_shares(scores, len(estimator.classes_))


def _check_shares(scores: npt.NDArray[np.float64], n_classes: int) -> None:
    if scores.shape != (1, n_classes):
        raise malformed("a row gets another number of shares than there are classes")
    known = scores[np.isfinite(scores)]
    if ((known < -_ROUNDING) | (known > 1 + _ROUNDING)).any():
        raise malformed("a row gets a share of classes outside 0 to 1")


def _rows(estimator: Any) -> Iterator[Any]:
    """Yield a row of each kind: numbers, and categories where encoders tell which there are."""
    names, n = column_names(estimator), getattr(estimator, "n_features_in_", None)
    n = len(names) if names is not None else n
    if n is None or not 1 <= n <= _MOST_COLUMNS:
        return
    known = _categories(estimator) if names is not None else {}
    for place, number in enumerate(_NUMBERS):
        cells = [number] * n
        if names is None:
            yield np.array([cells])
            continue
        row = {str(name): [number] for name in names}
        for name, values in known.items():
            if name in row:
                row[name] = [values[place % len(values)]]
        yield pd.DataFrame(row)


def _categories(model: Any) -> dict[str, list[Any]]:
    """Return the categories that encoders in a model know, by column."""
    found: dict[str, list[Any]] = {}
    for part in parts_of(model):
        names, tables = vars(part).get("feature_names_in_"), vars(part).get("categories_")
        if isinstance(names, np.ndarray) and isinstance(tables, list) and len(names) == len(tables):
            found |= {str(name): list(table) for name, table in zip(names, tables, strict=True) if len(table)}
    return found
