"""Changes of levels of every group, gaps, accuracy and calibration, under one correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.errors import listed
from core.metrics.catalog import METRICS, Metric, metric_of
from core.metrics.compared import Compared, direction
from core.numerics.statistics.false_discovery import discovery_rates
from core.typing import Floats

FEWEST = 30
"""A group's level is tested where the rate is taken over so many of its rows or more."""
ERROR_RATE = 0.05
"""Of the test of the chosen gap, and false discovery rate among everything else."""
WORTH_COUNTING = 0.005
"""Half a percentage point: smaller changes count as none, however sure, since any removal moves a few decisions one way."""
WORTH_OF_RARE = 0.1
"""Of rare outcomes: a tenth of their share, where that is less."""

MOST_NAMED = 5

GAPS = {
    "selection_rate": "demographic_parity_difference",
    "true_positive_rate": "equal_opportunity_difference",
    "false_positive_rate": "false_positive_rate_difference",
    "accuracy": "accuracy_score_difference",
}
"""Rates looked at in every group, and their gaps."""
CALIBRATION = "calibration_error"


@dataclass(frozen=True)
class Levels:
    """Changes, group by group and metric by metric.

    Parameters
    ----------
    groups : DataFrame
        Indexed by (metric, sensitive_feature, group).
    metrics : DataFrame
        Indexed by (metric, sensitive_feature).
    n_tested : int
        Changes corrected together.
    notes : tuple of str
        Which groups are too small to be tested.
    """

    groups: pd.DataFrame
    metrics: pd.DataFrame
    n_tested: int
    notes: tuple[str, ...]


def measured(compared: Compared, metric: Metric, feature: str) -> Levels:
    """Return what changed in two samples, each change with its test.

    `metric` of `feature` is tested on its own, everything else is corrected together.
    """
    rates = tuple(dict.fromkeys((*metric.rates, *GAPS)))
    groups = compared.levels(rates)
    few = groups["n"] < FEWEST
    of_one = groups.index.get_level_values("sensitive_feature").isin(
        [n for n in compared.views if is_single(compared, n)]
    )
    notes = _left_out(groups[few])
    groups, few = groups[of_one | ~few], few[of_one | ~few]
    wanted = [metric, *map(metric_of, (*GAPS.values(), *GAPS))]
    if compared.before.score is not None and compared.after.score is not None and compared.before.probability:
        wanted.append(METRICS[CALIBRATION])
    metrics = compared.table(dict.fromkeys(wanted))
    chosen = metrics.index == (metric.name, feature)
    p_groups = groups["p_value"].where(~few).to_numpy()
    p_metrics = np.where(chosen, np.nan, metrics["p_value"].to_numpy(dtype=np.float64))
    q_value, n_tested = _corrected(np.concatenate([p_groups, p_metrics]))
    floors = _floors(compared, rates)
    groups = _judged(groups, q_value[: len(groups)], floors)
    q_metrics = np.where(chosen, metrics["p_value"].to_numpy(dtype=np.float64), q_value[len(groups) :])
    return Levels(groups, _judged(metrics, q_metrics, floors), n_tested, notes)


def is_single(compared: Compared, name: str) -> bool:
    """Return whether a view is of one sensitive feature, not of an intersection."""
    return isinstance(compared.features[name], str)


def _left_out(few: pd.DataFrame) -> tuple[str, ...]:
    """Say for every sensitive feature how many levels are not tested."""
    of = few.index.get_level_values("sensitive_feature")
    names = {
        name: listed(dict.fromkeys(few.index[of == name].get_level_values("group")), most=MOST_NAMED)
        for name in of.unique()
    }
    return tuple(
        f"Not tested for some rates by {name}, with fewer than {FEWEST} rows: {groups}."
        for name, groups in names.items()
    )


def _corrected(p_values: Floats) -> tuple[Floats, int]:
    """Return false discovery rates, NaN where nothing was tested, and how many were."""
    tested = ~np.isnan(p_values)
    q_value = np.full(len(p_values), np.nan)
    q_value[tested] = discovery_rates(p_values[tested], p_values[tested])
    return q_value, int(tested.sum())


def _floors(compared: Compared, rates: tuple[str, ...]) -> dict[str, float]:
    """Return the smallest change of every rate that counts.

    It follows how rare the outcome is over all records.
    """
    floors = {CALIBRATION: WORTH_COUNTING}
    for rate in rates:
        level = float(compared.whole.rate(rate)[0].estimate[0])
        rare = min(level, 1.0 - level)
        floors[rate] = min(WORTH_COUNTING, WORTH_OF_RARE * rare) if rare > 0 else WORTH_COUNTING
    return floors


def _judged(table: pd.DataFrame, q_value: Floats, floors: dict[str, float]) -> pd.DataFrame:
    """Add q-value and direction of every change, and whether it is beyond chance and counts."""
    metrics = [metric_of(name) for name in table.index.get_level_values("metric")]
    change = table["change"].to_numpy(dtype=np.float64)
    floor = np.array([floors[metric.rate] / (1.0 if metric.kind != "ratio" else 0.5) for metric in metrics])
    found = table.assign(q_value=q_value)
    found["direction"] = [direction(metric, value) for metric, value in zip(metrics, change, strict=True)]
    with np.errstate(invalid="ignore"):
        found["clear"] = (q_value <= ERROR_RATE) & (np.abs(change) >= floor)
    return found


def row_of(table: pd.DataFrame, key: tuple[str, ...]) -> dict[str, Any]:
    """Return one row of a table of changes."""
    return {str(name): value for name, value in table.iloc[table.index.get_loc(key)].items()}
