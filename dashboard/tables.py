"""Reading single rows and values out of result tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.case.groups import Groups


def row(table: pd.DataFrame, label: Any) -> dict[str, Any]:
    """Return the one row of `table` under `label`, as a dictionary by column."""
    return {str(name): value for name, value in table.loc[[label]].iloc[0].items()}


def group_names(groups: Groups) -> pd.Categorical[Any]:
    """Return the group of every record by name."""
    return pd.Categorical.from_codes(groups.codes, pd.Index(groups.names))
