"""The pages, in the order of the work; named by what the person does."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

START_PAGE = "app_pages/start/page.py"
CHECK = "app_pages/check/page.py"
FIND = "app_pages/find/page.py"
REMOVE = "app_pages/remove/page.py"
PROVE = "app_pages/prove/page.py"
REPORT = "app_pages/report/page.py"
TITLES = {START_PAGE: "Start", CHECK: "Check", FIND: "Find", REMOVE: "Remove", PROVE: "Prove", REPORT: "Report"}


def page(path: str) -> Page:
    """Return a page as Streamlit takes it.

    Made anew each time, since one made outside a session stays empty.
    """
    return st.Page(path, title=TITLES[path], url_path=TITLES[path].lower(), default=path == START_PAGE)


def navigation_pages() -> list[Page]:
    """Return the pages for `st.navigation`."""
    return [page(path) for path in TITLES]
