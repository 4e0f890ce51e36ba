"""The dashboard: ``python -m streamlit run dashboard/app.py`` from the root of the project."""

from pathlib import Path

import streamlit as st

from dashboard.components import frame, pages

st.set_page_config("Redress", page_icon=str(Path(__file__).with_name("assets") / "icon.svg"), layout="wide")
page = st.navigation(pages.listed(), position="top")
frame.around(page)
