"""Find: the training records behind the gap."""

import streamlit as st

from core.errors import NotSupportedError
from dashboard import cached
from dashboard.app_pages import find_filters, find_record, find_scatter, find_table, find_take
from dashboard.components import opening
from dashboard.records import record_table
from dashboard.words import plain

work = opening.opened()
case = cached.case(work)
try:
    records, reason = cached.records(work), ""
except NotSupportedError as error:
    records, reason = record_table(case, None, None, work.feature), str(error)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    passing = find_filters.show(work, records, case.train)
    if not reason:
        find_take.show(work, passing)
find_take.summary(work, records)
left, right = st.columns([5, 3], gap="large")
with left:
    if reason:
        st.info(plain(reason))
    else:
        find_scatter.show(work, passing)
with right:
    find_record.show(work, records, case.train)
find_table.show(work, passing, case.train)
