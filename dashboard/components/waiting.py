"""Work under way: what it is, how far it got, and a way to give it up; and the last message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import RedressError
from dashboard import jobs, session
from dashboard.words import plain, seconds


def run(title: str, work: Callable[[jobs.Report], Any], then: Callable[[Any], None]) -> None:
    """Do `work` off the script thread; where it is quick, `then` has had its result when this returns."""
    job = jobs.Job(title, work, then)
    session.set_job(job)
    session.notify()
    _settle(job, jobs.QUICK_S)


def _settle(job: jobs.Job, wait_s: float = 0.0) -> bool:
    try:
        if not job.settle(wait_s):
            return False
    except RedressError as error:
        session.notify("error", str(error))
    except MemoryError:
        session.notify("error", f"{job.title} must fit into the server's memory. It did not; use fewer rows.")
    if session.job() is job:
        session.set_job(None)
    return True


def collect() -> None:
    """Take over the result of work that has ended."""
    job = session.job()
    if job is not None:
        _settle(job)


def show() -> None:
    """Show the work under way, and the last message."""
    if session.job() is not None:
        _under_way()
    kept = session.notice()
    if kept is not None:
        kind, sentence = kept
        (st.error if kind == "error" else st.success)(plain(sentence))


@st.fragment(run_every=0.4)
def _under_way() -> None:
    job = session.job()
    if job is None or job.done:
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        doing = f": {plain(job.doing)}" if job.doing else ""
        st.progress(job.share, f"{plain(job.title)}{doing} ({seconds(job.seconds)})")
        st.button("Cancel", key=session.Key.CANCEL, on_click=session.set_job, args=(None,))
