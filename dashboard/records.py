"""The training records as one table: influence, group, label, whether removed.

With filters on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

import core
from core.case.groups import MISSING
from core.rules.conditions import Condition
from dashboard.tables import group_names

Point = tuple[float, float]


@dataclass(frozen=True)
class Filters:
    """Which records to look at; an empty choice lets everything through.

    Parameters
    ----------
    groups : tuple of str
        Groups of the sensitive feature.
    labels : tuple of str
        Label values, as text.
    column : str or None
        A raw column to filter by.
    values : tuple of str
        Values of a text column, as text.
    low, high : float or None
        Range of a numeric column, both ends included.
    """

    groups: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    column: str | None = None
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def apply(self, records: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
        """Return the records that pass.

        Parameters
        ----------
        records : DataFrame
            As `record_table` gives it.
        train : DataFrame
            The training table; rows in the order of ``position``.
        """
        keep = pd.Series(True, index=records.index)
        if self.groups:
            keep &= records["group"].isin(self.groups)
        if self.labels:
            keep &= records["label"].astype(str).isin(self.labels)
        if self.column is not None:
            raw = train[self.column].iloc[records["position"]].set_axis(records.index)
            if self.values:
                keep &= texts(raw).isin(self.values)
            if self.low is not None and self.high is not None:
                keep &= raw.between(self.low, self.high)
        return records[keep]


def texts(column: pd.Series[Any]) -> pd.Series[str]:
    """Return values as text, those that are missing as "(missing)"."""
    return column.astype(object).where(column.notna(), MISSING).astype(str)


def record_groups(case: core.Case, feature: Any) -> pd.DataFrame:
    """Return ``group``, ``label``, ``removed`` and ``position`` of every training record.

    Indexed by id, in the table's order.
    """
    groups = case.groups(feature, "train")
    return pd.DataFrame(
        {
            "group": group_names(groups),
            "label": case.train[case.roles.target].array,
            "removed": ~case.retained,
            "position": range(len(case.record_ids)),
        },
        index=case.record_ids,
    )


def record_table(
    case: core.Case, gap: pd.Series[float] | None, loss: pd.Series[float] | None, feature: Any
) -> pd.DataFrame:
    """Return one row per training record, in the order of the training table.

    Parameters
    ----------
    case : Case
        The case now.
    gap, loss : Series or None
        Influence of records; None where nothing predicts it.
    feature : str or tuple of str
        The sensitive feature.

    Returns
    -------
    DataFrame
        Indexed by record id: ``gap``, ``loss`` (NaN once removed), ``group``, ``label``, ``removed``, ``position``.
    """
    table = record_groups(case, feature)
    for name, effects in (("loss", loss), ("gap", gap)):
        table.insert(0, name, float("nan") if effects is None else effects.reindex(case.record_ids))
    return table


def most_harmful(records: pd.DataFrame, n: int, *, lower_is_fairer: bool) -> pd.Index[Any]:
    """Return the `n` retained records whose removal is predicted to improve the gap most.

    They are named by their ids.
    """
    retained = records[~records["removed"]]
    return (retained["gap"].nsmallest(n) if lower_is_fairer else retained["gap"].nlargest(n)).index


def inside_box(records: pd.DataFrame, x: Sequence[float], y: Sequence[float]) -> pd.Index[Any]:
    """Return the ids of records inside a rectangle of the scatter."""
    return records.index[records["gap"].between(min(x), max(x)) & records["loss"].between(min(y), max(y))]


def inside_outline(records: pd.DataFrame, x: Sequence[float], y: Sequence[float]) -> pd.Index[Any]:
    """Return the ids of records inside a drawn outline, by counting crossings.

    O(records x corners).

    Examples
    --------
    >>> spots = pd.DataFrame({"gap": [0.5, 2.0], "loss": [0.5, 0.5]}, index=["in", "out"])
    >>> list(inside_outline(spots, [0, 1, 1, 0], [0, 0, 1, 1]))
    ['in']
    """
    near = records.loc[inside_box(records, x, y)]
    inside = pd.Series(False, index=near.index)
    corners = list(zip(x, y, strict=True))
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y0 == y1:
            continue
        crosses = (near["loss"] < y0) != (near["loss"] < y1)
        inside ^= crosses & (near["gap"] < x0 + (near["loss"] - y0) * (x1 - x0) / (y1 - y0))
    return near.index[inside]


def records_where(case: core.Case, conditions: Iterable[Condition]) -> pd.Index[Any]:
    """Return the ids of the retained records for which all conditions hold."""
    table = case.train[case.retained]
    meet = pd.Series(True, index=table.index)
    for condition in conditions:
        meet &= condition.holds(table)
    return case.retained_ids[meet.to_numpy()]


def makeup(records: pd.DataFrame, selection: pd.Index[Any]) -> pd.DataFrame:
    """Return what a selection is made of.

    How many records per group and label, and what share of each cell that is.
    """
    chosen = records.loc[selection]
    retained = records[~records["removed"]]
    counts = pd.crosstab(chosen["group"].astype(str), chosen["label"].astype(str))
    whole = pd.crosstab(retained["group"].astype(str), retained["label"].astype(str))
    whole = whole.reindex(index=counts.index, columns=counts.columns, fill_value=0)
    rows = [
        {"group": group, "label": label, "selected": int(counts.loc[group, label]), "of": int(whole.loc[group, label])}
        for group in counts.index
        for label in counts.columns
        if counts.loc[group, label]
    ]
    table = pd.DataFrame(rows, columns=["group", "label", "selected", "of"])
    table["share of them"] = table["selected"] / table["of"]
    table["share of selection"] = table["selected"] / max(len(chosen), 1)
    return table.sort_values("selected", ascending=False, ignore_index=True)
