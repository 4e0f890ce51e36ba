"""Every version so far, on the fairness-accuracy plane and as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import UnlearnResult
from core.metrics import METRICS
from core.metrics.samples import feature_name
from dashboard import cached
from dashboard.components import chart, opening
from dashboard.components.tables import download
from dashboard.figures import plane
from dashboard.tables import row
from dashboard.words import count
from dashboard.work import Work

FRAGMENT = "versions"


@st.fragment(key=FRAGMENT)
def show() -> None:
    """Show the path of versions."""
    work = opening.opened()
    table = _versions(work)
    metric = METRICS[work.metric]
    st.divider()
    chart.show(plane.path(table, metric.label, "accuracy", lower_is_fairer=metric.better == "lower"), "plane")
    _table(work, table)


def _versions(work: Work) -> pd.DataFrame:
    rows = []
    for at in range(len(work.steps) + 1):
        if at > work.at and cached.versions().peek(work.case_id, work.steps[:at]) is None:
            break
        rows.append(_version(work, at))
    return pd.DataFrame(rows).set_index("version")


def _version(work: Work, at: int) -> dict[str, object]:
    found = cached.report(work, (work.metric, "accuracy"), (work.feature,), at)
    gap = row(found.gaps, (work.metric, feature_name(work.feature)))
    accuracy = float(found.overall["accuracy"])
    low, high = cached.wilson_interval(accuracy, found.n)
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
        "utility": accuracy,
        "utility_low": low,
        "utility_high": high,
        "method": "" if result is None else result.method,
        "guarantee": "" if result is None else result.guarantee.value,
        "bound": None if result is None else result.relative_bound,
        "seconds": None if result is None else result.seconds,
    }


def _step(at: int, result: UnlearnResult | None) -> str:
    if at == 0:
        return "as opened"
    if result is None:
        return "converged"
    return f"{count(result.n_forgotten, 'record')} removed" if result.n_forgotten else "trained again"


def _table(work: Work, table: pd.DataFrame) -> None:
    metric, config = METRICS[work.metric], st.column_config
    st.dataframe(
        table,
        lazy=False,
        placeholder="",
        column_config={
            "step": config.TextColumn("step", help="What led to this version.", width="medium"),
            "now": config.CheckboxColumn("now", help="The version in force."),
            "removed": config.NumberColumn(
                "removed", help="Training records forgotten since the case was opened.", format="localized"
            ),
            "gap": config.NumberColumn("gap", help=f"{metric.label}: {metric.formula}", format="%.3f"),
            "gap_low": config.NumberColumn("from", help="Lower end of the gap's 95% interval.", format="%.3f"),
            "gap_high": config.NumberColumn("to", help="Upper end of the gap's 95% interval.", format="%.3f"),
            "utility": config.NumberColumn("accuracy", help="P(D = Y) on the test rows explored.", format="percent"),
            "utility_low": config.NumberColumn("from", help="Lower end of Wilson's 95% interval.", format="percent"),
            "utility_high": config.NumberColumn("to", help="Upper end of Wilson's 95% interval.", format="percent"),
            "bound": config.NumberColumn(
                "proven distance",
                help="Of the parameters to the retrained ones, relative to their length.",
                format="%.1e",
            ),
            "seconds": config.NumberColumn("time (s)", help="Of the removal, without preparation.", format="%.3f"),
        },
    )
    download(table, "versions")
