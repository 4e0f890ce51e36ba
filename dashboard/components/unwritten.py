"""A banner that says why what is done to the open case is not on the disk, and the way out."""

from __future__ import annotations

import streamlit as st

from core.words import plain
from dashboard import bookkeeping, session


def show() -> None:
    """Say it for as long as the disk refuses.

    At first it is said where a page that is scrolled shows it, too.
    """
    work = session.work()
    problem = bookkeeping.trouble(work.case_id) if work is not None else ""
    if problem:
        st.warning(plain(problem), icon=":material/hard_disk:")
    if session.hears_anew(problem):
        st.toast(
            "Nothing can be written to the server's disk now; the top of the page says why.",
            icon=":material/hard_disk:",
        )
