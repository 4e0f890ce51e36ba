"""Weights of the rows that are audited, as those of a survey."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.errors import InputError, InputTypeError, nearest
from core.typing import Floats, Positions

SampleWeight: TypeAlias = str | npt.ArrayLike | None
"""The name of a column of the audited table, an array with a number for each of its rows, or None."""


def audited_weights(sample_weight: SampleWeight, table: pd.DataFrame, rows: Positions) -> Floats | None:
    """Return the weight of every row that is audited; None where all count alike.

    Parameters
    ----------
    sample_weight : str, array-like or None
        A column of the table; or a number for each of its rows, or for each of those audited.
    table : DataFrame
    rows : ndarray of int
        Positions of the audited rows.

    Raises
    ------
    InputError
        If the column does not exist, or a weight is missing, negative, no number, or none is above 0.

    Examples
    --------
    >>> audited_weights("w", pd.DataFrame({"w": [1, 2, 4]}), np.array([0, 2]))
    array([1., 4.])
    """
    if sample_weight is None:
        return None
    name = repr(sample_weight) if isinstance(sample_weight, str) else "`sample_weight`"
    values = _values(sample_weight, table, rows)
    try:
        weight: Floats = pd.Series(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Weights of audited rows must be numbers. Got text in {name}; take another column."
        ) from error
    for wrong, said in (
        (np.isnan(weight), "are missing"),
        (np.isinf(weight), "are infinite"),
        (weight < 0, "are negative"),
    ):
        if wrong.any():
            raise InputError(
                f"Weights of audited rows must be finite and not negative. {int(wrong.sum()):,} of {len(weight):,} in {name} {said}; "
                "mend them, or leave these rows out by `where`."
            )
    if not (weight > 0).any():
        raise InputError(
            f"Some audited rows must have a weight above 0. All {len(weight):,} in {name} are 0; take another column."
        )
    return weight


def _values(sample_weight: Any, table: pd.DataFrame, rows: Positions) -> Any:
    if isinstance(sample_weight, str):
        if sample_weight not in table.columns:
            raise InputError(
                f"The weight must be a column of the audited table. Got {sample_weight!r}."
                + (nearest(sample_weight, table.columns) or " Give the weights as an array where they stand elsewhere.")
            )
        return table[sample_weight].iloc[rows]
    if not isinstance(sample_weight, Iterable):
        raise InputTypeError(
            f"`sample_weight` must name a column of the audited table, or be an array of numbers. Got {sample_weight!r} instead."
        )
    values = np.asarray(sample_weight)
    if values.ndim != 1 or len(values) not in (len(table), len(rows)):
        raise InputError(
            f"`sample_weight` must have a number for each of the {len(table):,} rows of the table, or of the {len(rows):,} audited. "
            f"Got an array of shape {values.shape}."
        )
    return values if len(values) == len(rows) else values[rows]
