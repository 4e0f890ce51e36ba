"""Tables as trees read them: preprocessed, dense, in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.case.scoring import model_rows, singles
from core.errors import InputError, NotSupportedError, said
from core.typing import Positions, Singles
from core.unlearning.base import model_input

MOST_CELLS = 2**29
"""Of the transformed training table: 2 GiB of float32."""


def as_trees_take(model: Any, frame: pd.DataFrame, steps: Any = None) -> Singles:
    """Return rows of the model's columns as its trees get them.

    Preprocessed, by other `steps` where given, dense, in float32.

    Raises
    ------
    InputError
        If the preprocessing refuses a row, as for a category that no training row has any more.
    """
    table = model_rows(model, frame)
    if isinstance(model, Pipeline) and len(model.steps) > 1:
        try:
            table = (model[:-1] if steps is None else steps).transform(table)
        except ValueError as error:
            raise InputError(
                f"The model must be able to score every row. Its preprocessing says: {said(error)}."
            ) from error
    return singles(table)


def tree_input(case: Case, rows: Positions, steps: Any = None) -> Singles:
    """Return training rows as the trees get them, in float32.

    Parameters
    ----------
    case : Case
    rows : ndarray of int
        Positions in the training table.
    steps : Pipeline, optional
        Preprocessing to use in place of the model's own.
    """
    table = model_input(case, rows)
    if isinstance(case.model, Pipeline) and len(case.model.steps) > 1:
        table = (case.model[:-1] if steps is None else steps).transform(table)
        if table.shape[0] * table.shape[1] > MOST_CELLS:
            raise NotSupportedError(
                f"the preprocessed table has {table.shape[0]:,} x {table.shape[1]:,} cells, more than fit in 2 GiB"
            )
    X = singles(table)
    if np.isinf(X).any():
        raise NotSupportedError("columns have infinite values in single precision")
    return X
