"""Starting from labels: those neither the other records nor the model itself would give."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import RedressError
from core.words import plain
from dashboard import cached
from dashboard.components import computing, searched, taking
from dashboard.components.tables import download
from dashboard.work import Work

MOST_SHOWN = 50
USUAL = 50


def show(work: Work, records: pd.DataFrame) -> None:
    """Show the button that ranks the labels, and the ranking."""
    if not computing.requested(work, searched.LABELS, "Rank suspicious labels"):
        st.caption(
            "Trains the model five times, each time without a fifth of the records, and asks what it makes of their labels. It needs no gap."
        )
        return
    try:
        found = searched.labels(work)
    except RedressError as error:
        st.info(plain(error))
        return
    if found is None:
        computing.place(work, searched.LABELS)
        return
    for note in found.attrs["notes"]:
        st.caption(f":material/info: {plain(note)}")
    table = found.assign(group=records["group"].reindex(found.index))
    table = table[["group", "label", "suspicion", "probability", "loss", "self_influence"]].dropna(axis=1, how="all")
    st.dataframe(table.head(MOST_SHOWN), lazy=False, height=260, column_config=_columns(cached.case(work).roles.target))
    download(table, "suspicious_labels")
    taking.first("labels", tuple(found.index), USUAL)


def _columns(target: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "label": config.Column(target, help="The label as recorded."),
        "suspicion": config.NumberColumn(
            "suspicion", format="%.3f", help="Mean of the ranks by loss and by self-influence, from 0 to 1."
        ),
        "probability": config.NumberColumn(
            "probability", format="%.3f", help="That models trained without the record give its label."
        ),
        "loss": config.NumberColumn("loss", format="%.3f", help="Minus the logarithm of that probability."),
        "self_influence": config.NumberColumn(
            "self-influence", format="%.4f", help="Rise of the record's own loss if it were removed."
        ),
    }
