"""Start: a demonstration, one's own files, or a case saved before."""

import streamlit as st

from dashboard.app_pages import start_demos, start_open_case, start_own_files, start_saved

with st.container():
    start_open_case.show()
demos, own, saved = st.tabs(["Demonstrations", "Your own files", "Saved cases"])
with demos:
    start_demos.show()
with own:
    start_own_files.show()
with saved:
    start_saved.show()
