"""The finding of an audit: the largest gap beyond chance among those looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from core.metrics.catalog import METRICS
from core.metrics.policy import CHANCE, USUAL, held_against
from core.words import interval, number

if TYPE_CHECKING:
    from core.metrics.report import AuditReport

AND = " & "
"""Joins the features of an intersection."""


@dataclass(frozen=True)
class GapFinding:
    """A gap that an audit found, and between whom.

    Parameters
    ----------
    metric, sensitive_feature : str
    value, low, high : float
        The gap and its interval.
    q_value : float
        How many of such findings are expected to be chance, over all gaps looked at.
    worst_group, best_group : str
    n_tested : int
        Gaps looked at.
    """

    metric: str
    sensitive_feature: str
    value: float
    low: float
    high: float
    q_value: float
    worst_group: str
    best_group: str
    n_tested: int

    @property
    def sentence(self) -> str:
        """The finding as a sentence."""
        return (
            f"Largest gap beyond chance of {self.n_tested:,} looked at: {METRICS[self.metric].words} by {self.sensitive_feature}, "
            f"{number(self.value)} ({interval(self.low, self.high)}), {self.worst_group} at the bad end, {self.best_group} at the good end."
        )


def largest_finding(report: AuditReport) -> GapFinding | None:
    """Return the largest gap beyond chance after correction over all gaps of a report.

    Largest is the one whose interval lies farthest from none, so that a few records' gap does not come before a sure one. Differences
    are looked at, and ratios only in a report without any; single features before intersections, whose gaps are larger by their number,
    and single rates before equalized odds, which is one of them.

    Parameters
    ----------
    report : AuditReport

    Returns
    -------
    GapFinding or None
        None where no gap is beyond chance.
    """
    table = report.gaps.reset_index()
    if table.empty:
        return None
    kinds = table["metric"].map(lambda name: METRICS[name].kind)
    kind = "difference" if (kinds == "difference").any() else "ratio"
    table = table[(kinds == kind) & table["q_value"].notna()]
    sure = table[table["q_value"] < CHANCE]
    if sure.empty:
        return None
    chosen = sure.assign(
        whole=sure["sensitive_feature"].str.contains(AND, regex=False),
        several=sure["metric"].map(lambda name: len(METRICS[name].rates) > 1),
        unscaled=sure["metric"].map(
            lambda name: not METRICS[name].has_scale or not METRICS[METRICS[name].rate].has_scale
        ),
        apart=_apart(sure, kind),
    ).sort_values(["unscaled", "whole", "several", "apart"], ascending=[True, True, True, False], kind="stable")
    row = chosen.iloc[0]
    return GapFinding(
        row["metric"],
        row["sensitive_feature"],
        float(row["value"]),
        float(row["low"]),
        float(row["high"]),
        float(row["q_value"]),
        row["worst_group"],
        row["best_group"],
        len(table),
    )


def _apart(table: pd.DataFrame, kind: str) -> pd.Series[float]:
    """Return how far the nearer end of each gap's interval lies from no gap."""
    return table["low"] if kind == "difference" else 1.0 - table["high"]


def ranked_gaps(report: AuditReport, profile: str = USUAL) -> pd.DataFrame:
    """Return all gaps of a report with verdicts, those beyond chance first.

    Then by how far they are from the best value.

    Parameters
    ----------
    report : AuditReport
    profile : str
        Thresholds, one of `core.metrics.policy.PROFILES`.
    """
    features = dict.fromkeys(report.gaps.index.get_level_values("sensitive_feature"))
    tables = [held_against(report, feature, profile).assign(sensitive_feature=feature) for feature in features]
    if not tables:
        return report.gaps.reset_index()
    table = pd.concat(tables)
    table["beyond_chance"] = table["q_value"] < CHANCE
    table["distance"] = [
        float(METRICS[name].short_of_best(value)) for name, value in zip(table["metric"], table["value"], strict=True)
    ]
    first = ["metric", "sensitive_feature", "value", "low", "high", "verdict", "beyond_chance", "distance"]
    ordered = table.sort_values(
        ["beyond_chance", "distance"], ascending=[False, False], kind="stable", na_position="last"
    )
    return ordered[[*first, *(name for name in table.columns if name not in first)]]
