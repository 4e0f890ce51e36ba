"""Check: who is treated how, how sure that is, and what another threshold would do."""

import streamlit as st

from dashboard import cached, meaning
from dashboard.app_pages.check import finding, gaps, groups, policy, scores, slices, threshold
from dashboard.components import opening
from dashboard.session import Key

work = opening.opened()
finding.show(work)
st.caption(meaning.rows_described(cached.case(work)))
tabs = st.tabs(
    ["Groups and rates", "Gaps", "Policy", "Intersections", "Worst slices", "Scores", "Threshold and cost"],
    key=Key.CHECK_TAB,
    on_change="rerun",
)
parts = (groups.show, gaps.show, policy.show, groups.intersections, slices.show, scores.show, threshold.show)
for tab, part in zip(tabs, parts, strict=True):
    if tab.open:
        with tab:
            part(work)
