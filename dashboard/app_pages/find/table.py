"""The records as a table; ticked rows are the selection."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from core.figures import influence
from core.metrics import METRICS
from core.words import count, inline
from dashboard import cached, meaning, session
from dashboard.components.tables import download
from dashboard.session import Key
from dashboard.work import Work

MOST_ROWS = 500
OWN = ("gap", "loss", "group", "removed")
HARMFUL, SELECTED, HELPFUL, REMOVED = "Most harmful", "Selected", "Most helpful", "Removed"
RETAINED = "Retained"
"""Where nothing says how much harm a record does."""
GREY = "color: #8a939b; font-style: italic"


def show(work: Work, passing: pd.DataFrame, train: pd.DataFrame) -> None:
    """Show records that pass the filters with their values.

    Rows can be ticked, a cell opens its record.
    """
    ranked = bool(passing["gap"].notna().any())
    views = [HARMFUL, SELECTED, HELPFUL, REMOVED] if ranked else [RETAINED, SELECTED, REMOVED]
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "Records shown",
            views,
            default=views[0],
            required=True,
            key=f"{Key.FIND_VIEW}_{ranked}",
            label_visibility="collapsed",
        )
        shown = _rows(work, passing, str(view))
        st.caption(
            f"{count(len(shown))} of the {count(len(passing), 'record')} that pass the filters. "
            "Ticked rows are selected; a click on a cell opens its record below."
        )
    if shown.empty:
        st.caption("There is none.")
        return
    case = cached.case(work)
    hidden = {case.roles.record_id, *case.roles.exclude}
    raw = train[[name for name in train.columns if name not in hidden]].iloc[shown["position"]].set_axis(shown.index)
    gone = bool(shown["removed"].any())
    own = [name for name in OWN if (ranked or name not in ("gap", "loss")) and (gone or name != "removed")]
    names = {name: _apart(name, raw.columns) for name in own}
    marked = shown.assign(removed=shown["removed"].map({True: "removed", False: ""}))
    table = pd.concat([marked[own].rename(columns=names), raw], axis=1)
    table = table.rename_axis(_apart(str(table.index.name or "record"), table.columns))
    # The browser reports no click on a cell of the index, and an id is what people click on.
    listed = _per_10_000(table, [names[name] for name in ("gap", "loss") if name in names]).reset_index()
    columns: dict[str, Any] = {names[name]: about for name, about in _columns(work).items() if name in names}
    columns[str(listed.columns[0])] = st.column_config.Column(pinned=True)
    ticked = [i for i, chosen in enumerate(shown.index.isin(work.selection)) if chosen]
    key = f"{Key.FIND_TABLE}_{view}_{session.picks()}_{cached.key(work)}_{work.metric}_{work.feature}_{hash(tuple(shown.index))}"
    st.dataframe(
        _greyed(listed, names["removed"]) if gone else listed,
        lazy=False,
        key=key,
        on_select=partial(_ticked, key, shown, session.picks()),
        selection_mode=["multi-row", "single-cell"],
        selection_default={"selection": {"rows": ticked}},
        column_config=columns,
        hide_index=True,
        height=420,
    )
    download(table, "records")


def _per_10_000(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the table with changes by one record as they are read: in parts of 10,000."""
    return table.assign(**{name: influence.PER * table[name] for name in names})


def _greyed(table: pd.DataFrame, removed: str) -> Styler:
    """Return the table with removed records in grey, and numbers as short as without."""
    floats = list(table.select_dtypes("float"))
    styled = table.style.apply(lambda row: [GREY if row[removed] else ""] * len(row), axis=1)
    return styled.format("{:.6g}", subset=floats, na_rep="")


def _apart(name: str, taken: pd.Index[Any]) -> str:
    """Return a column name that the table itself does not have."""
    while name in taken:
        name += " "
    return name


def _rows(work: Work, passing: pd.DataFrame, view: str) -> pd.DataFrame:
    lower = METRICS[work.metric].better == "lower"
    retained, removed = passing[~passing["removed"]], passing[passing["removed"]]
    if view == REMOVED:
        return removed.sort_values("gap", ascending=lower).head(MOST_ROWS)
    if view == SELECTED:
        return retained[retained.index.isin(work.selection)].sort_values("gap", ascending=lower).head(MOST_ROWS)
    first = retained.sort_values("gap", ascending=lower == (view == HARMFUL)).head(MOST_ROWS)
    return pd.concat([first, removed.sort_values("gap", ascending=lower).head(MOST_ROWS // 5)])


def _columns(work: Work) -> dict[str, Any]:
    gap, loss = METRICS[work.metric], METRICS[cached.loss_of(cached.case(work))]
    config = st.column_config
    return {
        "gap": config.NumberColumn(
            "on the gap, per 10,000",
            help=f"Predicted change of {inline(meaning.label(work.metric, cached.case(work).roles))} ({gap.formula}) if this record alone is removed, "
            f"per {influence.PER:,}.",
            format="%+.2f",
        ),
        "loss": config.NumberColumn(
            "on the loss, per 10,000",
            help=f"Predicted change of {inline(loss.label)} ({loss.formula}) if this record alone is removed, per {influence.PER:,}.",
            format="%+.2f",
        ),
        "group": config.TextColumn("group", help="Group by the sensitive feature chosen on the strip."),
        "removed": config.TextColumn(
            "removed", help="Forgotten by the model; its numbers are those it had when the case was opened."
        ),
    }


def _ticked(key: str, shown: pd.DataFrame, picks: int) -> None:
    # The browser sends a table's first ticks only with the next click, whatever that is on: one that has set the selection meanwhile counts.
    work, event = session.work(), (session.value(key) or {}).get("selection", {})
    if work is None or session.picks() != picks:
        return
    cells = event.get("cells", ())
    if cells:
        session.open_record(shown.index[cells[0][0]], from_table=True)
    rows = shown.iloc[list(event.get("rows", ()))]
    ticked = rows.index[~rows["removed"]]
    others = [record for record in work.selection if record not in set(shown.index)]
    if set(others) | set(ticked) != set(work.selection):
        session.select([*others, *ticked], fresh=False)
