"""Check: who is treated how, how sure that is, and what another threshold would do."""

import streamlit as st

from dashboard.app_pages import check_gaps, check_groups, check_scores, check_threshold
from dashboard.components import opening
from dashboard.session import Key

work = opening.opened()
tabs = st.tabs(
    ["Groups and rates", "Gaps", "Intersections", "Scores", "Threshold and cost"], key=Key.CHECK_TAB, on_change="rerun"
)
parts = (check_groups.show, check_gaps.show, check_groups.intersections, check_scores.show, check_threshold.show)
for tab, part in zip(tabs, parts, strict=True):
    if tab.open:
        with tab:
            part(work)
