"""The guess at a demonstration's culprits: a score, the answer, and what it teaches."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.words import plain
from dashboard import cached, session
from dashboard.lessons import Lesson, lesson_of
from dashboard.session import Key
from dashboard.work import Work


def show(work: Work) -> None:
    """Ask about the records selected, or removed so far, where the case is a demonstration."""
    case = cached.case(work, 0)
    lesson = lesson_of(work.case_id, case)
    if lesson is None:
        return
    revealed = session.revealed(work.case_id)
    guessed = pd.Index(work.selection or cached.case(work).forgotten_ids)
    with st.container(border=True, key=Key.GUESS):
        st.markdown(f":material/school: **{plain(lesson.question)}**")
        if revealed:
            _answer(lesson, guessed)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Reveal the answer",
                key=f"{Key.GUESS}_reveal",
                on_click=session.reveal,
                args=(work.case_id,),
                type="tertiary" if not len(guessed) else "secondary",
            )
            if not len(guessed):
                st.caption("Select or remove some records first, and guess.")


def _answer(lesson: Lesson, guessed: pd.Index) -> None:
    if len(guessed):
        st.markdown(plain(lesson.score(guessed)))
    if lesson.ids:
        st.markdown(f"The answer: {plain(lesson.answer)}, where `{lesson.rule}`.")
    st.markdown(plain(lesson.text))
    if lesson.ids:
        st.button(
            f"Select these {len(lesson.ids):,} records",
            key=f"{Key.GUESS}_select",
            on_click=_select,
            args=(lesson.ids,),
            type="tertiary",
        )


def _select(ids: tuple[object, ...]) -> None:
    work = session.work()
    if work is not None:
        gone = set(cached.case(work).forgotten_ids)
        session.select([one for one in ids if one not in gone])
        st.rerun()
