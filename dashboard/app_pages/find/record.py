"""One record beside the chart, or below the table.

Its influence, its values, its reasons, and the test decisions it moves most.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import RedressError
from core.figures import influence
from core.metrics import METRICS
from core.words import count, inline, plain, signed
from dashboard import cached, meaning, session
from dashboard.app_pages.find import reasons, what_if
from dashboard.components import computed, computing
from dashboard.components.tables import worded
from dashboard.session import Key
from dashboard.tables import row
from dashboard.work import Work


def show(work: Work, records: pd.DataFrame, train: pd.DataFrame) -> None:
    """Show the open record, if one is."""
    record = session.record()
    if record is None or record not in records.index:
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
    if METRICS[work.metric].uses == "cells" and not pd.isna(facts["gap"]):
        st.caption(
            "Predicted for a smoothed gap, in which decisions near the threshold count in part; the gap itself moves in whole decisions, "
            "and the strip previews it once the record is selected."
        )
    case = cached.case(work)
    values = train.iloc[[facts["position"]]].drop(columns=list(case.roles.exclude)).T
    values.columns = pd.Index(["value"])
    values["value"] = values["value"].map(_shown)
    values["used as"] = [_use(case, str(name)) for name in values.index]
    st.dataframe(values.rename_axis("column"), lazy=False, height=240)
    reasons.show(work, record)
    what_if.show(work, record)
    if not facts["removed"]:
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
    change = (
        f"change the {plain(inline(meaning.label(work.metric, cached.case(work).roles)))} by {_parts(facts['gap'])}"
    )
    if facts["removed"]:
        return f"{who}. Removed; its removal alone was predicted to {change}."
    return (
        f"{who}. Removing it alone is predicted to {change} and the loss by {_parts(facts['loss'])}: "
        f"number {count(int(better.sum()) + 1)} of {count(len(retained))} by harm."
    )


def _parts(change: float) -> str:
    return f"{signed(influence.PER * change, 2)} per {influence.PER:,}"


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
    st.markdown("**Test decisions it moves most**")
    try:
        table = computed.most_moved(work, record)
    except RedressError as error:
        st.caption(f":material/info: {plain(error)}")
        return
    if table is None:
        computing.place(work, computed.MOVED, record)
        return
    config = st.column_config
    target, wanted = plain(cached.case(work).roles.target), plain(cached.case(work).roles.pos_label)
    turns = table["decided"].astype(str) != table["decided_without"].astype(str)
    turned = int(turns.sum())
    st.caption(
        f"Test rows searched, by the change of their score of {target} = {wanted} without this record; "
        f"{count(turned)} of these {count(len(table))} would be decided otherwise."
    )
    for note in table.attrs["notes"]:
        st.caption(f":material/info: {plain(note)}")
    decision = table["decided"].astype(str)
    then = decision.where(~turns, decision + " \N{RIGHTWARDS ARROW} " + table["decided_without"].astype(str))
    st.dataframe(
        **worded(
            table.drop(columns="decided_without").assign(decided=then),
            {
                "row": config.Column("row", help="Its label in the test table."),
                "label": config.Column("label", help="The true outcome."),
                "score": config.NumberColumn("score", format="%.3f", help="By the model now."),
                "score_without": config.NumberColumn(
                    "without it", format="%.3f", help="Predicted without this record."
                ),
                "change": config.NumberColumn("change", format="%+.4f", help="Predicted score less the score now."),
                "decided": config.TextColumn(
                    "decided",
                    help="By the decision threshold in force; behind an arrow, what it would make of the predicted score.",
                ),
            },
        ),
        lazy=False,
    )
