"""The work of one browser session on its way to and from the record beside the case."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from core.errors import InputError
from dashboard import bookkeeping, workspace
from dashboard.news import News, news_of
from dashboard.session_keys import Key
from dashboard.work import Work


def keep() -> None:
    """Write down what outlives the session, unless it is written already.

    A run that was cut off leaves it to the next, as does a disk that is full or may not be written.
    """
    found, last = st.session_state.get(Key.WORK), st.session_state.get(Key.KEPT)
    if found is None:
        return
    now: Work = found
    if now is not last:
        if last is None or last.case_id != now.case_id:
            st.session_state[Key.NEWS] = st.session_state[Key.HEARD] = None  # It may have changed since it was read.
        elif _differs(now, last):
            done = bookkeeping.attempt(now.case_id, partial(_written, now, last))
            if done is None:  # What the disk refuses is written by a later run.
                return
            now = done
            st.session_state[Key.WORK], st.session_state[Key.HEARD] = now, workspace.written(now.case_id)
        st.session_state[Key.KEPT] = now
    workspace.catch_up(now.case_id)


def _differs(now: Work, last: Work) -> bool:
    """Return whether there is something to write down."""
    return replace(last, selection=now.selection, edit=now.edit, revision=now.revision) != now


def _written(now: Work, last: Work) -> Work:
    """Write the work beside its case and return it with what others did meanwhile."""
    seen: list[Work] = []

    def put(kept: dict[str, Any]) -> dict[str, Any]:
        theirs = now.restored(kept)
        revision = int(kept.get("revision", 0))
        seen[:] = theirs, replace(now.knowing(theirs.made, first=True), revision=revision + 1)
        return {**kept, **seen[1].to_dict(), "revision": revision + 1}

    try:
        workspace.change_record(now.case_id, put)
    except InputError:
        workspace.put_record_aside(now.case_id)
        workspace.change_record(now.case_id, put)
    theirs, merged = seen
    if merged.revision != last.revision + 1:
        _tell(news_of(last, theirs, merged))
    return merged


def hear() -> None:
    """Learn what another tab did to the open case; what this tab shows stays in force here."""
    now, last = st.session_state.get(Key.WORK), st.session_state.get(Key.KEPT)
    if now is None or last is None or workspace.written(now.case_id) == st.session_state.get(Key.HEARD):
        return
    st.session_state[Key.HEARD] = workspace.written(now.case_id)
    try:
        theirs = now.restored(workspace.read(now.case_id))
    except InputError:
        return
    if theirs.revision == last.revision:
        return
    fresh, known = (replace(one.knowing(theirs.made, first=True), revision=theirs.revision) for one in (now, last))
    # What could not be written yet stays to be written.
    st.session_state[Key.WORK], st.session_state[Key.KEPT] = fresh, known if _differs(now, last) else fresh
    _tell(news_of(last, theirs, fresh))


def _tell(found: News | None) -> None:
    if found is not None:
        st.session_state[Key.NEWS] = found


def news() -> News | None:
    """Return what another tab did to the open case and nobody here has answered yet."""
    found: News | None = st.session_state.get(Key.NEWS)
    return found


def answer_news() -> None:
    """Let go of what another tab did."""
    st.session_state[Key.NEWS] = None
