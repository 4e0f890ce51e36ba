"""Where a search for records starts.

From the gap, from decisions, from a list, from doubtful labels, or from rows that repeat or stand out.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.app_pages.find import decisions, id_list, labels, rows, rules
from dashboard.session import Key
from dashboard.work import Work

RULES, DECISIONS, LIST, LABELS, ROWS = "Rules", "Decisions", "A list", "Labels", "Rows"


def show(work: Work, records: pd.DataFrame) -> None:
    """Show the ways to start, and the one chosen."""
    chosen = st.segmented_control(
        "Start from",
        [RULES, DECISIONS, LIST, LABELS, ROWS],
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
    elif chosen == ROWS:
        rows.show(work, records)
    else:
        labels.show(work, records)
