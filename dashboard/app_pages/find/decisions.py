"""Starting from decisions: the training records that caused them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import core
from core.errors import RedressError
from core.figures import influence
from core.metrics.samples import feature_name
from core.words import count, plain
from dashboard import cached, meaning
from dashboard.components import computing, searched, taking
from dashboard.components.tables import download
from dashboard.session import Key
from dashboard.work import Work

ONE = "one"
KINDS = {
    "wrongly_refused": "wrongly refused",
    "wrongly_granted": "wrongly given the good outcome",
    "wrong": "wrong",
    "refused": "refused the good outcome",
    "granted": "given the good outcome",
    ONE: "one test row",
}
DETECTED = {
    "wrongly_refused": "flagged wrongly",
    "wrongly_granted": "missed: not flagged, wrongly",
    "refused": "flagged",
    "granted": "not flagged",
}
"""The same where the class that is scored is the bad outcome."""
EVERYONE = "any group"
MOST_SHOWN = 50
USUAL = 50


def show(work: Work, records: pd.DataFrame) -> None:
    """Show which decisions to ask about, and the records that caused them."""
    try:
        asked = _asked(work)
        if asked is None:
            return
        wanted = computing.requested(
            work, searched.DECISIONS, "Find the records that caused them", work.feature, *asked
        )
        if not wanted:
            return
        found = searched.decision_causes(work, *asked)
    except RedressError as error:
        st.info(plain(error))
        return
    if found is None:
        computing.place(work, searched.DECISIONS, work.feature, *asked)
        return
    _result(found, records)


def _asked(work: Work) -> tuple[str, str | None, int | None] | None:
    case = cached.case(work)
    kinds = list(KINDS)
    kind = st.selectbox(
        "Decisions",
        kinds,
        kinds.index("wrongly_refused" if case.favorable_is_positive else "wrongly_granted"),
        format_func=(KINDS | DETECTED if meaning.scored_is_bad(case.roles) else KINDS).__getitem__,
        key=Key.FIND_DECISIONS,
        persist_state="session",
    )
    if kind == ONE:
        return _one(case)
    names = [EVERYONE, *case.groups(work.feature, "explore").names]
    group = st.selectbox(
        f"Group by {plain(feature_name(work.feature))}", names, key=f"{Key.FIND_DECISIONS_GROUP}_{work.feature}"
    )
    only = None if group == EVERYONE else str(group)
    n = len(core.choose_decisions(case, str(kind), sensitive_feature=work.feature, group=only))
    st.caption(f"{count(n)} of {count(len(case.rows('explore')), 'test row')} searched.")
    return (str(kind), only, None) if n else None


def _one(case: core.Case) -> tuple[str, None, int]:
    row = st.number_input(
        "Position in the test table",
        0,
        len(case.test) - 1,
        int(case.rows("explore")[0]),
        key=Key.FIND_DECISION,
        help="Counted from 0. Rows kept for confirming cannot be asked about.",
    )
    return ONE, None, int(row or 0)


def _result(found: pd.Series[float], records: pd.DataFrame) -> None:
    ordered = core.harmful(found)
    table = records.loc[ordered, ["group", "label"]].assign(change=found.loc[ordered])
    st.caption(
        "Predicted change of the mean probability the model gives to these decisions, if the record alone is removed; those "
        "that hold them up most come first."
    )
    st.dataframe(
        table.head(MOST_SHOWN).assign(change=influence.PER * table["change"].head(MOST_SHOWN)),
        lazy=False,
        height=260,
        column_config={
            "change": st.column_config.NumberColumn(
                "change, per 10,000", format="%+.2f", help="Of the mean probability of the decisions made."
            )
        },
    )
    download(table, "causes_of_decisions")
    taking.first("decisions", tuple(ordered), USUAL)
