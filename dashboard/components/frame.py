"""The frame of every page: style, the case in the address, work under way, messages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from core.errors import RedressError
from core.words import plain
from dashboard import cached, session
from dashboard.components import header, opening, other_tabs, pages, unwritten, waiting

_ASSETS = Path(__file__).resolve().parent.parent / "assets"


def around(page: Page) -> None:
    """Run a page inside what surrounds all of them."""
    st.html(_ASSETS / "style.css")
    st.logo(str(_ASSETS / "logo.svg"), size="large")
    cached.swept()
    session.keep()
    session.hear()
    waiting.collect()
    opening.leave_deleted()
    opening.restore_case()
    work = session.work()
    # Places of their own, so that what comes and goes in them never moves, and thereby resets, what is below.
    top, middle, below = st.container(key=session.Key.STRIP_BOX), st.container(), st.container()
    ready = work is not None and opening.at_hand(work)
    if work is not None:
        session.show_in_address(work.case_id)
    if ready:
        with top:
            header.show(page.title)
    with middle:
        waiting.show()
        unwritten.show()
        other_tabs.show()
    there = session.turned_to()
    if there:
        st.switch_page(pages.page(there))
    with below:
        _page(page, ready=ready)


def _page(page: Page, *, ready: bool) -> None:
    # Not st.stop() where a case is missing: it would end the refreshing of work under way.
    if ready or (session.work() is None and page.title == pages.TITLES[pages.START_PAGE]):
        try:
            page.run()
        except RedressError as error:
            st.error(plain(error))
    elif not session.jobs():
        opening.ask_for_one()
