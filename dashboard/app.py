"""The dashboard, which ``redress run`` serves.

Its settings are in `.streamlit` beside this file.
"""

from pathlib import Path

import streamlit as st

from dashboard.components import frame, pages

st.set_page_config("Redress", page_icon=str(Path(__file__).with_name("assets") / "icon.svg"), layout="wide")
page = st.navigation(pages.navigation_pages(), position="top")
frame.around(page)
