"""Starting from rows: those that leak, repeat, contradict others, or stand far off."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import core
from core.words import count, plain
from dashboard import cached
from dashboard.components import computing, searched, taking
from dashboard.components.tables import download
from dashboard.work import Work

MOST_SHOWN = 50


def show(work: Work, records: pd.DataFrame) -> None:
    """Show the button that compares the records, and the groups worth a look."""
    if not computing.requested(work, searched.COMPARED_ROWS, "Compare the records"):
        st.caption(
            "Compares the training records with one another and with the test rows: the same row in both, the same row with another label, "
            "repeats, near duplicates, and what lies far from all others. It needs neither a gap nor the model."
        )
        return
    found = searched.rows_worth_a_look(work)
    if found is None:
        computing.place(work, searched.COMPARED_ROWS)
        return
    for group in found:
        _group(group, records, cached.case(work).roles.target)
    for note in found.notes:
        st.caption(f":material/info: {plain(note)}")


def _group(group: core.RecordGroup, records: pd.DataFrame, target: str) -> None:
    if not len(group):
        st.caption(f"**{group.title}** {plain(group.sentence)}")
        return
    with st.expander(f"**{group.title}** {count(len(group), 'record')}"):
        st.caption(plain(group.sentence))
        table = group.records.copy()
        table.insert(0, "group", records["group"].reindex(table.index))
        st.dataframe(table.head(MOST_SHOWN), lazy=False, height=220, column_config=_columns(target))
        taking.first(group.kind, group.ids, len(group))
        download(table, group.kind)


def _columns(target: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "label": config.Column(target, help="The label as the model learned it."),
        "test_row": config.Column("test row", help="The first test row that is the same."),
        "alike": config.NumberColumn("set", help="Records of one number are alike in every column compared."),
        "others": config.NumberColumn("others", help="Other records of the set."),
        "outvoted": config.CheckboxColumn("outvoted", help="More records of the set have another label."),
        "repeats": config.Column("repeats", help="The earlier record that it repeats."),
        "other": config.Column("other record", help="One that it is much like."),
        "other_label": config.Column(f"its {target}", help="The other record's label."),
        "differs_in": config.TextColumn("differs in", help="Columns in which the two differ."),
        "outlyingness": config.NumberColumn(
            "rank",
            format="%.3f",
            help="Rank by local outlier factor, from 0 to 1.",
        ),
        "both": config.CheckboxColumn(
            "both", help="It and an isolation forest, by their own cut-offs, call it an outlier."
        ),
    }
