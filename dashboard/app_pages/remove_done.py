"""What the last step did: how, with what guarantee, and what changed; an approximate one can be made exact."""

from __future__ import annotations

import streamlit as st

import core
from dashboard import cached
from dashboard.app_pages import remove_changes
from dashboard.components import opening, pages
from dashboard.history import Step
from dashboard.session import Key
from dashboard.words import count, plain, seconds
from dashboard.work import Work

DONE = ("before", "now", "On the same rows, by the model after the last step.")


def show(work: Work) -> None:
    """Show the last step, or that nothing is selected."""
    result = cached.version(work).result
    with st.container(border=True):
        if result is None:
            st.markdown("Nothing is selected. Find the records to remove first.")
        else:
            _result(work, result)
        st.page_link(
            pages.page(pages.FIND), label="Find records", icon=":material/arrow_forward:", icon_position="right"
        )


def _result(work: Work, result: core.UnlearnResult) -> None:
    again = not result.n_forgotten
    done = "Trained again on the retained records" if again else f"{count(result.n_forgotten, 'record')} removed"
    st.markdown(
        f":green[:material/check:] **{done}** in {seconds(result.seconds)} by {plain(result.method)}, "
        f"{result.guarantee.value}: {guaranteed(result)}."
    )
    for note in result.notes:
        st.caption(f":material/info: {plain(note)}")
    if result.guarantee is core.Guarantee.APPROXIMATE:
        st.button(
            "Make it exact: train again in the background",
            icon=":material/verified:",
            key=Key.EXACT,
            on_click=_make_exact,
            help="Trains the model again on the retained records, forgetting no more; the result is a version of its own, and undo brings "
            "this one back.",
        )
    st.markdown("#### What that did")
    st.dataframe(
        remove_changes.readable(cached.changed(work)),
        lazy=False,
        height=320,
        column_config=remove_changes.columns(DONE),
    )


def guaranteed(result: core.UnlearnResult) -> str:
    """Return what a result's guarantee says of it."""
    if result.guarantee is core.Guarantee.APPROXIMATE:
        return "there is no proof that it equals training again; how far it is from that can be measured"
    if result.relative_bound is None:
        return f"the model {result.guarantee.meaning}"
    return (
        f"the parameters lie within {result.relative_bound:.1g}, relative to their length, of training again to the optimum on the "
        "retained records, proven"
    )


def _make_exact() -> None:
    opening.take(Step("refit"), "Training again on the retained records")
    st.rerun()
