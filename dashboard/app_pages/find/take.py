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


def show(work: Work, passing: pd.DataFrame) -> None:
    """Show the number that takes the most harmful of the records that pass."""
    n = int((~passing["removed"]).sum())
    session.start_at(Key.FIND_NUMBER, min(session.number_taken(), max(n - 1, 0)) if work.selection else 0)
    number = st.number_input(
        "Take the most harmful",
        0,
        max(n - 1, 0),
        key=Key.FIND_NUMBER,
        on_change=_take_number,
        args=(work.metric, passing),
        width=180,
        help=f"So many of the {count(n, 'record')} that pass the filters, those first whose removal is predicted to improve the gap most.",
    )
    if number and not work.selection and number != session.number_taken():
        # What is typed while a run without this widget ends calls nothing.
        _take(work.metric, passing, int(number))
        st.rerun()


def set_number(n: int) -> None:
    """Show a number of records on the widget, which are selected."""
    session.set_value(Key.FIND_NUMBER, n)
    session.note_taken(n)


def _take_number(metric: str, passing: pd.DataFrame) -> None:
    _take(metric, passing, int(session.value(Key.FIND_NUMBER) or 0))


def _take(metric: str, passing: pd.DataFrame, n: int) -> None:
    session.note_taken(n)
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
