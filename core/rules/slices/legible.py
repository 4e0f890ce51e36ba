"""Conditions whose text, read back, chooses the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.conditions.where import rows_where
from core.errors import InputError
from core.rules.binning import Binned
from core.rules.conditions import Condition


def without_unreadable(binned: Binned, table: pd.DataFrame) -> tuple[Binned, tuple[str, ...]]:
    """Return the conditions that are read back from their text as the same rows.

    And a note on the columns that were left out.
    """
    good, bad = [], dict[str, None]()
    plain: dict[str, bool] = {}
    for place, one in enumerate(binned.conditions):
        simple = one.equals is None or isinstance(one.equals, str | int | float | bool | np.generic)
        if one.column not in plain or not simple:
            plain[one.column] = _reads_back(one, table)
        if plain[one.column]:
            good.append(place)
        else:
            bad[one.column] = None
    if not bad:
        return binned, ()
    kept = Binned(
        binned.bins,
        binned.n_bins,
        tuple(binned.conditions[place] for place in good),
        binned.columns[good],
        binned.starts[good],
        binned.stops[good],
        binned.chosen,
        binned.notes,
    )
    return kept, (f"Left out, as a condition on it cannot be written: {', '.join(map(repr, bad))}.",)


def _reads_back(condition: Condition, table: pd.DataFrame) -> bool:
    try:
        return bool((rows_where(table, condition.text) == condition.holds(table)).all())
    except InputError:
        return False
