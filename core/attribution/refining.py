"""Moving the bounds of a rule's intervals from the edges of bins to where they do most for their records' number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.attribution.binning import short_cuts
from core.attribution.conditions import Condition
from core.attribution.evidence import LIFT, Evidence
from core.attribution.rule import Rule

Floats = npt.NDArray[np.float64]

CUTS = 64
"""Bounds tried on either side."""
NEARLY = 0.99
"""Of intervals that do this share of what the best does, the one of fewest records is taken."""


def refine(
    rule: Rule, table: pd.DataFrame, evidence: Evidence, fixed: Callable[[str], bool], counts: tuple[int, int]
) -> Rule:
    """Return the rule with its intervals, one after the other, as they do most for the worse-off group.

    Parameters
    ----------
    rule : Rule
    table : DataFrame
        The retained training rows.
    evidence : Evidence
    fixed : callable
        Says of a column whether its edges were chosen by the user and stay.
    counts : tuple of int
        Fewest and most records.
    """
    for place, one in enumerate(rule.conditions):
        if (one.low is None and one.high is None) or fixed(one.column):
            continue
        others = rule.conditions[:place] + rule.conditions[place + 1 :]
        rows = np.flatnonzero(
            np.logical_and.reduce([np.ones(len(table), dtype=bool), *(other.holds(table) for other in others)])
        )
        moved = _best_interval(one, table[one.column], rows, evidence, counts)
        if moved is not None:
            conditions = (*rule.conditions[:place], moved, *rule.conditions[place + 1 :])
            found = Rule.of(conditions, rows[moved.holds(table.iloc[rows])], evidence, rule.cause)
            if found.merit(len(table)) > rule.merit(len(table)):
                rule = found
    return rule


def _best_interval(
    one: Condition, column: pd.Series[float], rows: npt.NDArray[np.intp], evidence: Evidence, counts: tuple[int, int]
) -> Condition | None:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    rows, numbers = rows[~np.isnan(numbers)], numbers[~np.isnan(numbers)]
    cuts = np.unique(np.quantile(numbers, np.arange(1, CUTS) / CUTS, method="higher")) if len(numbers) else np.empty(0)
    cuts = short_cuts(cuts[cuts > numbers.min()], np.unique(numbers)) if len(cuts) else cuts
    if not len(cuts):
        return None
    cell = np.searchsorted(cuts, numbers, side="right")
    cells = len(cuts) + 1
    gains = evidence.terms[rows, LIFT]
    totals = np.bincount(cell, minlength=cells), np.bincount(cell, gains, minlength=cells)
    size, lift = (np.concatenate([[0.0], np.cumsum(total)]) for total in totals)
    count, value = size[None, :] - size[:, None], lift[None, :] - lift[:, None]
    value[(count < counts[0]) | (count > counts[1])] = -np.inf
    value[0, cells] = -np.inf
    best = float(value.max())
    if not 0.0 < best < np.inf:
        return None
    low, high = np.unravel_index(int(np.argmin(np.where(value >= NEARLY * best, count, np.inf))), count.shape)
    return Condition(
        one.column,
        low=float(cuts[low - 1]) if low > 0 else None,
        high=float(cuts[high - 1]) if high < cells else None,
    )
