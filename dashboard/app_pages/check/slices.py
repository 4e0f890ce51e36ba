"""The slices of the test rows in which the model does worst."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import core
from core.errors import RedressError
from core.metrics import METRICS
from core.words import count, number, plain
from dashboard import cached, meaning
from dashboard.components import computing, searched
from dashboard.components.tables import download, worded
from dashboard.session import Key
from dashboard.work import Work

RATES = ("zero_one_loss", "selection_rate", "true_positive_rate", "false_positive_rate", "precision")
INDENT = "\N{NO-BREAK SPACE}" * 4


def show(work: Work) -> None:
    """Show the button that searches the slices, and those found, as a table and as a tree."""
    roles = cached.case(work).roles
    metric = METRICS[work.metric]
    own = (work.metric,) if metric.kind == "difference" and len(metric.rates) == 1 and metric.uses == "cells" else ()
    chosen = st.selectbox(
        "Worst in",
        (*RATES, *own),
        format_func=lambda name: meaning.label(name, roles),
        key=Key.CHECK_SLICES,
        width=420,
    )
    settings = (chosen, work.feature if chosen in own else None)
    if not computing.requested(work, searched.SLICES, "Find the worst slices", *settings):
        st.caption(
            "Tries every slice of up to three conditions on the columns of the rows searched, tests each against the other rows, and corrects for all "
            "that were tried."
        )
        return
    try:
        found = searched.slices_of(work, *settings)
    except RedressError as error:
        st.info(plain(error))
        return
    if found is None:
        computing.place(work, searched.SLICES, *settings)
        return
    _head(found, meaning.label(found.metric, roles))
    table = found.to_frame()
    first = ["where", *(name for name in table.columns if name not in ("where", "slice", "p_value"))]
    table = table[first].dropna(axis=1, how="all")
    st.dataframe(**worded(table, _columns()), hide_index=True, lazy=False)
    download(table, "slices")
    st.markdown("All rows, parted by one column after another")
    tree = _tree(found)
    st.dataframe(**worded(tree, _columns()), hide_index=True, lazy=False, height=min(35 * (len(tree) + 1) + 3, 420))


def _head(found: core.WorstSlices, label: str) -> None:
    rows = f"the {count(found.n_rows, 'row')} searched"
    st.caption(
        plain(
            f"{label}: {number(found.value)} on {rows}. {count(found.n_tried, 'slice')} tried, {found.n_beyond:,} worse than the other rows "
            "beyond chance (Benjamini & Hochberg over all tried); one for every cause is listed. On the command line and in a notebook, "
            "where= takes the text of a slice."
        )
    )
    if not found.n_beyond:
        st.info("No slice is worse than the other rows beyond chance.", icon=":material/casino:")
    for note in found.notes:
        st.caption(f":material/info: {plain(note)}")


def _tree(found: core.WorstSlices) -> pd.DataFrame:
    rows = []
    for depth, node in found.tree.walk():
        one = node.slice
        named = one.conditions[-1].text if one.conditions else "all rows"
        then = f", parted by {node.split_on}" if node.split_on else ""
        name = f"{INDENT * depth}{named}{then}"
        rows.append((name, one.n, one.share, one.value, one.low, one.high, one.q_value, one.where))
    return pd.DataFrame(rows, columns=["node", "n", "share", "value", "low", "high", "q_value", "where"])


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "node": config.TextColumn("rows", width=330),
        "where": config.TextColumn("slice", help="The condition that where= takes.", width=330),
        "n": config.NumberColumn("n", help="Rows of the slice that the metric is of.", format="localized"),
        "share": config.NumberColumn("of all", help="Their share of all such rows.", format="percent"),
        "value": config.NumberColumn("value", help="The metric in the slice.", format="%.3f"),
        "low": config.NumberColumn("from", help="Lower end of its 95% interval.", format="%.3f"),
        "high": config.NumberColumn("to", help="Upper end of its 95% interval.", format="%.3f"),
        "rest": config.NumberColumn(
            "others", help="The metric in the other rows; of a gap, between the same two groups.", format="%.3f"
        ),
        "q_value": config.NumberColumn(
            "q", help="That it is no worse than in the other rows, corrected for all slices tried.", format="%.4f"
        ),
        "worst_group": config.TextColumn("bad end", help="The group at the bad end of the gap."),
        "best_group": config.TextColumn("good end", help="The group at the good end of the gap."),
    }
