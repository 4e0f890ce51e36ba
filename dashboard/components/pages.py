"""The pages, in the order of the work."""

from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).resolve().parent.parent / "app_pages"

START = st.Page(_FOLDER / "start.py", title="Start", default=True)
CHECK = st.Page(_FOLDER / "check.py", title="Check")
FIND = st.Page(_FOLDER / "find.py", title="Find")
REMOVE = st.Page(_FOLDER / "remove.py", title="Remove")
ALL = [START, CHECK, FIND, REMOVE]
