"""The pages, in the order of the work; named by what the person does."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

START = "app_pages/start.py"
CHECK = "app_pages/check.py"
FIND = "app_pages/find.py"
REMOVE = "app_pages/remove.py"
TITLES = {START: "Start", CHECK: "Check", FIND: "Find", REMOVE: "Remove"}


def listed() -> list[Page]:
    """Return the pages for `st.navigation`, the first one being where everybody starts."""
    return [st.Page(path, title=title, default=path == START) for path, title in TITLES.items()]
