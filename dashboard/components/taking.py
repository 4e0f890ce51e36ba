"""Taking the first of ranked records as the selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.words import count
from dashboard import session
from dashboard.session import Key


def first(what: str, ids: Sequence[Any], usual: int) -> None:
    """Show a number and a button that selects so many of the ids, the first ones.

    The strip previews them.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = st.number_input("How many", 1, len(ids), min(usual, len(ids)), key=f"{Key.TAKE}_{what}_number", width=140)
        st.button(
            f"Select the first {count(n or 0)}",
            key=f"{Key.TAKE}_{what}",
            icon=":material/select:",
            on_click=session.select,
            args=(ids[:n],),
        )
