"""Reading single rows and values out of result tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.case.groups import Groups


def row(table: pd.DataFrame, label: Any) -> dict[str, Any]:
    """Return the one row of `table` under `label`, as a dictionary by column."""
    return {str(name): value for name, value in table.loc[[label]].iloc[0].items()}


def extremes(column: pd.Series[Any]) -> tuple[str, float, str, float]:
    """Return the label and value of the smallest entry, then of the largest; NaN is passed over.

    Examples
    --------
    >>> extremes(pd.Series([0.2, 0.9], index=["a", "b"]))
    ('a', 0.2, 'b', 0.9)
    """
    known = column.dropna().sort_values(kind="stable")
    return str(known.index[0]), float(known.iloc[0]), str(known.index[-1]), float(known.iloc[-1])


def named(groups: Groups) -> pd.Categorical[Any]:
    """Return the group of every record by name."""
    return pd.Categorical.from_codes(groups.codes, pd.Index(groups.names))
