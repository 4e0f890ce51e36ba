"""A button for files to take away: model, cleaned data, ids, the change as code, one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

import core
from core.take_away.files import cleaned_table, ids_survive_csv, model_file, removed_ids, table_file
from core.take_away.page import before_after_page
from core.take_away.script import RedoStep, change_as_code
from core.words import count
from dashboard import cached, workspace
from dashboard.history import RELABEL, Edit
from dashboard.session import Key
from dashboard.work import Work

JOBLIB_WARNING = "A joblib file is a pickle: opening it with joblib runs what stands in it. Open only your own."
OWN_THRESHOLD = "The threshold chosen here is not part of the model: its own predict decides by its own."
CHANGED_IDS = (
    "The ids are text that looks like numbers, and a CSV gives them back as numbers; Parquet keeps them as they are."
)


def show(work: Work) -> None:
    """Show a button that opens what can be taken away; each file is made when it is asked for."""
    with st.popover("Take away", icon=":material/download:", disabled=not work.at, key=Key.TAKE_AWAY):
        if work.at:
            _offers(work, cached.case(work, 0), cached.case(work))


def _offers(work: Work, opened: core.Case, now: core.Case) -> None:
    gone = count(len(now.forgotten_ids), "record")
    st.markdown(f"**Version {work.number}**, {gone} removed")
    _offer("Model (skops)", lambda: model_file(now), "model.skops", "application/zip")
    _offer("Model (joblib)", lambda: model_file(now, "joblib"), "model.joblib", "application/octet-stream")
    st.caption(f":material/warning: {JOBLIB_WARNING}")
    if work.threshold is not None:
        st.caption(f":material/info: {OWN_THRESHOLD}")
    _offer("Cleaned training table (CSV)", lambda: table_file(cleaned_table(now)), "train_cleaned.csv", "text/csv")
    _offer(
        "Cleaned training table (Parquet)",
        lambda: table_file(cleaned_table(now), "parquet"),
        "train_cleaned.parquet",
        "application/vnd.apache.parquet",
    )
    if len(now.forgotten_ids):
        _offer("Ids of removed records (CSV)", lambda: table_file(removed_ids(now)), "removed_ids.csv", "text/csv")
    if not ids_survive_csv(now.record_ids):
        st.caption(f":material/info: {CHANGED_IDS}")
    changes = _changes(work, opened)
    _offer(
        "The change as code (zip)",
        lambda: change_as_code(opened, now, changes, work.metric, work.feature),
        "change.zip",
        "application/zip",
    )
    st.caption("A script that redoes the change from the case as opened, both tables included, and checks the gap.")
    title, said = workspace.case_title(work.case_id), _said(work)
    _offer(
        "Before and after on one page (HTML)",
        lambda: before_after_page(opened, now, work.metric, work.feature, title=title, steps=said).encode(),
        "before_after.html",
        "text/html",
    )


def _offer(label: str, make: Callable[[], bytes], name: str, kind: str) -> None:
    st.download_button(
        label,
        make,
        name,
        kind,
        icon=":material/download:",
        key=f"{Key.TAKE_AWAY}_{name}",
        on_click="ignore",
        type="tertiary",
    )


def _changes(work: Work, opened: core.Case) -> list[RedoStep]:
    return [
        RedoStep(step.kind, opened.record_ids[list(step.positions)].tolist(), step.method, _given(step.edit, opened))
        for step in work.applied
    ]


def _given(edit: Edit | None, opened: core.Case) -> Any:
    """Return the label or weight that an edit gave."""
    return None if edit is None else opened.classes[int(edit.value)] if edit.kind == RELABEL else edit.value


def _said(work: Work) -> list[str]:
    """Return what each step did, how, and what holds of the model."""
    said = []
    for at, step in enumerate(work.applied, 1):
        there = replace(work, at=at)
        result = cached.version(there).result if cached.is_kept(there) else None
        how = "" if result is None else f" by {result.method}, {result.claim}: the model {result.meaning}"
        if result is not None and result.relative_bound is not None:
            how += f", of {result.relative_bound:.1g} relative to the length of its parameters"
        said.append(f"{step.title}{how}.")
    return said
