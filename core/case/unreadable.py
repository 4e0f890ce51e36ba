"""Training records that the model cannot read: nothing can be said of them, and nothing updated without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core.case.group_thresholds import scorer
from core.case.scoring import model_rows, refused
from core.errors import InputError, said

SINGLE = float(np.finfo(np.float32).max)
"""Trees hold numbers in single precision."""
MOST_VALUES = 200
"""Of the values of a text column that the test table lacks, so many are tried one by one to say which one is refused."""


def check_readable(model: Any, train: pd.DataFrame, test: pd.DataFrame, record_ids: pd.Index[Any]) -> None:
    """Raise if the model refuses a training record.

    Runs the steps before the model on the training table, and scores a few of its records: for every column one with a missing, an
    infinite and a very large value, and one with text where the test table has numbers.

    Parameters
    ----------
    model : estimator
    train, test : DataFrame
        The columns the model gets, in its order. The model can score the first test row.
    record_ids : Index
        Of the training table.

    Raises
    ------
    InputError
        If a record is refused; what the model says, and where one cell is to blame, record and column, are named.
    """
    suspects = [(name, row) for name in train for row in _suspects(train[name], test[name])]
    rows = sorted({row for _, row in suspects})
    refusal = refused(model, model_rows(model, train.iloc[rows])) if rows else ""
    refusal = refusal or _refused_by_steps(model, train)
    if not refusal:
        return
    suspects += [(name, row) for name in train for row in _unseen(train[name], test[name])]
    about = f"{type(scorer(model)).__name__} says: {refusal}"
    for name, row in suspects:
        reason = refused(model, model_rows(model, _with_cell(test.iloc[[0]], train, name, row)))
        if reason:
            value: Any = train[name].iloc[row]
            about = f"Record {_plain(record_ids[row])!r} has {_plain(value)!r} in {name!r}: {reason}"
            break
    raise InputError(
        f"Every training record must be one the model can read. {about}. Mend such cells, leave their records out, or give the "
        "table the model was trained on."
    )


def _suspects(column: pd.Series[Any], beside: pd.Series[Any]) -> Iterator[int]:
    """Yield the first row with a missing value, with text in place of a number, with an infinite one and with a very large one."""
    missing = column.isna().to_numpy()
    kinds = [missing]
    if pd.api.types.is_numeric_dtype(beside):
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        size = np.abs(numbers)
        kinds += [np.isnan(numbers) & ~missing, np.isinf(size), (size > SINGLE) & ~np.isinf(size)]
    for kind in kinds:
        if kind.any():
            yield int(kind.argmax())


def _unseen(column: pd.Series[Any], beside: pd.Series[Any]) -> list[int]:
    """Return the first row of each value of a text column that the test table lacks."""
    if pd.api.types.is_numeric_dtype(column):
        return []
    first = np.flatnonzero(~column.duplicated().to_numpy())
    return [int(row) for row in first[~column.iloc[first].isin(beside).to_numpy()][:MOST_VALUES]]


def _with_cell(test_row: pd.DataFrame, train: pd.DataFrame, name: Any, row: int) -> pd.DataFrame:
    """Return a test row with one cell of a training record."""
    return test_row.assign(**{name: train[name].iloc[[row]].set_axis(test_row.index)})


def _refused_by_steps(model: Any, train: pd.DataFrame) -> str:
    """Return what the steps before a model say of a training table that they do not transform; empty where they do, or there are none."""
    inner = scorer(model)
    if not isinstance(inner, Pipeline) or len(inner.steps) < 2:
        return ""
    try:
        inner[:-1].transform(model_rows(inner, train))
    except Exception as error:  # what the steps are decides which
        return said(error)
    return ""


def _plain(value: Any) -> Any:
    return getattr(value, "item", lambda: value)()
