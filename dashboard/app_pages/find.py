"""Find: the training records behind the gap."""

import streamlit as st

from core.errors import NotSupportedError
from dashboard import cached
from dashboard.app_pages import find_filters, find_record, find_scatter, find_table, find_take
from dashboard.components import opening
from dashboard.words import plain

work = opening.opened()
try:
    records = cached.records(work)
except NotSupportedError as error:
    st.info(plain(error))
    st.stop()
train = cached.case(work).train
bar = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
with bar:
    passing = find_filters.show(work, records, train)
    find_take.show(work, passing)
find_take.summary(work, records)
left, right = st.columns([5, 3], gap="large")
with left:
    find_scatter.show(work, passing)
with right:
    find_record.show(work, records, train)
find_table.show(work, passing, train)
