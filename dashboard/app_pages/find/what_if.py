"""Other values for the open record, and the nearest ones that turn its decision."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import core
from core.errors import RedressError
from core.words import number, plain
from dashboard import cached
from dashboard.session import Key
from dashboard.work import Work

MOST_CHOICES = 200
FRAGMENT = "what_if"


def show(work: Work, record: Any) -> None:
    """Offer to change values of the open record."""
    fold = st.expander("What if", key=f"{Key.WHAT_IF}_fold_{record}", on_change="rerun")
    if fold.open:
        with fold:
            _asked(work, record)


@st.fragment(key=FRAGMENT)
def _asked(work: Work, record: Any) -> None:
    case = cached.case(work)
    chosen = st.multiselect(
        "Values to change", list(case.features), key=f"{Key.WHAT_IF}_columns_{record}", placeholder="Choose columns"
    )
    row = case.X_train.iloc[case.record_ids.get_loc(record)]
    changes = {name: _value(case.X_train[name], row[name], name, record) for name in chosen}
    try:
        found = core.what_if(case, record, changes=changes)
        st.markdown(f"**{plain(found.sentence)}**" if found.turned else plain(found.sentence))
        if work.at:
            was = core.what_if(cached.case(work, 0), record, changes=changes)
            st.caption(f"As opened the model gives these values a score of {number(was.score)}.")
        _nearest(core.nearest_flips(case, record, changes=changes))
    except RedressError as error:
        st.caption(f":material/info: {plain(error)}")


def _value(column: pd.Series[Any], own: Any, name: str, record: Any) -> Any:
    """Return the value that a widget holds for a column; the record's own at first."""
    key = f"{Key.WHAT_IF}_{record}_{name}"
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        values = list(column.dropna().value_counts().index[:MOST_CHOICES])
        if not pd.isna(own) and own not in values:
            values.insert(0, own)
        place = None if pd.isna(own) else values.index(own)
        return st.selectbox(name, values, place, format_func=str, key=key)
    if pd.api.types.is_integer_dtype(column.dtype):
        whole = st.number_input(name, value=None if pd.isna(own) else int(own), step=1, key=key)
        return own if whole is None else whole
    typed = st.number_input(name, value=None if pd.isna(own) else float(own), key=key, format="%g")
    return own if typed is None else typed


def _nearest(found: pd.DataFrame) -> None:
    if found.empty:
        st.caption("No value of one column or two that training records have turns this decision.")
        return
    st.markdown("**Nearest changes that turn the decision**")
    st.markdown(
        "\n".join(
            f"- {plain(one['change'])}: score {number(one['score'])}{' :orange-badge[sensitive]' if one['sensitive'] else ''}"
            for one in found.to_dict("records")
        )
    )
    st.caption("What the model would say, not what a person can change or what would then come true.")
