"""Opening a case: from the address, from a demonstration, or from uploaded files."""

from __future__ import annotations

import streamlit as st

from dashboard import cached, session, workspace
from dashboard.components import pages, waiting
from dashboard.history import Step
from dashboard.jobs import Report
from dashboard.work import Work

FIRST_METRIC = "equal_opportunity_difference"


def restore() -> None:
    """Open the case the address asks for, unless it is open, on its way, or was refused."""
    asked = session.asked_case()
    if not asked or session.work() is not None or session.jobs() or session.refused() == asked:
        return
    session.refuse(asked)
    demo = workspace.demo_of(asked)
    open_case(workspace.demo_id(demo.name) if demo is not None and demo.name == asked else asked)


def open_case(case_id: str) -> None:
    """Open a case with the removals done so far."""
    versions = cached.versions()

    def work(report: Report) -> Work:
        base = versions.get(case_id, report=report).case
        report(0.8, "checking what the model was trained on")
        cached.provenance(versions, case_id)
        opened = Work(case_id, base.threshold, FIRST_METRIC, base.sensitive_feature()).restored(workspace.read(case_id))
        for i in range(opened.at):
            report(i / opened.at, f"removal {i + 1} of {opened.at}")
            versions.get(case_id, opened.steps[: i + 1])
        workspace.touch(case_id)
        return opened

    waiting.run("Opening the case", work, session.commit)


def opened() -> Work:
    """Return the open case; pages that call this run only while there is one."""
    work = session.work()
    if work is None:
        raise RuntimeError("A page that needs a case ran without one.")
    return work


def ask_for_one() -> None:
    """Say that a page needs an open case."""
    st.info("This page needs an open case. Open a demonstration or your own files first.")
    st.page_link(pages.page(pages.START), label="Go to Start", icon=":material/arrow_back:")


def converge() -> None:
    """Bring the model to the optimum of its training objective, as a version of its own."""
    take(Step("converge"), "Bringing the model to its optimum")


def go_to(there: Work) -> None:
    """Show another version: at once if it is kept, else after its steps were replayed."""
    versions = cached.versions()
    if versions.peek(there.case_id, there.applied) is not None:
        session.notify()
        session.commit(there)
        return
    waiting.run(
        "Replaying the removals",
        lambda report: versions.get(there.case_id, there.applied, report),
        lambda _: session.commit(there),
    )


def take(step: Step, title: str) -> None:
    """Take a step from the version in force; the result is a new version."""
    work = session.work()
    if work is None:
        return
    after = work.taking(step)
    versions = cached.versions()
    waiting.run(
        title,
        lambda _: versions.get(after.case_id, after.applied),
        lambda _: session.commit(after),
    )


def take_now(step: Step) -> None:
    """Take a quick step at once, on the script thread.

    Raises
    ------
    RedressError
        If it cannot be taken; nothing changes then.
    """
    after = opened().taking(step)
    cached.versions().get(after.case_id, after.applied)
    session.notify()
    session.commit(after)
