"""Taking the most harmful records, and what is selected now."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.metrics import METRICS
from core.words import count, percent, plain
from dashboard import session
from dashboard.components import pages
from dashboard.records import makeup, most_harmful
from dashboard.session import Key
from dashboard.work import Work

MOST_SHARE = 10.0


def show(work: Work, passing: pd.DataFrame) -> None:
    """Show the slider and the number that take the most harmful of the records that pass."""
    n = int((~passing["removed"]).sum())
    args = (work.metric, passing)
    session.start_at(Key.FIND_SHARE, 0.0)
    session.start_at(Key.FIND_NUMBER, 0)
    st.slider(
        "Take the most harmful",
        0.0,
        MOST_SHARE,
        step=0.1,
        format="%.1f%%",
        key=Key.FIND_SHARE,
        on_change=_take_share,
        args=args,
        width=380,
        help=f"Share of the {count(n, 'record')} that pass the filters, those first whose removal is predicted to improve the gap most. "
        "The strip previews what removing them together would do.",
    )
    st.number_input("or this many", 0, max(n - 1, 0), key=Key.FIND_NUMBER, on_change=_take_number, args=args, width=150)


def set_number(n: int, passing: pd.DataFrame) -> None:
    """Show a number of records on both widgets."""
    whole = max(int((~passing["removed"]).sum()), 1)
    session.set_value(Key.FIND_NUMBER, n)
    session.set_value(Key.FIND_SHARE, min(round(100 * n / whole, 1), MOST_SHARE))


def _take_share(metric: str, passing: pd.DataFrame) -> None:
    n = round(float(session.value(Key.FIND_SHARE)) / 100 * int((~passing["removed"]).sum()))
    session.set_value(Key.FIND_NUMBER, n)
    _take(metric, passing, n)


def _take_number(metric: str, passing: pd.DataFrame) -> None:
    n = int(session.value(Key.FIND_NUMBER) or 0)
    set_number(n, passing)
    _take(metric, passing, n)


def _take(metric: str, passing: pd.DataFrame, n: int) -> None:
    session.select(most_harmful(passing, n, lower_is_fairer=METRICS[metric].better == "lower"), taken=True)


def summary(work: Work, records: pd.DataFrame) -> None:
    """Show how many records are selected and what they are made of."""
    with st.container(border=True):
        if not work.selection:
            ranked = bool(records["gap"].notna().any())
            ways = "take the most harmful, draw an outline around points, " if ranked else ""
            st.markdown(
                f"Nothing is selected. To begin, {ways}tick rows of the table, or select what passes the filters."
            )
            return
        left, right = st.columns([7, 3], vertical_alignment="center")
        parts = makeup(records, pd.Index(work.selection)).head(4)
        others = len(work.selection) - int(parts["selected"].sum())
        made = "; ".join(
            f"{count(row['selected'])} {plain(row['group'])}, label {plain(row['label'])}"
            for row in parts.to_dict("records")
        )
        made += f"; {count(others, 'other')}" if others else ""
        share = len(work.selection) / max(int((~records["removed"]).sum()), 1)
        left.markdown(
            f"**{count(len(work.selection), 'record')} selected**, {percent(share, 2)} of those retained: {made}"
        )
        with right, st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
            st.button(
                "Clear",
                type="tertiary",
                icon=":material/close:",
                key=Key.FIND_CLEAR,
                on_click=session.select,
                args=((),),
            )
            st.page_link(
                pages.page(pages.REMOVE), label="Remove them", icon=":material/arrow_forward:", icon_position="right"
            )
