"""Where a search for records starts.

From the gap, from decisions, from a list, or from doubtful labels.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.app_pages.find import decisions, id_list, labels, rules
from dashboard.session import Key
from dashboard.work import Work

RULES, DECISIONS, LIST, LABELS = "Rules", "Decisions", "A list", "Labels"


def show(work: Work, records: pd.DataFrame) -> None:
    """Show the ways to start, and the one chosen."""
    chosen = st.segmented_control(
        "Start from",
        [RULES, DECISIONS, LIST, LABELS],
        default=RULES,
        required=True,
        key=Key.FIND_START,
        persist_state="session",
    )
    if chosen == RULES:
        rules.show(work)
    elif chosen == DECISIONS:
        decisions.show(work, records)
    elif chosen == LIST:
        id_list.show(work)
    else:
        labels.show(work, records)
