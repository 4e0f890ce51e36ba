"""The demonstration cases, one card each."""

from __future__ import annotations

import streamlit as st

from core.words import plain
from dashboard import session, workspace
from dashboard.components import opening

BESIDE = 2


def show() -> None:
    """Show every demonstration with a button that opens a working copy of it."""
    demos = workspace.demos()
    for row in range(0, len(demos), BESIDE):
        for column, demo in zip(st.columns(BESIDE), demos[row : row + BESIDE], strict=False):
            with column, st.container(border=True, height="stretch"):
                st.markdown(f"**{plain(demo.title)}**")
                st.caption(plain(demo.about))
                st.button(
                    f"Open {demo.title}",
                    type="primary",
                    key=f"{session.Key.OPEN}_{demo.name}",
                    on_click=lambda demo=demo: opening.open_case(workspace.demo_id(demo)),
                )
