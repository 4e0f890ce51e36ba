"""The choice of what is done to selected records: removal, another label or weight."""

from __future__ import annotations

import streamlit as st

import core
from core.words import plain
from dashboard import session
from dashboard.history import RELABEL, REWEIGH, Edit
from dashboard.session import Key
from dashboard.work import Work

REMOVE = "remove"
WAYS = {REMOVE: "Remove", RELABEL: "Relabel", REWEIGH: "Reweigh"}
USUAL_WEIGHT = 2.0


def show(work: Work, case: core.Case) -> None:
    """Show the ways, and what records are to be given."""
    if case.randomised:
        return
    chosen = REMOVE if work.edit is None else work.edit.kind
    st.segmented_control(
        "What to do with them",
        list(WAYS),
        format_func=WAYS.__getitem__,
        default=chosen,
        required=True,
        key=f"{Key.REMOVE_WAY}_{chosen}",
        on_change=_chosen,
        args=(case, f"{Key.REMOVE_WAY}_{chosen}"),
        help="Labels may be wrong, and then another one is the better cure; a weight says how much a record counts. Both keep the record.",
    )
    if work.edit is not None and work.edit.kind == RELABEL:
        st.radio(
            f"Their {plain(case.roles.target)} becomes",
            range(len(case.classes)),
            int(work.edit.value),
            format_func=lambda number: _meant(case, number),
            horizontal=True,
            key=Key.REMOVE_LABEL,
            on_change=_given,
            args=(RELABEL, Key.REMOVE_LABEL),
        )
    elif work.edit is not None:
        st.number_input(
            "They count as so many records",
            0.01,
            1000.0,
            work.edit.value,
            step=0.5,
            key=Key.REMOVE_WEIGHT,
            on_change=_given,
            args=(REWEIGH, Key.REMOVE_WEIGHT),
        )


def _meant(case: core.Case, number: int) -> str:
    label = case.classes[number]
    return f"{plain(label)} (the good outcome)" if label == case.roles.favorable_label else plain(label)


def _chosen(case: core.Case, key: str) -> None:
    way = session.value(key)
    good = int(list(case.classes).index(case.roles.favorable_label))
    session.give({RELABEL: Edit(RELABEL, float(good)), REWEIGH: Edit(REWEIGH, USUAL_WEIGHT)}.get(way))
    st.rerun()  # The whole page: the header shows what comes of it, too.


def _given(kind: str, key: str) -> None:
    session.give(Edit(kind, float(session.value(key))))
    st.rerun()
