"""The scores themselves: calibration and ROC of each group."""

from __future__ import annotations

import streamlit as st

from core.errors import NotSupportedError
from core.figures import scores
from core.figures.look import smallest_and_largest
from core.metrics.samples import feature_name
from core.words import number, plain
from dashboard import cached
from dashboard.components import chart
from dashboard.components.tables import rate_table
from dashboard.work import Work


def show(work: Work) -> None:
    """Show calibration and ROC curves of the chosen sensitive feature's groups."""
    left, right = st.columns(2, gap="large")
    with left:
        _calibration(work)
    with right:
        _roc(work)


def _calibration(work: Work) -> None:
    try:
        table = cached.table(work, "calibration", work.feature)
    except NotSupportedError as error:
        st.info(plain(error))
        return
    errors = cached.report(
        work, ("calibration_error",), (work.feature,), on=cached.rows_of_version(work)
    ).by_group.droplevel(0)
    _, _, worst, off = smallest_and_largest(errors["calibration_error"])
    title = f"Scores are furthest off for {worst}: expected calibration error {number(off)}"
    chart.show(scores.calibration(table, title), "calibration")
    st.caption(
        "Observed share of the good outcome in each tenth of the score, with Wilson's 95% intervals. On the dotted line a score means what it says."
    )
    with st.expander("As a table"):
        st.dataframe(
            table,
            hide_index=True,
            lazy=False,
            column_config={
                name: st.column_config.NumberColumn(title, format="%.3f", help=about)
                for name, title, about in (
                    ("predicted", "mean score", "Mean score of the favourable label in the bin."),
                    ("observed", "observed", "Share of rows in the bin whose label is favourable."),
                    ("low", "from", "Lower end of Wilson's 95% interval."),
                    ("high", "to", "Upper end of Wilson's 95% interval."),
                )
            },
        )
        st.dataframe(
            errors.rename_axis(feature_name(work.feature)),
            lazy=False,
            column_config=rate_table(["calibration_error"], cached.case(work, 0).roles),
        )


def _roc(work: Work) -> None:
    table = cached.table(work, "roc", work.feature)
    if table.empty:
        st.info("A ROC curve needs both labels in a group. No group has both among these rows.")
        return
    areas = cached.report(work, ("roc_auc",), (work.feature,), on=cached.rows_of_version(work)).by_group.droplevel(0)
    known = areas["roc_auc"].dropna()
    low, least, high, most = smallest_and_largest(known)
    title = f"Scores rank {low} least well: ROC AUC {number(least)}, against {number(most)} for {high}"
    chart.show(scores.roc(table, known, title), "roc")
    st.caption(
        "AUC, the area under a curve, is the chance that of two rows of a group, one with the good outcome and one without, the one with it "
        "has the higher score for it; equal scores count half. 0.5 is no better than a coin, 1 is perfect."
    )
    with st.expander("As a table"):
        st.dataframe(
            areas.rename_axis(feature_name(work.feature)),
            lazy=False,
            column_config=rate_table(["roc_auc"], cached.case(work, 0).roles),
        )
        st.dataframe(table, hide_index=True, lazy=False)
