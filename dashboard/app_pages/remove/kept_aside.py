"""The rows kept aside: what the version in force does on rows that no search has seen.

Every look is counted.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.words import count, interval, number, plain, signed
from dashboard import cached, meaning, session
from dashboard.session import Key
from dashboard.work import Work


def show(work: Work) -> None:
    """Offer a look at the confirm rows, and show the last one for this version."""
    case = cached.case(work)
    if not work.at or not case.confirm_mask.any():
        return
    with st.container(border=True):
        rows = count(int(case.confirm_mask.sum()), "test row")
        st.markdown(f"#### Rows kept aside\n{rows} that no search has looked at. {_so_far(len(case.looks))}")
        name = (cached.key(work), work.metric, work.feature)
        if session.asked_for(name):
            _figures(work, cached.confirmed(work))
        else:
            st.button(
                "Look at the rows kept aside",
                icon=":material/visibility:",
                key=Key.CONFIRM_LOOK,
                on_click=session.ask_for,
                args=(name,),
                help="Before and now on these rows. Every look is counted and kept with the case: who looks often enough finds something.",
            )


def _so_far(n: int) -> str:
    """Say how often they were looked at."""
    return "Not looked at yet." if n == 0 else f"Looked at {'once' if n == 1 else f'{n} times'}."


def _figures(work: Work, table: pd.DataFrame) -> None:
    gap, utility = table.iloc[0], table.iloc[1]
    words = plain(meaning.label(work.metric, cached.case(work).roles))
    for label, row in ((words, gap), ("Accuracy", utility)):
        reach = interval(row["low"], row["high"])
        st.markdown(
            f"**{label}**, confirmed on {count(table.attrs['n'], 'row')}: {plain(number(row['before']))} before, "
            f"**{plain(number(row['after']))}** now; change {plain(signed(row['change']))} (95% interval {plain(reach)})."
        )
    st.caption(f"These figures are of the rows kept aside, not of those searched. {_so_far(int(table.attrs['looks']))}")
