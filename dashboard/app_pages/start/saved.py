"""Cases kept on this server from before."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.errors import StorageError
from core.words import plain
from dashboard import session, workspace
from dashboard.components import opening
from dashboard.retention import keep_days, keep_days_problem

MOST_LISTED = 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def show() -> None:
    """Open a case by its id; on one's own machine, also from a list."""
    days = keep_days()
    st.caption(
        f"An uploaded case is kept for {days:g} days after it was last opened, then deleted. Its address brings it back."
    )
    if problem := keep_days_problem():
        st.warning(plain(problem))
    with st.form(key=session.Key.SAVED_FORM, border=False):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        case_id = left.text_input(
            "Id of the case", help="What stands after ?case= in its address.", key=session.Key.SAVED_ID
        )
        right.form_submit_button("Open", on_click=_open_typed)
    if not _alone():
        return
    try:
        known = workspace.saved()
    except StorageError as error:
        st.warning(plain(error))
        return
    for case_id in known[:MOST_LISTED]:
        with st.container(horizontal=True, vertical_alignment="center"):
            damaged = ". Its record is damaged; it opens as it was uploaded" if workspace.is_damaged(case_id) else ""
            st.markdown(
                f"**{plain(workspace.case_title(case_id))}**, last used {_when(case_id)}{damaged}", width="stretch"
            )
            st.button("Open", key=f"{session.Key.OPEN}_{case_id}", on_click=opening.open_case, args=(case_id,))


def _when(case_id: str) -> str:
    try:
        return datetime.fromtimestamp(workspace.when_used(case_id) or 0.0).strftime("%d %B %Y, %H:%M")
    except (OverflowError, OSError, ValueError):
        return "at a time that no calendar has"


def _open_typed() -> None:
    text = str(session.value(session.Key.SAVED_ID) or "").strip()
    if text:
        opening.open_case(text.rpartition("case=")[2])


def _alone() -> bool:
    """Whether this server answers nobody but this machine.

    A list of ids tells no stranger anything then.
    """
    headers = {name.lower() for name in st.context.headers}
    forwarded = headers & {"x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip", "via"}
    return st.get_option("server.address") in _LOOPBACK and not forwarded
