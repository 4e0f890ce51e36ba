"""One record beside the chart: its influence, its values, and the test decisions it moves most."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.metrics import METRICS
from dashboard import cached, session
from dashboard.session import Key
from dashboard.tables import row
from dashboard.words import count, inline, plain, signed
from dashboard.work import Work


def show(work: Work, records: pd.DataFrame, train: pd.DataFrame) -> None:
    """Show the open record, or how to open one."""
    record = session.record()
    if record is None or record not in records.index:
        st.caption("A click on a point of the chart, or on a cell of the table, opens the record here.")
        return
    facts = row(records, record)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Record {plain(record)}**", width="stretch")
        _toggle(work, record, removed=bool(facts["removed"]))
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=f"{Key.RECORD}_close",
            help="Close the record",
            on_click=session.open_record,
            args=(None,),
        )
    st.markdown(_sentence(work, records, facts))
    case = cached.case(work)
    values = train.iloc[[facts["position"]]].drop(columns=list(case.roles.exclude)).T
    values.columns = pd.Index(["value"])
    values["value"] = values["value"].map(_shown)
    values["used as"] = [_use(case, str(name)) for name in values.index]
    st.dataframe(values.rename_axis("column"), lazy=False, height=280)
    if not facts["removed"] and not pd.isna(facts["gap"]):
        _moves(work, record)


def _toggle(work: Work, record: Any, *, removed: bool) -> None:
    if removed:
        st.badge("removed", color="gray")
        return
    chosen = record in work.selection
    rest = [one for one in work.selection if one != record] if chosen else [*work.selection, record]
    st.button("Unselect" if chosen else "Select", key=Key.FIND_TOGGLE, on_click=session.select, args=(rest,))


def _sentence(work: Work, records: pd.DataFrame, facts: dict[str, Any]) -> str:
    gap = METRICS[work.metric]
    retained = records[~records["removed"]]
    better = retained["gap"] < facts["gap"] if gap.better == "lower" else retained["gap"] > facts["gap"]
    who = f"{plain(facts['group'])}, label {plain(facts['label'])}"
    if pd.isna(facts["gap"]):
        return f"{who}."
    change = f"change the {plain(inline(gap.label))} by {signed(facts['gap'], 6)}"
    if facts["removed"]:
        return f"{who}. Removed; its removal alone was predicted to {change}."
    return (
        f"{who}. Removing it alone is predicted to {change} and the loss by {signed(facts['loss'], 6)}: "
        f"number {count(int(better.sum()) + 1)} of {count(len(retained))} by harm."
    )


def _shown(value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _use(case: Any, name: str) -> str:
    uses = [
        "label" if name == case.roles.target else "",
        "record id" if name == case.roles.record_id else "",
        "sensitive" if name in case.roles.sensitive_features else "",
        "feature" if name in case.features else "",
    ]
    return ", ".join(use for use in uses if use)


def _moves(work: Work, record: Any) -> None:
    table = cached.moved(work, record)
    st.caption("Test rows whose score its removal is predicted to move most:")
    config = st.column_config
    about = "Score of the positive class, from 0 to 1 where the model gives probabilities."
    st.dataframe(
        table,
        hide_index=True,
        lazy=False,
        column_config={
            "now": config.NumberColumn("score now", format="%.4f", help=about),
            "without": config.NumberColumn("without it", format="%.4f", help=about),
            "change": config.NumberColumn("change", format="%+.5f", help="Predicted by one Newton step."),
        },
    )
