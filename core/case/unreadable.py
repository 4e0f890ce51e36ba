"""Training records that the model cannot read.

Nothing can be said of them, and nothing updated without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.group_thresholds import scorer
from core.case.scoring import model_rows, refused
from core.errors import InputError
from core.typing import Bools

SINGLE = float(np.finfo(np.float32).max)
"""Trees hold numbers in single precision."""
FEW_VALUES = 50
"""A column of numbers with no more values than this in its first `LOOKED_AT` rows may stand for categories."""
LOOKED_AT = 1000
MOST_VALUES = 500
"""Values of a column, unknown to the test rows, of which a record each is tried."""
LONGEST = 60
"""Characters of a value that are written out."""
COMPANY = 200
"""Records that are scored beside those tried, for steps that fill cells from the other rows."""


def check_readable(
    model: Any, train: pd.DataFrame, test: pd.DataFrame, retained: Bools, record_ids: pd.Index[Any]
) -> None:
    """Raise if the model refuses a training record.

    Scores a few: for every column one with a missing, an infinite and a very large value, and one for each value that no test row has, text
    first. Costs a pass over the cells, and one over the distinct values of columns that may hold categories.

    Parameters
    ----------
    model : estimator
    train, test : DataFrame
        The columns the model gets, in its order. The model can score every row of `test`.
    retained : ndarray of bool
        The training records it must be able to read.
    record_ids : Index
        Of the training table.

    Raises
    ------
    InputError
        If a record is refused; what the model says, and where one cell is to blame, record and column, are named.
    """
    suspects = [(name, row) for name in train for row in _suspects(train[name], test[name], retained)]
    if not suspects:
        return
    rows = np.union1d([row for _, row in suspects], np.flatnonzero(retained)[:COMPANY])
    refusal = refused(model, model_rows(model, train.iloc[rows]))
    if not refusal:
        return
    about = f"{type(scorer(model)).__name__} says: {refusal}"
    for name, row in suspects:
        reason = refused(model, model_rows(model, _with_cell(test.iloc[[0]], train, name, row)))
        if reason:
            about = f"Record {_written(record_ids[row])} has {_written(train[name].iloc[row])} in {name!r}: {reason}"
            break
    raise InputError(
        f"Every training record must be one the model can read. {about}. Mend such cells, leave their records out, or give the "
        "table the model was trained on."
    )


def _suspects(column: pd.Series[Any], beside: pd.Series[Any], retained: Bools) -> Iterator[int]:
    """Yield the first retained row of every kind of cell that a model may refuse.

    Cells are those of kinds that the test rows do not have.
    """
    numeric, missing = pd.api.types.is_numeric_dtype(column), column.isna().to_numpy()
    kinds = [missing]
    if numeric:
        size = np.abs(_numbers(column))
        kinds += [np.isinf(size), (size > SINGLE) & ~np.isinf(size)]
    for kind in kinds:
        found = np.flatnonzero(kind & retained)
        yield from found[:1].tolist()
    if numeric and column.iloc[:LOOKED_AT].nunique() > FEW_VALUES:
        return
    rows = np.flatnonzero(retained & ~missing)
    rows = rows[~column.iloc[rows].duplicated().to_numpy()]
    rows = rows[~column.iloc[rows].isin(beside).to_numpy()]
    numbers = _numbers(column.iloc[rows])
    text_first = np.argsort(~np.isnan(numbers) & (np.abs(numbers) <= SINGLE), kind="stable")
    yield from rows[text_first][:MOST_VALUES].tolist()


def _numbers(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return the cells as numbers, NaN where they are none."""
    try:
        return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError, OverflowError):  # of dates, complex numbers and whole numbers beyond all floats
        return np.full(len(column), np.nan)


def _with_cell(test_row: pd.DataFrame, train: pd.DataFrame, name: Any, row: int) -> pd.DataFrame:
    """Return a test row with one cell of a training record."""
    return test_row.assign(**{name: train[name].iloc[[row]].set_axis(test_row.index)})


def _written(value: Any) -> str:
    text = repr(getattr(value, "item", lambda: value)())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
