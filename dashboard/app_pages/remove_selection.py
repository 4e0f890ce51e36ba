"""The selection: its make-up, how it can be removed and with what guarantee, a preview, and Apply."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import core
from core.errors import NotSupportedError
from core.metrics import METRICS
from dashboard import cached, session
from dashboard.app_pages import remove_versions
from dashboard.components import opening, pages, strip
from dashboard.history import Step
from dashboard.records import group_table, makeup
from dashboard.session import Key
from dashboard.words import count, percent, plain, seconds
from dashboard.work import Work

FRAGMENT = "removal"
PREDICTED = ("now", "predicted", "By Newton steps without these records, to about 1%.")
DONE = ("before", "now", "On the same rows, by the model without these records.")
REFIT = "refit"
MOST_AT_ONCE = 100_000
"""Beyond this many training records a removal may take over a second, so it is waited for with its progress shown."""


@st.fragment(key=FRAGMENT)
def show() -> None:
    """Show the selection and the button that removes it."""
    work = opening.opened()
    if not work.selection:
        _last(work)
        return
    case = cached.case(work)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(f"#### {count(len(work.selection), 'record')} to remove")
        _makeup(work, case)
        method = _method(case)
    with right:
        _preview(work)
        problem = session.problem()
        if problem:
            st.error(plain(problem))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Apply",
                type="primary",
                icon=":material/content_cut:",
                key=Key.REMOVE_APPLY,
                on_click=_apply,
                args=(method,),
            )
            st.page_link(pages.page(pages.FIND), label="Change the selection", icon=":material/arrow_back:")


def _last(work: Work) -> None:
    result = cached.version(work).result
    with st.container(border=True):
        if result is None:
            st.markdown("Nothing is selected. Find the records to remove first.")
        else:
            st.markdown(
                f":green[:material/check:] **{count(result.n_forgotten, 'record')} removed** in {seconds(result.seconds)} by "
                f"{plain(result.method)}, {result.guarantee.value}: {_guaranteed(result)}."
            )
            for note in result.notes:
                st.caption(f":material/info: {plain(note)}")
            st.markdown("#### What that did")
            st.dataframe(_readable(cached.changed(work)), lazy=False, height=320, column_config=_columns(DONE))
        st.page_link(
            pages.page(pages.FIND), label="Find records", icon=":material/arrow_forward:", icon_position="right"
        )


def _guaranteed(result: core.UnlearnResult) -> str:
    if result.relative_bound is None:
        return f"the model {result.guarantee.meaning}"
    return (
        f"the parameters lie within {result.relative_bound:.1g}, relative to their length, of training again to the optimum on the "
        "retained records, proven"
    )


def _makeup(work: Work, case: core.Case) -> None:
    table = makeup(group_table(case, work.feature), pd.Index(work.selection))
    biggest = table.iloc[0]
    st.markdown(
        f"{percent(biggest['share of selection'], 0)} of them are {plain(biggest['group'])} with label {plain(biggest['label'])}: "
        f"{percent(biggest['share of them'])} of all such records."
    )
    config = st.column_config
    st.dataframe(
        table,
        hide_index=True,
        lazy=False,
        height=min(36 * (len(table) + 1) + 2, 280),
        column_config={
            "of": config.NumberColumn(
                "of", help="Retained training records of this group and label.", format="localized"
            ),
            "share of them": config.NumberColumn(
                "share of them", help="Selected over retained, within this group and label.", format="percent"
            ),
            "share of selection": config.NumberColumn(
                "share of selection", help="Of all selected records.", format="percent"
            ),
        },
    )


def _method(case: core.Case) -> str:
    options = core.unlearners_for(case)
    fitting = [option for option in options if option.fits]
    chosen: str = st.radio(
        "How",
        [option.name for option in fitting],
        format_func=lambda name: f"{name}: {next(option.guarantee.value for option in fitting if option.name == name)}",
        captions=[f"The model {option.guarantee.meaning}." for option in fitting],
        key=Key.REMOVE_METHOD,
        persist_state="session",
    )
    for option in options:
        if not option.fits:
            st.caption(f"{plain(option.name)} does not fit this case: {plain(option.reason)}.")
    return chosen


def _preview(work: Work) -> None:
    st.markdown("#### What that is predicted to do")
    try:
        table = cached.predicted(work)
    except NotSupportedError as error:
        st.info(f"{plain(error)} Apply shows the change; undo takes it back.")
        return
    except core.RedressError as error:
        st.error(plain(error))
        return
    for note in table.attrs.get("notes", ()):
        st.warning(plain(note))
    st.dataframe(_readable(table), lazy=False, height=320, column_config=_columns(PREDICTED))


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    gaps = [METRICS[name].compares_groups for name, _ in table.index]
    ordered = pd.concat([table[gaps], table[[not gap for gap in gaps]]])
    shown = ordered[["before", "after", "change", "low", "high", "reversed"]].reset_index()
    shown.index = pd.Index([METRICS[name].label for name in shown["metric"]], name="what")
    return shown.drop(columns=["metric", "sensitive_feature"])


def _columns(words: tuple[str, str, str]) -> dict[str, Any]:
    before, after, how = words
    config = st.column_config
    return {
        "what": config.TextColumn(
            "what",
            help="Gaps are between the groups of the sensitive feature chosen on the strip; rates are over all rows explored.",
        ),
        "before": config.NumberColumn(before, help="On the test rows explored.", format="%.3f"),
        "after": config.NumberColumn(after, help=how, format="%.3f"),
        "change": config.NumberColumn("change", help=f"{after.capitalize()} less {before}.", format="%+.3f"),
        "reversed": config.CheckboxColumn(
            "reversed", help="The groups change places: the one worse off becomes the better off."
        ),
        "low": config.NumberColumn("from", help="Lower end of the paired 95% interval of the change.", format="%+.3f"),
        "high": config.NumberColumn("to", help="Upper end of the paired 95% interval of the change.", format="%+.3f"),
    }


def _apply(method: str) -> None:
    work = session.work()
    if work is None or not work.selection:
        return
    session.set_problem("")
    try:
        case = cached.case(work)
        positions = case.positions(work.selection)
    except core.RedressError as error:
        session.set_problem(str(error))
        st.rerun(FRAGMENT)
    step = Step("unlearn", tuple(positions.tolist()), method)
    if method == REFIT or len(case.record_ids) > MOST_AT_ONCE:
        opening.take(step, "Training again without them" if method == REFIT else "Removing them")
        st.rerun()
    try:
        opening.take_now(step)
    except core.RedressError as error:
        session.set_problem(str(error))
    st.rerun([strip.FRAGMENT, FRAGMENT, remove_versions.FRAGMENT])
