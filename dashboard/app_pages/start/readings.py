"""How each column of the uploaded tables is read, with the other reading one click away."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import core
from core.errors import RedressError
from core.files.guess import guess_roles
from core.files.tables.read import LoadedTable
from core.files.tables.settle import ColumnReading
from core.words import count, listing, plain
from dashboard import session
from dashboard.app_pages.start import upload

CHOSEN, SETTLED = "readings", "settled"
MOST_LISTED = 30
EXAMPLES = 3


def settled(train: LoadedTable, test: LoadedTable | None, model: Any) -> core.SettledTables | None:
    """Show how each column is read, and return the tables; None where that failed."""
    chosen = _chosen()
    about = (_uploads(), tuple(sorted(chosen.items())))
    kept = session.draft().get(SETTLED)
    if kept is None or kept[0] != about:
        try:
            with st.spinner("Reading the columns as the model learned them"):
                guess = guess_roles(train.frame, model)
                found = core.settle_tables(train, test, model, target=guess.target, readings=chosen)
        except RedressError as error:
            st.error(plain(error))
            if chosen:
                st.button("Read the columns as proposed", key=session.Key.READING_RESET, on_click=_forget)
            return None
        kept = (about, found)
        session.draft_part(SETTLED, kept)
    tables: core.SettledTables = kept[1]
    _show(tables, chosen)
    return tables


def _uploads() -> str:
    return "_".join(kept.number for which in ("train", "test", "model") if (kept := upload.part(which)) is not None)


def _chosen() -> dict[str, str]:
    """Return the readings that a person chose for the training table uploaded now."""
    about, chosen = session.draft().get(CHOSEN) or ("", {})
    part = upload.part("train")
    return dict(chosen) if part is not None and about == part.number else {}


def _show(found: core.SettledTables, chosen: dict[str, str]) -> None:
    anew = len(found.changed)
    heading = f"How each column is read: {count(anew, 'column')} read anew" if anew else "How each column is read"
    with st.expander(heading, expanded=anew > 0):
        ordered = sorted(found.readings, key=lambda one: (not one.changed, one.column not in chosen, not one.instead))
        for one in ordered[:MOST_LISTED]:
            _row(one, found.train[one.column])
        rest = [one for one in ordered[MOST_LISTED:] if one.instead]
        if rest:
            _of_many(rest)


def _row(one: ColumnReading, column: pd.Series[Any]) -> None:
    name, how, way = st.columns([2, 5, 2], vertical_alignment="center")
    name.markdown(f"**{plain(one.column)}**")
    cells = listing(
        plain(f"{cell:.6g}" if isinstance(cell, float) else cell)
        for cell in column.dropna().head(50).drop_duplicates().head(EXAMPLES)
    )
    why = f"; {count(one.changed, 'cell')} changed: {plain(one.why)}" if one.changed else ""
    how.markdown(f"{one.read_as}{f', such as {cells}' if cells else ''}{why}")
    if one.instead:
        way.button(
            f"Read as {one.instead}",
            key=f"{session.Key.READING}_{one.column}",
            type="tertiary",
            on_click=_choose,
            args=(one.column, one.instead),
        )


def _of_many(rest: list[ColumnReading]) -> None:
    by_name = {one.column: one for one in rest}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(f"One of {count(len(rest), 'more column')}", list(by_name), key=session.Key.READING_OF)
        one = by_name[name]
        st.button(f"Read as {one.instead}", key=session.Key.READING, on_click=_choose, args=(name, one.instead))


def _choose(name: str, kind: str) -> None:
    part = upload.part("train")
    if part is not None:
        session.draft_part(CHOSEN, (part.number, _chosen() | {name: kind}))


def _forget() -> None:
    session.draft_part(CHOSEN, None)
