"""Results a page asks for: there at once, or on their way with progress.

They can be given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import LimitError, RedressError
from dashboard import cached, session
from dashboard.components import waiting
from dashboard.jobs import Report
from dashboard.kept import ResultName
from dashboard.work import Work


def result(
    work: Work, what: str, title: str, make: Callable[[Report], Any], *settings: Any, partial: bool = False
) -> Any:
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
    partial : bool
        Whether `make`, told to stop, gives what it has found by then.

    Raises
    ------
    RedressError
        What `make` raised.
    """
    results, name = cached.results(), cached.name_of(work, what, *settings)
    kept = results.peek(name)
    if kept is not None or session.given_up(name):
        return kept
    job = session.jobs().get(what)
    if job is None or job.name != name:
        waiting.run(title, lambda report: _quiet(name, make, report), _nothing, about=what, name=name, partial=partial)
        kept = results.peek(name)
        if kept is None:
            st.rerun()
    return kept


def is_given_up(work: Work, what: str, *settings: Any) -> bool:
    """Return whether the person gave a result up."""
    return session.given_up(cached.name_of(work, what, *settings))


def requested(work: Work, what: str, label: str, *settings: Any, again: bool = False, about: str | None = None) -> bool:
    """Return whether a result that is made only on request was asked for.

    Where it was not, offer a button.

    Parameters
    ----------
    work, what, *settings
        As for `result`.
    label : str
        What the button says.
    again : bool
        Whether to offer the button although there is a result; it is made anew then.
    about : str, optional
        Help on the button.
    """
    name = cached.name_of(work, what, *settings)
    wanted = session.asked_for(name) or _kept(name)
    if again or not wanted:
        st.button(
            label,
            type="secondary" if again else "primary",
            key=f"{session.Key.ASK}_{what}",
            on_click=_ask,
            args=(name,),
            help=about,
        )
    return wanted


def _kept(name: ResultName) -> bool:
    try:
        return cached.results().peek(name) is not None
    except RedressError:
        return True


def _ask(name: ResultName) -> None:
    cached.results().forget(name)
    session.ask_for(name)


def place(work: Work, what: str, *settings: Any) -> None:
    """Stand where a result will be: say that it is on its way, or offer to make it after all."""
    name = cached.name_of(work, what, *settings)
    if session.given_up(name):
        st.button("Compute it after all", key=f"{session.Key.COMPUTE}_{what}", on_click=session.ask_again, args=(name,))
    else:
        st.caption(":material/hourglass_top: On its way; the bar at the foot of the window shows how far it is.")


def offer_again(error: RedressError, work: Work, what: str) -> None:
    """Offer to make a result again that did not fit into memory.

    There may be more memory by now.
    """
    if isinstance(error, LimitError):
        forget = cached.results().forget_limits
        st.button("Try again", key=f"{session.Key.COMPUTE}_{what}", on_click=forget, args=(work.case_id,))


def _quiet(name: ResultName, make: Callable[[Report], Any], report: Report) -> None:
    """Make a result; an error is kept in its place and shown there."""
    try:
        cached.results().make(
            name, lambda: make(report), lambda: report(0.0, "waiting for the same work, under way already")
        )
    except RedressError:
        return


def _nothing(_: Any) -> None:
    """Leave the result where it is kept."""
