"""Opening a case: from the address, from a demonstration, or from uploaded files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

import core
from core.errors import RedressError
from core.words import count
from dashboard import bookkeeping, cached, session, workspace
from dashboard.components import pages, waiting
from dashboard.history import Step
from dashboard.jobs import Report
from dashboard.meaning import first_metric
from dashboard.retention import keep_days
from dashboard.work import Work

REFIT = "refit"
"""Name of the unlearner that trains again."""


def restore_case() -> None:
    """Open the case the address asks for, unless it is open, on its way, or was refused."""
    asked = session.asked_case()
    if not asked or session.work() is not None or session.jobs() or session.case_tried() == asked:
        return
    session.refuse(asked)
    demo = workspace.demo_of(asked)
    open_case(workspace.demo_id(demo) if demo is not None and asked in (demo.name, demo.slug) else asked)


def open_case(case_id: str) -> None:
    """Open a case with the removals done so far."""
    waiting.run("Opening the case", lambda report: _brought(case_id, report), _show)


def _show(brought: tuple[Work, str]) -> None:
    """Show a case that was opened, and why its record could not be read."""
    opened, problem = brought
    session.commit(opened)
    if problem:
        session.notify("error", problem)


def open_uploaded(case_id: str) -> None:
    """Open a case that was stored a moment ago.

    Its files stay in their fields until it is open, and the copy goes if it never is.
    """

    def done(brought: tuple[Work, str]) -> None:
        session.clear_draft()
        _show(brought)

    versions = cached.versions()

    def never() -> None:
        workspace.discard(case_id)
        versions.kept.drop(case_id)

    waiting.run("Opening the case", lambda report: _brought(case_id, report), done, never=never)


def _brought(case_id: str, report: Report) -> tuple[Work, str]:
    """Return a case as it was left, and a sentence where its record is damaged."""
    versions = cached.versions()
    report(0.0, "reading tables and model")
    base = versions.get(case_id, report=report).case
    report(0.8, "checking what the model was trained on")
    cached.provenance(versions, case_id)
    opened, problem = _with_record(base, case_id)
    for i in range(opened.at):
        report(i / opened.at, f"removal {i + 1} of {opened.at}")
        versions.get(case_id, opened.steps[: i + 1])
    report(1.0, "almost done")  # The last moment to be given up.
    workspace.touch(case_id)
    return opened, problem


def _with_record(base: core.Case, case_id: str) -> tuple[Work, str]:
    opened = Work(case_id, base.threshold, first_metric(base.roles), base.sensitive_feature())
    try:
        found = opened.restored(workspace.read(case_id))
        base.sensitive_feature(found.feature)
        fits = all(0 <= row < len(base.train) for steps in found.made for row in steps[-1].positions)
    except RedressError:
        fits = False
    if fits and not workspace.is_damaged(case_id):
        return found, ""
    bookkeeping.attempt(case_id, lambda: workspace.put_record_aside(case_id))
    return opened, (
        "The record of what was done to this case must be as it was written. It is damaged, so the case is shown as it was opened; the "
        "record is kept beside it on the server."
    )


def leave_deleted() -> None:
    """Close the open case if it was deleted meanwhile, and forget what is known of it."""
    work = session.work()
    if work is None or not workspace.is_gone(work.case_id):
        return
    for about in session.jobs():
        session.drop_job(about)
    session.close()
    cached.results().drop(work.case_id)
    bookkeeping.forget_notes(work.case_id)
    session.notify(
        "error",
        "The case that was open here must be kept on this server. It was deleted: in another tab, by somebody who had its address, or as nobody "
        f"opened it for {keep_days():g} days. Open a demonstration, or upload the files again.",
    )


def at_hand(work: Work) -> bool:
    """Return whether the case and its version in force are kept.

    Where newer cases took their place, begin to bring them back.
    """
    versions, needed = cached.versions(), ((), work.applied)
    name = cached.name_of(work, "back")
    if all(versions.peek(work.case_id, steps) is not None for steps in needed):
        return True
    if session.given_up(name):
        session.close()
    elif waiting.CASE not in session.jobs():

        def bring(report: Report) -> None:
            for steps in needed:
                versions.get(work.case_id, steps, report)
            cached.provenance(versions, work.case_id)

        waiting.run("Bringing the case back", bring, lambda _: None, name=name)
    return all(versions.peek(work.case_id, steps) is not None for steps in needed)


def opened() -> Work:
    """Return the open case; pages that call this run only while there is one."""
    work = session.work()
    if work is None:
        raise RuntimeError("A page that needs a case ran without one.")
    return work


def ask_for_one() -> None:
    """Say that a page needs an open case."""
    st.info("This page needs an open case. Open a demonstration or your own files first.")
    st.page_link(pages.page(pages.START_PAGE), label="Go to Start", icon=":material/arrow_back:")


def bring_to_optimum() -> None:
    """Bring the model to the optimum of its training objective, as a version of its own."""
    take_step(Step("converge"), "Bringing the model to its optimum")


def go_to(there: Work) -> None:
    """Show another version: at once if it is kept, else after its steps were replayed."""
    versions = cached.versions()
    if cached.is_kept(there):
        session.notify()
        session.commit(there)
        return
    waiting.run(
        "Replaying the removals",
        lambda report: versions.get(there.case_id, there.applied, report),
        lambda _: session.commit(there),
    )


def bring(there: Work) -> None:
    """Have a version made again where it is not kept, and leave the one in force as it is."""
    if not cached.is_kept(there):
        versions = cached.versions()
        waiting.run(
            f"Making version {there.number} again",
            lambda report: versions.get(there.case_id, there.applied, report),
            lambda _: None,
            about=f"version {there.number}",
        )


def take_step(step: Step, title: str, *, refused: Callable[[str], None] | None = None) -> bool:
    """Take a step from the version in force; the result is a new version.

    Return whether that is all there is to show: it was quick, and nothing is heard of another tab or of the disk.

    Parameters
    ----------
    step : Step
    title : str
        What is being done, for the page.
    refused : callable, optional
        Called with the sentence if the step cannot be taken; nothing changes then. None shows it above the page.
    """
    after = opened().taking(step)
    versions = cached.versions()

    def work(report: Report) -> str:
        try:
            versions.get(after.case_id, after.applied, report)
        except RedressError as error:
            return str(error)
        return ""

    def done(problem: str) -> None:
        if not problem:
            session.commit(after)
        elif refused is not None:
            refused(problem)
        else:
            session.notify("error", problem)

    waiting.run(title, work, done)
    heard = session.news() is not None or bookkeeping.trouble(after.case_id) or workspace.is_gone(after.case_id)
    return waiting.CASE not in session.jobs() and not heard


def remove_selection(method: str = "auto", *, refused: Callable[[str], None] | None = None) -> bool:
    """Remove the selected records, or give them what they are to be given.

    Return whether that is all there is to show, as `take_step` does.

    Parameters
    ----------
    method : str
        Name of the unlearner; "auto" takes the first that works.
    refused : callable, optional
        As for `take_step`.
    """
    work = opened()
    try:
        positions = cached.case(work).positions(work.selection)
    except RedressError as error:
        (refused or partial(session.notify, "error"))(str(error))
        return False
    them = count(len(positions), "record")
    if work.edit is not None:
        step = Step(work.edit.kind, tuple(positions.tolist()), method, work.edit.value)
        return take_step(step, f"Editing {them}", refused=refused)
    title = f"Training again without {them}" if method == REFIT else f"Removing {them}"
    return take_step(Step("unlearn", tuple(positions.tolist()), method), title, refused=refused)
