"""The result of an audit within strata."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.metrics.catalog import METRICS
from core.shown import Shown
from core.words import interval, number, percent

MOST_GAPS = 3
"""Pooled gaps that are named in the lines, those first whose intervals lie farthest from none."""


@dataclass(frozen=True, repr=False)
class Strata(Shown):
    """Rates and gaps within strata, and pooled over them.

    Parameters
    ----------
    control : str
        The control features, joined by "&".
    by_group : DataFrame
        Indexed by (stratum, sensitive_feature, group), with the columns of `AuditReport.by_group`.
    gaps : DataFrame
        Indexed by (metric, sensitive_feature, stratum), with the columns of `AuditReport.gaps` and ``n``, the stratum's records;
        ``q_value`` corrects over all strata, features and metrics.
    pooled : DataFrame
        Indexed by (metric, sensitive_feature): the gap of rates standardised to the same mix of strata, ``value`` with ``low``, ``high``,
        ``p_value`` and ``q_value``; its groups; ``over_all``, the gap without strata; the ``stratum`` where most of the pooled gap
        lives and its ``share``; whether the groups over all records stand the other way round with strata mixed alike (``reversed``),
        and the strata in which they do (``reversed_in``); the ``n_strata`` pooled, the share of records they cover, and groups left out
        since too many strata have none of them.
    notes : tuple of str
        What a reader must know, a sentence each.
    """

    control: str
    by_group: pd.DataFrame
    gaps: pd.DataFrame
    pooled: pd.DataFrame
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Say the surest pooled gaps beside those over all rows, and in which stratum they live."""
        table = self.pooled.reset_index()
        kinds = table["metric"].map(lambda name: METRICS[name].kind)
        found = table[(kinds == "difference") & table["value"].notna()]
        lines = [
            f"{row['metric']} of {row['sensitive_feature']} within {self.control}: {number(row['value'])} "
            f"({interval(row['low'], row['high'])}), over all rows {number(row['over_all'])}"
            + (f"; {percent(row['share'], 0)} of it in {row['stratum']}" if row["stratum"] else "")
            for _, row in found.sort_values(["low", "value"], ascending=False, kind="stable").head(MOST_GAPS).iterrows()
        ]
        return [f"Strata of {self.control}", *lines, *self.notes]

    def to_frame(self) -> pd.DataFrame:
        """Return the pooled gaps, one row each."""
        return self.pooled.reset_index()
