"""The last step: how it was done, with what guarantee, and what changed.

An approximate one can be made exact.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

import core
from core.errors import RedressError
from core.metrics.samples import feature_name
from core.words import number, percent, plain, seconds
from dashboard import cached, meaning
from dashboard.app_pages.remove import changes
from dashboard.components import computed, opening, pages, verdict
from dashboard.components.tables import worded
from dashboard.history import Step
from dashboard.session import Key
from dashboard.tables import row
from dashboard.work import Work

WORTH_A_SHARE = 0.001
"""Of smaller changes no share is taken."""
SAME_DRAWS = (
    "With other draws, training again gives another model. The records were chosen by looking at this one, so the equality is one of "
    "recorded draws, not of all the models that training could give."
)
DONE = ("before", "now", "On the same rows, by the model after the last step.")


def show(work: Work) -> None:
    """Show the last step, or that nothing is selected."""
    result = cached.version(work).result
    with st.container(border=True):
        if result is None:
            st.markdown("Nothing is selected. Find the records to remove first, or plan a removal below.")
        else:
            _result(work, result)
        st.page_link(
            pages.page(pages.FIND), label="Find records", icon=":material/arrow_forward:", icon_position="right"
        )


def _result(work: Work, result: core.UnlearnResult) -> None:
    again = not result.n_forgotten and not result.n_edited
    done = "Trained again on the retained records" if again else work.steps[work.at - 1].title
    st.markdown(
        f":green[:material/check:] **{done}** in {seconds(result.seconds)} by {plain(result.method)}, "
        f"{result.guarantee.value}: {guaranteed(result)}."
    )
    if result.same_draws:
        st.caption(f":material/info: {SAME_DRAWS}")
    for note in result.notes:
        st.caption(f":material/info: {plain(note)}")
    if result.n_forgotten and cached.is_foreign(work, work.at - 1):
        st.caption(
            ":material/info: The model as opened does not come from these rows and labels, so that part of the change comes from training on "
            "them. To see the removal alone, undo it, train the model on them on Start, and remove the records then."
        )
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
    judged, predicted = cached.changed(work), _predicted(work)
    verdict.banner(judged, predicted=False)
    changed = judged.by(work.feature)
    if predicted is not None:
        _held_against(work, changed, predicted)
    if again:
        _trained_again(work, changed)
    st.dataframe(
        **worded(changes.readable(changed, cached.case(work).roles, predicted), changes.columns(DONE)),
        lazy=False,
        height=320,
    )


def _predicted(work: Work) -> pd.DataFrame | None:
    """Return what the last removal was predicted to do.

    None where nothing predicts it, or it is not there yet.
    """
    step = work.steps[work.at - 1]
    if step.kind != "unlearn":
        return None
    ids = cached.case(work, 0).record_ids[list(step.positions)]
    before = replace(work, at=work.at - 1, selection=tuple(ids))
    try:
        found = computed.scores_without_selection(before)
        return None if found is None else cached.predicted(before, found[0]).by(before.feature)
    except RedressError:
        return None


def _held_against(work: Work, changed: pd.DataFrame, predicted: pd.DataFrame) -> None:
    name = (work.metric, feature_name(work.feature))
    real, guess = row(changed, name), row(predicted, name)
    change = real["after"] - real["before"]
    off = abs(guess["after"] - real["after"])
    share = off / abs(change) if abs(change) > WORTH_A_SHARE else None
    how_far = "" if share is None else f", {'less than 0.1%' if share < 0.001 else percent(share)} of the change"
    gap = plain(meaning.label(work.metric, cached.case(work).roles))
    st.markdown(
        f"{gap}: {plain(number(guess['after']))} was predicted, {plain(number(real['after']))} came of it; the "
        f"preview was off by {'less than 0.0001' if off < 0.0001 else plain(number(off, 4))}{how_far}."
    )


def _trained_again(work: Work, changed: pd.DataFrame) -> None:
    name = (work.metric, feature_name(work.feature))
    opened = row(cached.report(work, (work.metric,), (work.feature,), 0).gaps, name)["value"]
    real = row(changed, name)
    gap = plain(meaning.label(work.metric, cached.case(work).roles))
    st.markdown(
        f"{gap}: {plain(number(real['before']))} before training again, {plain(number(real['after']))} now; "
        f"{plain(number(opened))} as opened, with every record."
    )


def guaranteed(result: core.UnlearnResult) -> str:
    """Return what a result's guarantee says of it."""
    if result.guarantee is core.Guarantee.APPROXIMATE:
        return "there is no proof that it equals training again; how far it is from that can be measured"
    if result.relative_bound is None:
        return f"the model {result.meaning}"
    return (
        f"the parameters lie within {result.relative_bound:.1g}, relative to their length, of training again to the optimum on the "
        f"retained records, proven{'' if result.within_tolerance else f'; {result.tolerance:.1g} was asked for and rounding allows no better'}"
    )


def _make_exact() -> None:
    opening.take_step(Step("refit"), "Training again on the retained records")
    st.rerun()
