"""Start: a demonstration, one's own files, or a case saved before."""

import streamlit as st

from dashboard.app_pages.start import demos as start_demos
from dashboard.app_pages.start import open_case, own_files
from dashboard.app_pages.start import saved as start_saved

with st.container():
    open_case.show()
demos, own, saved = st.tabs(["Demonstrations", "Your own files", "Saved cases"])
with demos:
    start_demos.show()
with own:
    own_files.show()
with saved:
    start_saved.show()
