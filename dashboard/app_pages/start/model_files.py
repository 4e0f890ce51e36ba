"""The model among the uploaded files: one file, or several put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.errors import RedressError
from core.files.models.models import read_model
from core.words import count, plain
from dashboard import session
from dashboard.app_pages.start import upload
from dashboard.components import waiting
from dashboard.jobs import Report

ABOUT = "reading model"
_SHORTEST = 2
"""From so many files on, or where one held several parts, the training table may change how they are put together."""


def model_slot() -> None:
    """Show where the files of the model go in, and what became of them."""
    key = f"{session.Key.UPLOAD}_model_{session.drafts()}"
    st.file_uploader(
        "Model",
        None,  # A file of another kind is told apart by what is in it, and the sentence says what to do.
        accept_multiple_files=True,
        key=key,
        help="The fitted classifier or pipeline: a skops, pickle or joblib file of scikit-learn 1.0 to 1.9, XGBoost, LightGBM or CatBoost, or a model in "
        "one of these libraries' own formats, up to 200 MB. With it, up to six files in all, "
        "what prepares its rows: scaler, encoders, list of columns. Nothing in them is run.",
        on_change=_take,
        args=(key, session.drafts()),
    )
    _settle_with_table()
    kept = upload.part("model")
    if kept is None:
        return
    if kept.error:
        st.error(f"{plain(kept.name)}: {plain(kept.error)}")
        return
    st.caption(f":green[:material/check:] {plain(kept.name)}: {upload.contents(kept.content)}")
    for note in kept.content.notes:
        st.caption(f":material/info: {plain(note)}")
    if kept.content.script:
        with st.popover("The pipeline as code", type="tertiary"):
            st.code(kept.content.script, language="python")


def _take(key: str, draft: int) -> None:
    # A run that was cut off may bring back a field of an earlier draft, or one whose files were read already.
    files, kept = session.value(key) or [], upload.part("model")
    if draft != session.drafts() or (files and kept is not None and kept.number == number_of(files)):
        return
    if files:
        read_files(files)
    else:
        session.draft_part("model", None)


def number_of(files: Sequence[Any]) -> str:
    """Return what tells these uploads from others."""
    return "+".join(sorted(file.file_id for file in files))


def read_files(files: Sequence[Any]) -> None:
    """Read uploaded files as one model."""
    name = files[0].name if len(files) == 1 else f"{files[0].name} and {count(len(files) - 1, 'other file')}"
    held = tuple((file.name, file.getvalue()) for file in files)
    _read(upload.Part(name, number_of(files), files=held))


def _settle_with_table() -> None:
    """Put several parts together again once the training table is there, as it may decide."""
    kept, train = upload.part("model"), upload.part("train")
    if kept is None or train is None or train.content is None or ABOUT in session.jobs():
        return
    parts = len(kept.files) >= _SHORTEST or (kept.content is not None and kept.content.script)
    if parts and kept.put_with != train.number:
        _read(kept)


def _read(raw: upload.Part) -> None:
    train = upload.part("train")
    table = train.content.frame if train is not None and train.content is not None else None
    put_with = train.number if train is not None and table is not None else ""
    files = raw.files

    def work(report: Report) -> upload.Part:
        try:
            content = read_model(
                _apart(files) if len(files) > 1 else files[0][1],
                train=table,
                looking=lambda: report(0.0, "in a process of its own"),
            )
        except RedressError as error:
            return upload.Part(raw.name, raw.number, error=str(error), files=files, put_with=put_with)
        return upload.Part(raw.name, raw.number, content=content, files=files, put_with=put_with)

    waiting.run(f"Reading {raw.name}", work, lambda done: session.draft_part("model", done), about=ABOUT)


def _apart(files: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
    """Return files by name, those of the same name numbered."""
    found: dict[str, bytes] = {}
    for name, data in files:
        number = sum(one == name or one.startswith(f"{name} (") for one in found)
        found[f"{name} ({number + 1})" if number else name] = data
    return found
