"""Arrays and tables that nobody can write to.

A case copies each table once, when it is made, and marks the memory of the copy read-only. What it hands out are views that cost
nothing: pandas copies what is written to before it writes (copy-on-write), and whoever goes around that, through ``.values`` or
``.array``, finds memory that refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

_ELSEWHERE = pd.DataFrame({"": [0]})._mgr.blocks[0]
"""Stands for a reader who is always there: pandas then copies before it writes even where the case itself is gone."""
_PARTS = ("_ndarray", "_data", "_mask", "_left", "_right", "_sparse_values", "_codes")
"""Where the arrays of pandas, and of others made like these, keep their memory."""


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array, no longer writable."""
    array.flags.writeable = False
    return array


def frozen_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of a table whose memory is read-only; the table itself stays as it is."""
    copy = table.copy()
    copy.index, copy.attrs = copy.index.copy(deep=True), {}
    return marked(copy)


def frozen_columns(table: pd.DataFrame, columns: Iterable[Any]) -> pd.DataFrame:
    """Return some columns of a frozen table, frozen too; columns side by side share its memory."""
    return marked(table[list(columns)])


def marked(table: pd.DataFrame) -> pd.DataFrame:
    """Make the memory of a table that nobody else holds read-only, and return it."""
    _freeze(table.index)
    for block in table._mgr.blocks:
        _freeze(block.values)
        block.refs.add_reference(_ELSEWHERE)
    return table


def handed_out(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of its own over the memory of a frozen one.

    No cell is copied, and no change comes back.

    Examples
    --------
    >>> kept = frozen_table(pd.DataFrame({"income": [1.0, 2.0]}))
    >>> given = handed_out(kept)
    >>> given.loc[0, "income"] = 9.0
    >>> kept["income"].tolist(), given["income"].tolist()
    ([1.0, 2.0], [9.0, 2.0])
    """
    return table.copy(deep=False)


def _freeze(values: Any) -> None:
    """Make the memory of an array of numpy or pandas, or of an index, read-only."""
    if isinstance(values, np.ndarray):
        values.flags.writeable = False
        return
    if isinstance(values, pd.MultiIndex):
        for part in (*values.levels, *values.codes):
            _freeze(part)
        return
    if isinstance(values, pd.api.extensions.ExtensionArray):
        values._readonly = True  # type: ignore[attr-defined]  # pandas' own word for it, from 3.1 on
    for name in _PARTS:
        part = getattr(values, name, None)
        if isinstance(part, np.ndarray | pd.Index | pd.api.extensions.ExtensionArray):
            _freeze(part)
