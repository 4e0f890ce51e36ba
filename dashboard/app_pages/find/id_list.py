"""Starting from a list of ids, such as erasure requests."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import core
from core.errors import RedressError
from core.files.tables.id_list import columns_of
from core.words import count, plain
from dashboard import cached, session, workspace
from dashboard.session import Key
from dashboard.work import Work

SAMPLE_LIST = "withdrawals.csv"


def show(work: Work) -> None:
    """Take a CSV file of ids, say what each of them is here, and offer to select those found."""
    file = st.file_uploader(
        "CSV file of ids",
        type=["csv", "txt"],
        key=Key.FIND_LIST,
        help="One id on each line, or a column called like the record id or the subject id. At most 50 MB.",
    )
    if file is None:
        st.caption("Ids that are repeated, unknown or removed already are reported.")
        _offer_sample(work)
        return
    try:
        found = _found(work, file.getvalue())
    except RedressError as error:
        st.error(plain(error))
        return
    _report(found)
    st.button(
        f"Select {count(len(found.records), 'record')}",
        type="primary",
        key=Key.FIND_LISTED,
        icon=":material/select:",
        on_click=session.select,
        args=(tuple(found.records),),
        disabled=not len(found.records),
    )


def _offer_sample(work: Work) -> None:
    """Offer the list that comes with a demonstration, where one does."""
    demo = workspace.demo_of(work.case_id)
    file = None if demo is None else demo.folder / SAMPLE_LIST
    if file is not None and file.exists():
        st.download_button(
            "The withdrawals of this demonstration (CSV)",
            file.read_bytes(),
            SAMPLE_LIST,
            "text/csv",
            icon=":material/download:",
            key=f"{Key.FIND_LIST}_sample",
            on_click="ignore",
            type="tertiary",
        )


def _found(work: Work, data: bytes) -> core.IdList:
    """Look the ids up.

    Of several columns, in the one called like the ids of the case unless another is chosen.
    """
    case, columns = cached.case(work), list(dict.fromkeys(columns_of(data)))
    if len(columns) < 2:
        return core.read_ids(case, data)
    own = [name for name in (case.roles.record_id, case.roles.subject_id) if name in columns]
    column = st.selectbox(
        "Column with the ids",
        columns,
        columns.index(own[0]) if own else None,
        key=f"{Key.FIND_LIST_COLUMN}_{hash(tuple(columns))}",
        placeholder="choose one",
    )
    return core.read_ids(case, data, column=column)


def _report(found: core.IdList) -> None:
    known = {
        "listed": (found.n_listed, "Repeats included."),
        "found": (len(found.found), "With a record in the model."),
        "repeated": (len(found.duplicates), "Listed more than once."),
        "unknown": (len(found.unknown), "No training record has them."),
        "removed already": (len(found.forgotten), "All their records are removed."),
    }
    what = "subjects" if found.by == "subject" else "records"
    where = f" from the column {plain(found.column)}" if found.column else ""
    st.caption(f"Ids of {what}{where}; they stand for {count(len(found.records), 'record')} in the model.")
    table = pd.DataFrame({"ids": [n for n, _ in known.values()], "meaning": [about for _, about in known.values()]})
    st.dataframe(table.set_index(pd.Index([*known], name="what")), lazy=False)
    for note in found.notes:
        st.warning(plain(note))
