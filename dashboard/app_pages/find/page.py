"""Find: the training records behind the gap."""

import streamlit as st

from core.errors import RedressError
from core.words import plain
from dashboard import cached, session
from dashboard.app_pages.find import filters, model, record, scatter, start, stopping, table, take
from dashboard.components import computed, computing, guess, opening, warnings
from dashboard.components.face import group_bars
from dashboard.records import record_table

work = opening.opened()
case = cached.case(work)
try:
    records, reason = computed.records(work), None
except RedressError as error:  # No way to predict influence, or no gap to trace: records can be chosen all the same.
    records, reason = None, error
ranked = records is not None
if records is None:
    records = record_table(case, None, None, work.feature)
below = session.record_from_table()  # Where it was asked for, so that nobody has to look for it.
left, right = st.columns([2, 3], gap="large")
with left:
    warnings.foreign(work)
    if not below:
        record.show(work, records, case.train)
    start.show(work, records)
    model.show(work)
with right:
    bars = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        passing = filters.show(work, records, case.train)
        if ranked:
            take.show(work, passing)
    take.summary(work, records)
    guess.show(work)
    with bars:
        if ranked and len(passing) == len(records):
            stopping.show(work)
        else:
            group_bars.show(work)
    warnings.show(work)
    if ranked:
        scatter.show(work, passing)
    elif reason is not None:
        st.info(plain(reason))
        computing.offer_again(reason, work, computed.INFLUENCE)
    else:
        computing.place(work, computed.INFLUENCE, work.metric, work.feature)
    table.show(work, passing, case.train)
    if below:
        record.show(work, records, case.train)
