"""A chart on a page: its title as text above it, where it wraps and can be read aloud."""

from __future__ import annotations

import copy
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.words import plain

HOVER = {"displayModeBar": False, "doubleClick": False}
SELECTING = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d", "hoverclosest", "hovercompare"]}


def show(figure: go.Figure, key: str, **options: Any) -> Any:
    """Show a figure; options go to `st.plotly_chart`."""
    meta = figure.layout.meta
    bare = copy.copy(figure)
    bare.update_layout(title={"text": ""}, height=meta["height"], margin={"t": meta["top"]})
    st.markdown(f"**{plain(meta['title'])}**")
    return st.plotly_chart(bare, key=key, alt=meta["title"], **{"config": HOVER, **options})
