"""Reading single rows out of result tables."""

from __future__ import annotations

from typing import Any

import pandas as pd


def row(table: pd.DataFrame, label: Any) -> dict[str, Any]:
    """Return the one row of `table` under `label`, as a dictionary by column."""
    found: dict[str, Any] = table.loc[[label]].iloc[0].to_dict()
    return found
