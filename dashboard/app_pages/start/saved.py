"""Cases kept on this server from before."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.words import plain
from dashboard import session, workspace
from dashboard.components import opening

MOST_LISTED = 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def show() -> None:
    """Open a case by its id; on one's own machine, also from a list."""
    days = workspace.keep_days()
    st.caption(
        f"An uploaded case is kept for {days:g} days after it was last opened, then deleted. Its address brings it back."
    )
    with st.form(key=session.Key.SAVED_FORM, border=False):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        case_id = left.text_input(
            "Id of the case", help="What stands after ?case= in its address.", key=session.Key.SAVED_ID
        )
        right.form_submit_button("Open", on_click=_open_typed)
    if not _alone():
        return
    for case_id in workspace.saved()[:MOST_LISTED]:
        with st.container(horizontal=True, vertical_alignment="center"):
            opened = datetime.fromtimestamp(workspace.last_used(case_id)).strftime("%d %B %Y, %H:%M")
            damaged = ". Its record is damaged; it opens as it was uploaded" if workspace.is_damaged(case_id) else ""
            st.markdown(f"**{plain(workspace.case_title(case_id))}**, last used {opened}{damaged}", width="stretch")
            st.button("Open", key=f"{session.Key.OPEN}_{case_id}", on_click=opening.open_case, args=(case_id,))


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
