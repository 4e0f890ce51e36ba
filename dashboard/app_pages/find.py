"""Find: the training records behind the gap."""

import streamlit as st

from core.errors import RedressError
from dashboard import cached, session
from dashboard.app_pages import find_filters, find_model, find_record, find_scatter, find_start, find_table, find_take
from dashboard.components import computed, computing, opening, warnings
from dashboard.records import record_table
from dashboard.words import plain

work = opening.opened()
case = cached.case(work)
try:
    records, reason = computed.records(work), None
except RedressError as error:  # No way to predict influence, or no gap to trace: records can be chosen all the same.
    records, reason = None, error
ranked = records is not None
if records is None:
    records = record_table(case, None, None, work.feature)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    passing = find_filters.show(work, records, case.train)
    if ranked:
        find_take.show(work, passing)
find_take.summary(work, records)
warnings.foreign(work)
warnings.show(work)
below = session.record_from_table()  # Where it was asked for, so that nobody has to look for it.
left, right = st.columns([3, 5], gap="large")
with left:
    if not below:
        find_record.show(work, records, case.train)
    find_start.show(work, records)
with right:
    if ranked:
        find_scatter.show(work, passing)
    elif reason is not None:
        st.info(plain(reason))
        computing.offer_again(reason, work, computed.INFLUENCE)
    else:
        computing.place(work, computed.INFLUENCE, work.metric, work.feature)
    find_model.show(work)
    find_table.show(work, passing, case.train)
    if below:
        find_record.show(work, records, case.train)
