"""Work under way: what it is, how far it got, and a way to give it up.

With the last message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import RedressError
from core.unlearning import compiling
from core.words import count, inline, plain, seconds
from dashboard import jobs, session

CASE = "case"
"""Work about the open case: of two, the later one counts."""


def run(
    title: str,
    work: Callable[[jobs.Report], Any],
    then: Callable[[Any], None],
    *,
    about: str = CASE,
    name: tuple[Any, ...] = (),
    partial: bool = False,
    never: Callable[[], None] | None = None,
) -> None:
    """Do `work` off the script thread.

    Where it is quick, `then` has had its result when this returns.

    Work with a name is a result that a page asked for, and leaves the last message as it is. Partial work, given up, is waited for.
    Where it is given up or fails, `never` is called once it has ended.
    """
    job = jobs.Job(title, work, then, name, partial=partial, never=never)
    session.add_job(about, job)
    job.start()  # Not before the session knows of it: a run cut off in between would leave work that nobody can give up.
    if not name:
        session.notify()
    _settle(about, job, jobs.QUICK_S)


def _settle(about: str, job: jobs.Job, wait_s: float = 0.0) -> None:
    try:
        if not job.settle(wait_s):
            return
    except jobs.GivenUpError:
        session.refuse_result(job.name)  # It was told to stop before it had any part of the result.
    except RedressError as error:
        session.notify("error", str(error))
    except MemoryError:
        session.notify("error", f"{job.title} must fit into the server's memory. It did not; use fewer rows.")
    except Exception:
        session.drop_job(about, job)
        raise
    session.drop_job(about, job)


def collect() -> None:
    """Take over the results of work that has ended."""
    for about, job in session.jobs().items():
        _settle(about, job)


def show() -> None:
    """Show the work under way, and the last message."""
    if session.jobs():
        with st.container(key=session.Key.UNDER_WAY_BOX):
            _under_way()
    kept = session.notice()
    if kept is not None:
        kind, sentence = kept
        (st.error if kind == "error" else st.success)(plain(sentence))


def _doing(job: jobs.Job) -> str:
    if job.stopping:
        return ": stopping, keeping what was found"
    if job.queued:
        return ": waiting for other work on this server"
    kernels = compiling.so_far()
    if kernels is not None:
        return f": preparing kernels, the first time on this machine ({count(kernels)} ready; a few minutes at most)"
    return f": {plain(inline(job.doing))}" if job.doing else ""


@st.fragment(run_every=0.5)
def _under_way() -> None:
    under_way = session.jobs()
    if not under_way or any(job.done for job in under_way.values()):
        st.rerun()
    for about, job in under_way.items():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.progress(job.share, f"{plain(job.title)}{_doing(job)} ({seconds(job.seconds)})")
            st.button(
                "Cancel",
                key=f"{session.Key.CANCEL}_{about}",
                on_click=session.give_up,
                args=(about,),
                disabled=job.stopping,
            )
