"""The selection: its make-up, how it can be removed, a preview, and Apply."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import core
from core.errors import LimitError, NotSupportedError
from core.families.registry import lacking
from core.metrics.guardrails import Judged
from core.words import count, percent, plain
from dashboard import cached, session
from dashboard.app_pages.remove import changes, done, kept_aside, plane, way
from dashboard.components import computed, computing, guess, header, opening, pages, verdict, warnings
from dashboard.components.face import group_bars
from dashboard.components.tables import worded
from dashboard.records import makeup, record_groups
from dashboard.session import Key
from dashboard.work import Work

FRAGMENT = "removal"
PREDICTED = ("now", "predicted", "Predicted without removing them.")
TRIED = ("now", "then", "By the model really edited so.")
AUTO = "auto"


@st.fragment(key=FRAGMENT)
def show() -> None:
    """Show the selection and the button that removes it."""
    work = opening.opened()
    if not work.selection:
        if work.at:
            group_bars.show(work)
        done.show(work)
        if work.at:
            guess.show(work)
        kept_aside.show(work)
        return
    warnings.foreign(work)
    case = cached.case(work)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(f"#### {count(len(work.selection), 'record')} selected")
        _makeup(work, case)
        way.show(work, case)
        method = _method(case)
    with right:
        group_bars.show(work)
        judged, said = _preview(work)
        problem = session.problem()
        if problem and problem != said:
            st.error(plain(problem))
        removal = cached.key(work), work.metric, work.feature, work.selection
        asks = judged is not None and judged.side is not None and judged.side.asks_again
        if asks and session.in_doubt() == removal:
            _ask(method)
        else:
            _offer(method, removal if asks else None)


def _offer(method: str, doubtful: tuple[Any, ...] | None) -> None:
    """Offer Apply, which asks once more where the removal is doubtful."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Apply",
            type="primary",
            icon=":material/content_cut:",
            key=Key.REMOVE_APPLY,
            on_click=_apply if doubtful is None else session.doubt,
            args=(method if doubtful is None else doubtful,),
        )
        st.page_link(pages.page(pages.FIND), label="Change the selection", icon=":material/arrow_back:")


def _ask(method: str) -> None:
    """Ask once more."""
    st.markdown("**Apply it all the same?** The verdict above says who pays. Undo takes it back.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Apply all the same", icon=":material/content_cut:", key=Key.REMOVE_SURE, on_click=_apply, args=(method,)
        )
        st.button("Do not apply", type="primary", key=Key.REMOVE_NOT, on_click=session.doubt, args=(None,))


def _makeup(work: Work, case: core.Case) -> None:
    table = makeup(record_groups(case, work.feature), pd.Index(work.selection))
    biggest = table.iloc[0]
    kind = f"{plain(biggest['group'])} with label {plain(biggest['label'])}"
    if len(work.selection) == 1:
        st.markdown(f"It is {kind}: one of {count(biggest['of'], 'such record')}.")
    else:
        st.markdown(
            f"{percent(biggest['share of selection'], 0)} of them are {kind}: {percent(biggest['share of them'])} of all such records."
        )
    config = st.column_config
    st.dataframe(
        **worded(
            table,
            {
                "selected": config.NumberColumn("selected", help="Of this group and label.", format="localized"),
                "of": config.NumberColumn(
                    "of", help="Retained training records of this group and label.", format="localized"
                ),
                "share of them": config.NumberColumn(
                    "of them", help="Selected over retained, within this group and label.", format="percent"
                ),
                "share of selection": config.NumberColumn(
                    "of selection", help="Of all selected records.", format="percent"
                ),
            },
        ),
        hide_index=True,
        lazy=False,
        height=min(35 * (len(table) + 1) + 3, 280),
    )


def _method(case: core.Case) -> str:
    options = core.unlearners_for(case)
    fitting = [option for option in options if option.fits]
    names = {option.name: f"{option.name}: {option.guarantee.value}" for option in fitting}
    about = [f"The model {option.meaning}. {option.way}".rstrip() for option in fitting]
    choices = [*names]
    if len(names) > 1:
        choices.insert(0, AUTO)
        about.insert(0, "Not every way works for every selection; then the next one is taken.")
    chosen: str = st.radio(
        "How",
        choices,
        format_func=lambda name: names.get(name, "chosen for me: the first below that works"),
        captions=about,
        key=Key.REMOVE_METHOD,
        persist_state="session",
    )
    for option in options:
        if not option.fits and option.of_family:
            st.caption(f"{plain(option.name)} does not fit this case: {plain(option.reason)}.")
        elif option.note:
            st.caption(f"{plain(option.name)} comes after {opening.REFIT}: {plain(option.note)}.")
    if not any(option.of_family for option in options if option.name != opening.REFIT):
        st.caption(f"{plain(lacking(case.model, 'Quicker ways are', 'unlearner'))}.")
    return chosen


def _preview(work: Work) -> tuple[Judged | None, str]:
    """Show the predicted effect of the removal and return it.

    Where there is none, returns the sentence shown that says why.
    """
    st.markdown("#### What that is predicted to do" if work.edit is None else "#### What that does")
    try:
        found = computed.scores_without_selection(work)
        if found is None:
            computing.place(work, computed.PREVIEW, hash(work.selection))
            return None, ""
        judged = cached.predicted(work, found[0])
    except (NotSupportedError, LimitError) as error:
        st.info(f"{plain(error)} Apply shows the change; undo takes it back.")
        computing.offer_again(error, work, computed.PREVIEW)
        return None, ""
    except core.RedressError as error:
        st.error(plain(error))
        return None, str(error)
    verdict.banner(judged, predicted=work.edit is None)
    warnings.show(work)
    for note in found[1]:
        st.info(plain(note))
    st.dataframe(
        **worded(
            changes.readable(judged.by(work.feature), cached.case(work).roles),
            changes.columns(PREDICTED if work.edit is None else TRIED),
        ),
        lazy=False,
        height=320,
    )
    return judged, ""


def _apply(method: str) -> None:
    work = session.work()
    if work is None or not work.selection:
        return
    session.set_problem("")
    session.doubt(None)
    if opening.remove_selection(method, refused=session.set_problem):
        st.rerun([header.STRIP_FRAGMENT, FRAGMENT, plane.PLANE_FRAGMENT])
    st.rerun()
