"""The scatter of records, and what an outline drawn on it selects."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.figures import influence
from core.metrics import METRICS
from core.words import count
from dashboard import cached, meaning, session
from dashboard.components import chart, clicks
from dashboard.records import inside_box, inside_outline
from dashboard.session import Key
from dashboard.work import Work

NEW, MORE, LESS = "selects anew", "adds", "takes away"


def show(work: Work, passing: pd.DataFrame) -> None:
    """Show the records that pass the filters, the selected ones in front."""
    if passing.empty:
        st.info("No record passes the filters. Loosen one of them.")
        return
    selected = pd.Index(work.selection)
    shown = influence.points(passing, selected)
    loss = METRICS[cached.loss_of(cached.case(work))]
    key = f"{Key.FIND_SCATTER}_{session.picks()}_{cached.key(work)}_{work.metric}_{work.feature}"
    figure = influence.scatter(
        shown,
        passing,
        selected,
        meaning.label(work.metric, cached.case(work).roles),
        loss.label,
        lower_is_fairer=METRICS[work.metric].better == "lower",
    )
    with st.container(key=Key.FIND_SCATTER_BOX):
        chart.show(
            figure,
            key,
            on_select=partial(_drawn, key, figure, passing, session.picks()),
            selection_mode=("points", "box", "lasso"),
            config=chart.SELECTING,
        )
        clicks.listen(Key.FIND_SCATTER_BOX, f"{Key.FIND_SCATTER_BOX}_clicks", partial(_clicked, figure))
    if len(shown) < len(passing):
        st.caption(
            f"{count(len(shown))} of {count(len(passing), 'record')} are drawn: all selected and extreme ones, and a sample of the rest. "
            "An outline takes every record inside it, drawn or not."
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("An outline")
        st.segmented_control(
            "An outline", [NEW, MORE, LESS], default=NEW, required=True, key=Key.FIND_MODE, label_visibility="collapsed"
        )
        st.caption("A click on a point opens its record.")


def _unscaled(drawn: list[float]) -> list[float]:
    """Return places on the chart as changes."""
    return [place / influence.PER for place in drawn]


def _clicked(figure: Any, curve: int, point: int) -> None:
    if curve < len(figure.data) and point < len(figure.data[curve].ids or ()):
        session.open_record(figure.data[curve].ids[point])


def _drawn(key: str, figure: Any, passing: pd.DataFrame, picks: int) -> None:
    if session.picks() != picks:  # Another click, sent together with this one, has set the selection.
        return
    event = (session.value(key) or {}).get("selection", {})
    outlines = [(inside_box, one) for one in event.get("box", ())] + [
        (inside_outline, one) for one in event.get("lasso", ())
    ]
    if not outlines:
        for point in event.get("points", ())[:1]:
            session.open_record(figure.data[point["curve_number"]].ids[point["point_index"]])
        return
    retained = passing[~passing["removed"]]
    drawn = pd.Index([])
    for inside, one in outlines:
        drawn = drawn.union(inside(retained, _unscaled(one["x"]), _unscaled(one["y"])), sort=False)
    work = session.work()
    before = pd.Index(work.selection if work is not None else ())
    mode = session.value(Key.FIND_MODE)
    session.select(
        before.union(drawn, sort=False)
        if mode == MORE
        else before.difference(drawn, sort=False)
        if mode == LESS
        else drawn
    )
