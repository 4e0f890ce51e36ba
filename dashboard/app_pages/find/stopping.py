"""Where along the ranking of harmful records to stop.

The curve of what its first records do together, and the shortest that have most of it.
"""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

import core
from core.errors import RedressError
from core.figures import look
from core.words import count, number, plain
from dashboard import meaning, session
from dashboard.app_pages.find import take
from dashboard.components import chart, computing, searched
from dashboard.components.face import group_bars, stops
from dashboard.session import Key
from dashboard.work import Work


def show(work: Work) -> None:
    """Show how many of the ranking's first records are worth taking, and the curve behind it.

    The curve is of the whole ranking, whatever the filters.
    """
    try:
        found = searched.harmful_records(work)
        looked = found is not None and stops.look_along(work, found)
        if found is not None and looked and len(found.forget):
            found = searched.harmful_expected(work, found) or found
    except RedressError as error:
        group_bars.show(work)
        st.caption(plain(error))
        computing.offer_again(error, work, searched.HARMFUL)
        return
    if found is None:
        group_bars.show(work)
        computing.place(work, searched.HARMFUL, work.metric, work.feature)
        return
    group_bars.show(work, sliding=True)
    _advise(work, found)
    curve = st.expander("Along the ranking", key=f"{Key.FIND_CURVE}_fold", on_change="rerun")
    if curve.open:  # drawn where it is seen
        with curve:
            chart.show(_marked(found, work), f"{Key.FIND_CURVE}_chart")


def _advise(work: Work, found: core.HarmfulRecords) -> None:
    """Say where to stop and what that does; offer to select as many."""
    metric = meaning.label(work.metric, found.case.roles)
    if not len(found.forget):
        st.markdown(f"**Nowhere to stop**: no first records of the ranking, removed together, improve this: {metric}.")
        return
    said = (
        f"**Stop at {count(len(found.forget))}**: the shortest with 80% of the best gain along the ranking. {metric} "
        f"{number(found.before)} to {number(found.after)}, measured on the {count(found.n_rows)} rows searched. "
    )
    said += found.expected.sentence if found.expected is not None else "What to expect on other rows is on its way."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(said, width="stretch")
        st.button(
            f"Take the first {count(len(found.forget))}",
            key=f"{Key.FIND_CURVE}_take",
            icon=":material/select:",
            on_click=_take,
            args=(found,),
        )


def _take(found: core.HarmfulRecords) -> None:
    take.set_number(len(found.forget))
    session.select(tuple(found.forget), taken=True)


def _marked(found: core.HarmfulRecords, work: Work) -> go.Figure:
    """Return the curve, with a line at the selection where that is the first records."""
    figure, n = found.plot(), len(work.selection)
    if 0 < n <= len(found.ranking) and n != len(found.forget) and set(work.selection) == set(found.ranking[:n]):
        figure.add_vline(x=n, line={"color": look.ACCENT, "width": 2}, annotation={"text": "selected"})
    return figure
