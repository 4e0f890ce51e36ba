"""A banner that says what another tab did to the open case.

Nothing is lost, and nothing moves by itself.
"""

from __future__ import annotations

import streamlit as st

from core.words import listing
from dashboard import session
from dashboard.components import opening
from dashboard.news import News
from dashboard.session import Key
from dashboard.work import Work


def show() -> None:
    """Say what another tab did, until it is answered."""
    work, found = session.work(), session.news()
    if work is None or found is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/tab: {news_sentence(work, found)}", width="stretch")
        if found.there != work.number:
            st.button(f"Go to version {found.there}", key=Key.NEWS_GO, on_click=_go, args=(found.there,))
        st.button(f"Stay at version {work.number}", key=Key.NEWS_STAY, on_click=session.answer_news)


def news_sentence(work: Work, found: News) -> str:
    """Return what another tab did, and what became of what was done here."""
    parts = ["**This case was changed in another tab.**"]
    if found.made:
        named = [f"version {i} ({work.path(i)[-1].title})" for i in found.made]
        parts.append(f"{listing(named).capitalize()} {'was' if len(named) == 1 else 'were'} made there.")
    if found.own:
        parts.append(f"What was done here meanwhile is version {found.own[-1]}, a branch beside it: nothing is lost.")
    elif found.there != work.number:
        parts.append(f"Version {found.there} is in force there; this tab still shows version {work.number}.")
    if found.threshold:
        parts.append("The decision threshold is another one there; this tab keeps its own.")
    return " ".join(parts)


def _go(number: int) -> None:
    work = session.work()
    session.answer_news()
    if work is not None:
        opening.go_to(work.going(number))
