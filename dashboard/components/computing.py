"""Results a page asks for: there at once, or on their way with progress and a way to give them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import RedressError
from dashboard import cached, session
from dashboard.components import waiting
from dashboard.jobs import Report
from dashboard.results import Name
from dashboard.work import Work


def result(work: Work, what: str, title: str, make: Callable[[Report], Any], *settings: Any) -> Any:
    """Return what `make` gives for the version in force, None while it is not there.

    The page is run again once it is there. Of two results of one kind, the one asked for last counts.

    Parameters
    ----------
    work : Work
    what : str
        The kind of result.
    title : str
        What is being done, for the page.
    make : callable
        Makes it on another thread; gets a `Report`. Never gives None.
    *settings
        What it depends on, besides version and threshold.

    Raises
    ------
    RedressError
        What `make` raised.
    """
    results, name = cached.results(), named(work, what, *settings)
    kept = results.peek(name)
    if kept is not None or session.given_up(name):
        return kept
    job = session.jobs().get(what)
    if job is None or job.name != name:
        waiting.run(title, lambda report: _quiet(name, make, report), _nothing, about=what, name=name)
        kept = results.peek(name)
        if kept is None:
            st.rerun()
    return kept


def named(work: Work, what: str, *settings: Any) -> Name:
    """Return the name of a result."""
    return (work.case_id, what, cached.key(work), *settings)


def place(work: Work, what: str, *settings: Any) -> None:
    """Stand where a result will be: say that it is on its way, or offer to make it after all."""
    name = named(work, what, *settings)
    if session.given_up(name):
        st.button("Compute it after all", key=f"{session.Key.COMPUTE}_{what}", on_click=session.ask_again, args=(name,))
    else:
        st.caption(":material/hourglass_top: On its way; the bar above shows how far it is.")


def _quiet(name: Name, make: Callable[[Report], Any], report: Report) -> None:
    """Make a result; an error is kept in its place and shown there."""
    try:
        cached.results().make(name, lambda: make(report))
    except RedressError:
        return


def _nothing(_: Any) -> None:
    """Leave the result where it is kept."""
