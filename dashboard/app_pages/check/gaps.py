"""Gaps between groups, each against a threshold that anyone may change."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.figures import gaps
from core.metrics import METRICS, AuditReport, policy
from core.metrics.catalog import shown
from core.metrics.report import UNITS
from core.metrics.samples import feature_name
from core.words import listing, plain
from dashboard import cached
from dashboard.components import chart
from dashboard.components.tables import download
from dashboard.session import Key
from dashboard.work import Work

HIDDEN = ("formula", "insufficient")


def show(work: Work) -> None:
    """Show every gap of the chosen sensitive feature with its interval, threshold and verdict."""
    profile = st.selectbox(
        "Thresholds to start from",
        list(policy.PROFILES),
        key=Key.CHECK_PROFILE,
        width=420,
        help="Conventions to look by. None of them says what is allowed; change any value in the table.",
    )
    st.caption(
        "A gap is **inside** or **outside** only with its whole interval; where the interval reaches over the threshold the data "
        "cannot tell, and it stays **open**. Interval and p are of each gap alone; with so many gaps some p are small by chance, and q is "
        "corrected for all of this table."
    )
    table = _table(work, profile)
    slots = st.columns(2, gap="large")
    edited = st.data_editor(
        table.drop(columns=[*HIDDEN]).assign(low=table["low"].round(3) + 0.0),  # Else the browser writes -0.000.
        key=f"{Key.CHECK_LIMITS}_{profile}_{cached.key(work)}_{feature_name(work.feature)}",
        disabled=["_index", *(column for column in table.columns if column != "threshold")],
        column_config=_columns(),
        hide_index=False,
        height=35 * (len(table) + 1) + 3,
    )
    table["threshold"] = edited["threshold"].astype(float)
    table["verdict"] = [policy.verdict_on(row, row["threshold"]) for _, row in table.iterrows()]
    for slot, (kind, unit) in zip(slots, UNITS.items(), strict=True):
        with slot:
            own = table[[METRICS[name].kind == kind for name in table["metric"]]]
            chart.show(gaps.against_thresholds(own, f"{kind}s", unit), f"gaps_{kind}s")
    download(table.drop(columns="insufficient"), "gaps")
    _verdicts(table, work)


def _report(work: Work) -> AuditReport:
    probability = cached.case(work).score_kind == "probability"
    return cached.report(
        work, shown("difference", "ratio", probability=probability), (work.feature,), on=cached.rows_of_version(work)
    )


def _table(work: Work, profile: str) -> pd.DataFrame:
    table = policy.held_against(_report(work), feature_name(work.feature), profile)
    columns = [
        "value",
        "low",
        "high",
        "threshold",
        "verdict",
        "p_value",
        "q_value",
        "worst_group",
        "best_group",
        "n_worst",
        "n",
        "left_out",
        "metric",
        *HIDDEN,
    ]
    return table[columns]


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "gap": config.TextColumn("gap", help="Of the sensitive feature chosen on the strip."),
        "threshold": config.NumberColumn(
            "threshold", help="Yours to change.", format="%.2f", min_value=0.0, max_value=1.0, step=0.01, required=True
        ),
        "value": config.NumberColumn(
            "value", help="Largest less smallest group rate, or smallest over largest.", format="%.3f"
        ),
        "low": config.NumberColumn(
            "from", help="Lower end of the 95% interval. With two groups the gap is signed.", format="%.3f"
        ),
        "high": config.NumberColumn("to", help="Upper end of the 95% interval.", format="%.3f"),
        "p_value": config.NumberColumn(
            "p", help="Permutation test: how often groups that do not matter would look as different.", format="%.4f"
        ),
        "q_value": config.NumberColumn(
            "q",
            help="p corrected over all gaps of this table (Benjamini & Hochberg): of those with q below 0.05 no more than one in twenty is "
            "expected to be chance.",
            format="%.4f",
        ),
        "worst_group": config.TextColumn(
            "bad end",
            help="The group at the bad end of the rate: the worst-off one. Where the class that is scored is bad, as in fraud, that is, of the "
            "gap in the share missed, the group missed most.",
        ),
        "best_group": config.TextColumn("good end", help="The group at the good end of the rate."),
        "n_worst": config.NumberColumn("n bad end", help="Rows of the group at the bad end.", format="localized"),
        "n": config.NumberColumn("n", help="Test rows.", format="localized"),
        "left_out": config.TextColumn("left out", help="Groups in which the rate is undefined."),
        "metric": config.TextColumn("name", help="The metric's name in the library; fairlearn's where it has one."),
        "verdict": config.TextColumn(
            "verdict", width=150, help="; ".join(f"{name}: {meaning}" for name, meaning in policy.MEANING.items())
        ),
    }


def _why(names: list[str], work: Work) -> str:
    """Return which of the groups at the ends of these gaps are too small, where some are."""
    by_group = _report(work).by_group.droplevel(0)
    small = [name for name in names if name in by_group.index and bool(by_group.loc[name, "insufficient"])]
    return f": {listing(plain(name) for name in small)} {'is' if len(small) == 1 else 'are'} too small" if small else ""


def _verdicts(table: pd.DataFrame, work: Work) -> None:
    undefined = table[table["verdict"] == policy.UNDEFINED]
    if len(undefined):
        without = sorted({name for text in undefined["left_out"] for name in str(text).split(", ") if name})
        st.info(
            f"{len(undefined)} of {len(table)} gaps {'is' if len(undefined) == 1 else 'are'} undefined"
            + (
                f": {listing(plain(name) for name in without)} {'has' if len(without) == 1 else 'have'} no rate there."
                if without
                else "."
            )
        )
    unsure = table[table["verdict"] == policy.UNSURE]
    if len(unsure):
        names = sorted({str(name) for name in (*unsure["worst_group"], *unsure["best_group"]) if name is not None})
        st.warning(
            f"Insufficient evidence for {len(unsure)} of {len(table)} gaps{_why(names, work)}.",
            icon=":material/hourglass_empty:",
        )
