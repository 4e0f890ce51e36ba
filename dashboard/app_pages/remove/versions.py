"""Every version so far, as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import UnlearnResult
from core.metrics import METRICS
from core.metrics.samples import feature_name
from core.words import count
from dashboard import cached, meaning
from dashboard.components.tables import download, worded
from dashboard.measures import Measure
from dashboard.tables import row
from dashboard.work import Work


def versions_table(work: Work, measure: Measure) -> pd.DataFrame:
    """Return every version that is kept or in force, with its gap and utility."""
    rows = []
    for at in range(len(work.steps) + 1):
        if at > work.at and cached.versions().peek(work.case_id, work.steps[:at]) is None:
            break
        rows.append(_version(work, at, measure))
    return pd.DataFrame(rows).set_index("version")


def _version(work: Work, at: int, measure: Measure) -> dict[str, object]:
    found = cached.report(work, (work.metric, "accuracy"), (work.feature,), at)
    gap = row(found.gaps, (work.metric, feature_name(work.feature)))
    utility = cached.utility(work, measure, at)
    low, high = cached.wilson_interval(utility, found.n) if measure.name == "accuracy" else (float("nan"),) * 2
    made = cached.version(work, at)
    result = made.result
    step = _step(at, result)
    return {
        "version": at,
        "step": step,
        "now": at == work.at,
        "removed": len(made.case.forgotten_ids),
        "gap": gap["value"],
        "gap_low": gap["low"],
        "gap_high": gap["high"],
        "utility": utility,
        "utility_low": low,
        "utility_high": high,
        "method": "" if result is None else result.method,
        "guarantee": "" if result is None else result.claim,
        "bound": None if result is None else result.relative_bound,
        "seconds": None if result is None else result.seconds,
    }


def _step(at: int, result: UnlearnResult | None) -> str:
    if at == 0:
        return "as opened"
    if result is None:
        return "converged"
    return f"{count(result.n_forgotten, 'record')} removed" if result.n_forgotten else "trained again"


def show(work: Work, measure: Measure, table: pd.DataFrame) -> None:
    """Show the versions as a table."""
    metric, config = METRICS[work.metric], st.column_config
    form = "percent" if measure.is_share else "%.3f"
    st.dataframe(
        **worded(
            table,
            {
                "step": config.TextColumn("step", help="What led to this version.", width="medium"),
                "now": config.CheckboxColumn("now", help="The version in force."),
                "removed": config.NumberColumn(
                    "removed", help="Training records forgotten since the case was opened.", format="localized"
                ),
                "gap": config.NumberColumn(
                    "gap",
                    help=f"{meaning.label(work.metric, cached.case(work).roles)}: {metric.formula}",
                    format="%.3f",
                ),
                "gap_low": config.NumberColumn(
                    "from",
                    help="Lower end of the gap's 95% interval; below 0 lies a gap the other way round.",
                    format="%.3f",
                ),
                "gap_high": config.NumberColumn("to", help="Upper end of the gap's 95% interval.", format="%.3f"),
                "utility": config.NumberColumn(measure.label, help="On the test rows searched.", format=form),
                "utility_low": config.NumberColumn("from", help="Lower end of Wilson's 95% interval.", format=form),
                "utility_high": config.NumberColumn("to", help="Upper end of Wilson's 95% interval.", format=form),
                "bound": config.NumberColumn(
                    "proven distance",
                    help="Of the parameters to the retrained ones, relative to their length.",
                    format="%.1e",
                ),
                "seconds": config.NumberColumn("time (s)", help="Of the removal, without preparation.", format="%.3f"),
            },
        ),
        lazy=False,
        placeholder="",
    )
    download(table, "versions")
