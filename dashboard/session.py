"""What one browser session is doing; the only file that names keys of the session state."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import streamlit as st

from dashboard import workspace
from dashboard.jobs import Job
from dashboard.work import Work

CASE_PARAM = "case"


class Key(StrEnum):
    """Names in the session state: what is under way, and the widgets whose value is set from elsewhere."""

    WORK = "work"
    JOB = "job"
    NOTICE = "notice"
    DRAFT = "draft"
    REFUSED = "refused"
    CANCEL = "cancel"
    UPLOAD = "upload"
    FORMAT = "format"
    ROLES = "roles"
    NAME = "name"
    CONFIRM = "confirm"
    OPEN = "open"
    SPLIT = "split"
    SPLIT_SHARE = "split_share"
    SPLIT_SEED = "split_seed"
    SAVED_FORM = "saved_form"
    SAVED_ID = "saved_id"
    CONVERGE = "converge"
    DELETE = "delete"
    CHECK_TAB = "check_tab"
    CHECK_RATE = "check_rate"
    CHECK_CROSS_RATE = "check_cross_rate"
    CHECK_PROFILE = "check_profile"
    CHECK_LIMITS = "check_limits"
    CHECK_MODE = "check_mode"
    CHECK_SCORE = "check_score"
    CHECK_CAPACITY = "check_capacity"
    CHECK_COST_POSITIVE = "check_cost_positive"
    CHECK_COST_NEGATIVE = "check_cost_negative"
    STRIP_BOX = "strip_box"
    STRIP_METRIC = "strip_metric"
    STRIP_FEATURE = "strip_feature"
    STRIP_MOVE = "strip_move"


def work() -> Work | None:
    """Return the open case of this session, or None."""
    found: Work | None = st.session_state.get(Key.WORK)
    return found


def commit(new: Work) -> None:
    """Make `new` the state of this session, and keep it beside the case where something changed that outlives the session."""
    old = work()
    st.session_state[Key.WORK] = new
    if old is None or old.case_id != new.case_id:
        return
    if old.to_dict() != new.to_dict():
        workspace.write(new.case_id, new.to_dict())


def close() -> None:
    """Close the open case."""
    st.session_state.pop(Key.WORK, None)
    st.query_params.pop(CASE_PARAM, None)


def asked_case() -> str | None:
    """Return the case the address asks for."""
    found: str | None = st.query_params.get(CASE_PARAM)
    return found


def refused() -> str | None:
    """Return the case of the address that was tried already."""
    found: str | None = st.session_state.get(Key.REFUSED)
    return found


def refuse(case_id: str) -> None:
    """Note that the case of the address was tried; it is not tried again in this session."""
    st.session_state[Key.REFUSED] = case_id


def show_in_address(case_id: str) -> None:
    """Put the case into the address, where a page change left it out."""
    if st.query_params.get(CASE_PARAM) != case_id:
        st.query_params[CASE_PARAM] = case_id


def job() -> Job | None:
    """Return the work under way, or None."""
    found: Job | None = st.session_state.get(Key.JOB)
    return found


def set_job(new: Job | None) -> None:
    """Note the work under way; what was under way before is given up."""
    old = job()
    if old is not None and old is not new:
        old.cancel()
    st.session_state[Key.JOB] = new


def notice() -> tuple[str, str] | None:
    """Return the last message, as its kind ("done" or "error") and a sentence."""
    found: tuple[str, str] | None = st.session_state.get(Key.NOTICE)
    return found


def notify(kind: str = "", sentence: str = "") -> None:
    """Set the message shown on the page; nothing takes it away."""
    st.session_state[Key.NOTICE] = (kind, sentence) if sentence else None


def draft() -> dict[str, Any]:
    """Return the uploaded parts of a case that is not open yet, by name."""
    return dict(st.session_state.get(Key.DRAFT, {}))


def draft_part(which: str, content: Any) -> None:
    """Keep an uploaded part; None takes it away."""
    parts = draft()
    parts.pop(which, None)
    st.session_state[Key.DRAFT] = parts if content is None else {**parts, which: content}


def clear_draft() -> None:
    """Forget the uploaded parts."""
    st.session_state.pop(Key.DRAFT, None)


def value(key: str) -> Any:
    """Return the value of a widget in its own callback."""
    return st.session_state.get(key)
