"""Every version so far, as a table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.metrics import METRICS
from core.metrics.samples import feature_name
from dashboard import cached, meaning, tree
from dashboard.app_pages.remove import versions_tree
from dashboard.components.tables import download, worded
from dashboard.measures import Measure
from dashboard.session import Key
from dashboard.tables import row
from dashboard.work import Work

NUMBERS = ("gap", "gap_low", "gap_high", "utility", "utility_low", "utility_high")


def versions_table(work: Work, measure: Measure) -> pd.DataFrame:
    """Return every version with its gap and utility, without them where it is not kept."""
    rows = [_version(work, number, measure) for number in range(len(work.made) + 1)]
    table = pd.DataFrame(rows).set_index("version")
    return table.astype(dict.fromkeys(NUMBERS, float))


def _version(work: Work, number: int, measure: Measure) -> dict[str, object]:
    there = work.going(number)
    about = {
        "version": number,
        "step": tree.title(work, number),
        "parent": work.parent(number) if number else None,
        "now": number == work.number,
    }
    if not cached.is_kept(there):
        return about
    found = cached.report(there, (work.metric, "accuracy"), (work.feature,))
    gap = row(found.gaps, (work.metric, feature_name(work.feature)))
    utility = cached.utility(there, measure)
    low, high = cached.wilson_interval(utility, found.n) if measure.name == "accuracy" else (float("nan"),) * 2
    made = cached.version(there)
    result = made.result
    return {
        **about,
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


def show(work: Work, measure: Measure, table: pd.DataFrame) -> None:
    """Show the versions as a table; a click on one offers to go there and to pin it."""
    key = f"{Key.VERSION_TABLE}_{work.number}_{len(work.made)}"
    listed = table.reset_index().drop(columns=[name for name in ("bound",) if table[name].isna().all()])
    event: Any = st.dataframe(
        **worded(listed, _columns(work, measure)),
        hide_index=True,
        lazy=False,
        placeholder="",
        key=key,
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
    )
    cells, rows = event["selection"].get("cells", ()), event["selection"].get("rows", ())
    chosen = [*rows, *(cell[0] for cell in cells)]
    with st.container(horizontal=True, vertical_alignment="center"):
        download(table, "versions")
        if not chosen:
            st.caption("A click on a version offers to go there.")
        else:
            versions_tree.buttons(work, int(listed["version"].iloc[chosen[0]]))


def _columns(work: Work, measure: Measure) -> dict[str, Any]:
    metric, config = METRICS[work.metric], st.column_config
    form = "percent" if measure.is_share else "%.3f"
    return {
        "version": config.NumberColumn("version", help="In the order they were made.", pinned=True),
        "step": config.TextColumn("step", help="What led to this version.", width="medium"),
        "parent": config.NumberColumn("made from", help="The version that the step started from.", format="%d"),
        "now": config.CheckboxColumn("now", help="The version in force."),
        "removed": config.NumberColumn(
            "removed", help="Training records forgotten since the case was opened.", format="localized"
        ),
        "gap": config.NumberColumn(
            "gap",
            help=f"{meaning.label(work.metric, cached.case(work).roles)}: {metric.formula}. On the test rows searched.",
            format="%.3f",
        ),
        "gap_low": config.NumberColumn(
            "from", help="Lower end of the gap's 95% interval; below 0 lies a gap the other way round.", format="%.3f"
        ),
        "gap_high": config.NumberColumn("to", help="Upper end of the gap's 95% interval.", format="%.3f"),
        "utility": config.NumberColumn(measure.label, help="On the test rows searched.", format=form),
        "utility_low": config.NumberColumn("from", help="Lower end of Wilson's 95% interval.", format=form),
        "utility_high": config.NumberColumn("to", help="Upper end of Wilson's 95% interval.", format=form),
        "bound": config.NumberColumn(
            "proven distance", help="Of the parameters to the retrained ones, relative to their length.", format="%.1e"
        ),
        "seconds": config.NumberColumn("time (s)", help="Of the removal, without preparation.", format="%.3f"),
    }
