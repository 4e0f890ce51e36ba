"""One place for all files: each goes where it belongs by its name and its first bytes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import RedressError
from core.files.dropped import sort_dropped
from core.words import plain
from dashboard import session
from dashboard.app_pages.start import model_files, upload

DROPPED = "dropped"
PROBLEM = "dropped_problem"


def show() -> None:
    """Show the place, and why files could not be told apart."""
    key = f"{session.Key.DROP}_{session.drafts()}"
    st.file_uploader(
        "All files at once",
        None,
        accept_multiple_files=True,
        key=key,
        help="Such as model.pkl, scaler.pkl, train.csv and test.csv. Each is shown below in its place, where it can be replaced.",
        on_change=_take,
        args=(key, session.drafts()),
    )
    if problem := session.draft().get(PROBLEM):
        st.error(plain(problem))


def _take(key: str, draft: int) -> None:
    if draft != session.drafts():
        return
    files: list[Any] = session.value(key) or []
    try:
        told = sort_dropped([(file.name, file.getvalue()) for file in files])
    except RedressError as error:
        session.draft_part(PROBLEM, str(error))
        return
    session.draft_part(PROBLEM, None)
    given = {
        "train": [files[place] for place in (told.train,) if place is not None],
        "test": [files[place] for place in (told.test,) if place is not None],
        "model": [files[place] for place in told.model],
    }
    before: dict[str, str] = session.draft().get(DROPPED, {})
    session.draft_part(DROPPED, {which: model_files.number_of(held) for which, held in given.items()})
    for which, held in given.items():
        _place(which, held, before.get(which, ""))


def _place(which: str, files: list[Any], before: str) -> None:
    """Read what came, and forget what went; a file that stands in its own field stays."""
    kept = upload.part(which)
    if model_files.number_of(files) == before:
        return
    if not files:
        if kept is not None and kept.number == before:
            session.draft_part(which, None)
    elif which == "model":
        model_files.read_files(files)
    else:
        upload.read_file(which, files[0])
