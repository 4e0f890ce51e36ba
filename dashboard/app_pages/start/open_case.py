"""The open case: what it holds, whether its model comes from its rows, where to go next."""

from __future__ import annotations

import streamlit as st

import core
from core.errors import StorageError
from core.words import count, listing, plain
from dashboard import cached, session, workspace
from dashboard.components import opening, pages
from dashboard.history import Step
from dashboard.retention import keep_days
from dashboard.work import Work

_BADGES = {
    "verified": ("green", ":material/verified:"),
    "mismatch": ("red", ":material/error:"),
    "unverifiable": ("orange", ":material/help:"),
}


def show() -> None:
    """Show the open case, or what the product is for."""
    work = session.work()
    if work is None:
        st.header("What makes this model unfair, and what happens without it?", anchor=False)
        st.markdown(
            "Open a case: a fitted model and the records it was trained on. **Check** its groups, **find** the records behind a gap, "
            "**remove** them from the model without training it again, and see what changes."
        )
        return
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.subheader(plain(workspace.case_title(work.case_id)), anchor=False)
        with right.container(horizontal_alignment="right"):
            st.page_link(
                pages.page(pages.CHECK), label="Check the model", icon=":material/arrow_forward:", icon_position="right"
            )
        st.markdown(_facts(cached.case(work, 0)))
        _provenance(work)
        for sentence in cached.warnings(cached.versions(), work.case_id):
            st.warning(plain(sentence))
        _keeping(work)
    st.space("small")


def _facts(case: core.Case) -> str:
    explore, test = len(case.rows("explore")), len(case.test)
    half = (
        f", {count(explore)} of them searched and {count(test - explore)} kept for confirming" if explore < test else ""
    )
    features = listing(plain(name) for name in case.roles.sensitive_features)
    return (
        f"{count(len(case.train), 'training record')}, {count(test, 'test row')}{half}. The good outcome is "
        f"{plain(case.roles.target)} = {plain(case.roles.favorable_label)}; groups by {features}."
    )


def _provenance(work: Work) -> None:
    verdict = cached.provenance(cached.versions(), work.case_id)
    color, icon = _BADGES[verdict.status]
    st.markdown(f":{color}-badge[{icon} {verdict.status}] {plain(verdict.evidence)}")
    kinds = {step.kind for step in work.applied}
    again = work.at > 0 and verdict.status == "mismatch"
    if "refit" in kinds or again:
        st.caption(
            ":material/check: The version in force was trained again on these rows; the verdict is on the model as it was opened."
        )
    elif verdict.refit and not again:
        st.button(
            "Train it again on these rows",
            key=session.Key.REFIT,
            icon=":material/model_training:",
            on_click=_train_again,
            help="Trains the whole pipeline again with its own settings on the retained rows, in the background; the result is a version of "
            "its own, in which every removal starts from these rows. Undo brings the model back as it was opened.",
        )
    if verdict.converge and "converge" not in kinds and ("refit" in kinds or not verdict.refit):
        st.button(
            "Fit the model to these rows first"
            if verdict.status == "mismatch" and not verdict.refit
            else "Bring the model to its optimum first",
            key=session.Key.CONVERGE,
            on_click=opening.bring_to_optimum,
            help="Moves the model to the optimum of its training objective on these rows, as a version of its own: a later removal then "
            "shows the removal, and not what the solver or other rows left behind. Undo takes it back.",
        )


def _train_again() -> None:
    opening.take_step(Step("refit"), "Training again on these rows")


def _keeping(work: Work) -> None:
    if workspace.demo_of(work.case_id) is not None:
        st.caption("A demonstration: this address brings it back, with your removals.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"This address brings the case back, with your removals. It is kept for {keep_days():g} days after it was last "
            "opened; whoever has the address can open it.",
            width="stretch",
        )
        with st.popover("Delete", type="tertiary", icon=":material/delete:"):
            st.markdown("Delete the tables, the model and all removals of this case from the server?")
            st.button("Delete now", type="primary", key=session.Key.DELETE, on_click=_delete, args=(work.case_id,))


def _delete(case_id: str) -> None:
    try:
        workspace.delete(case_id)
    except StorageError as error:
        session.notify("error", str(error))
        return
    session.close()
    cached.results().drop(case_id)
    session.notify("done", "The case was deleted from this server.")
