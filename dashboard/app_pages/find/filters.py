"""Filters on the records: group, label, and one raw column."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.words import count, plain
from dashboard import cached, session
from dashboard.records import Filters, texts
from dashboard.session import Key
from dashboard.work import Work

MOST_VALUES = 200


def show(work: Work, records: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Show the filters; return the records that pass."""
    with st.popover("Filters", icon=":material/filter_alt:"):
        filters = _filters(work, records, train)
        passing = filters.apply(records, train)
        retained = passing.index[~passing["removed"]]
        st.button(
            f"Select all {count(len(retained), 'record')} that pass",
            key=Key.FIND_ALL,
            on_click=session.select,
            args=(retained,),
            disabled=retained.empty,
        )
    return passing


def _filters(work: Work, records: pd.DataFrame, train: pd.DataFrame) -> Filters:
    roles = cached.case(work).roles
    groups = st.multiselect(
        "Group", list(records["group"].cat.categories), key=f"{Key.FIND_GROUPS}_{work.feature}", persist_state="session"
    )
    labels = sorted(records["label"].astype(str).unique())
    chosen = st.multiselect(f"Label ({plain(roles.target)})", labels, key=Key.FIND_LABELS, persist_state="session")
    columns = [name for name in train.columns if name not in roles.exclude]
    column = st.selectbox("Column", columns, None, key=Key.FIND_COLUMN, placeholder="any", persist_state="session")
    if column is None:
        return Filters(tuple(groups), tuple(chosen))
    values, low, high = _choice(train[column])
    return Filters(tuple(groups), tuple(chosen), column, values, low, high)


def _choice(column: pd.Series[Any]) -> tuple[tuple[str, ...], float | None, float | None]:
    key = f"{Key.FIND_VALUES}_{column.name}"
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.nunique() > 6:
        low, high = float(column.min()), float(column.max())
        span = st.slider(f"Range of {plain(column.name)}", low, high, (low, high), key=key)
        return (), float(span[0]), float(span[1])
    values = texts(column).value_counts().index[:MOST_VALUES].tolist()
    return tuple(st.multiselect(f"Values of {plain(column.name)}", values, key=key)), None, None
