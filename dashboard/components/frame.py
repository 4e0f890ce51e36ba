"""What surrounds every page: the style, the case in the address, work under way, the last message."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from dashboard import cached, session
from dashboard.components import opening, pages, strip, waiting

_ASSETS = Path(__file__).resolve().parent.parent / "assets"


def around(page: Page) -> None:
    """Run a page inside what surrounds all of them."""
    st.html(_ASSETS / "style.css")
    st.logo(str(_ASSETS / "logo.svg"), size="large")
    cached.swept()
    waiting.collect()
    opening.restore()
    work = session.work()
    if work is not None:
        session.show_in_address(work.case_id)
        strip.show()
    waiting.show()
    # Not st.stop() where a case is missing: it would end the refreshing of work under way.
    if work is not None or page is pages.START:
        page.run()
    elif session.job() is None:
        opening.ask_for_one()
