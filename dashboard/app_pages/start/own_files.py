"""Opening a case from one's own files: three files, one confirm screen."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

import core
from core.case.door import resolve_features
from core.case.plausibility import signs
from core.errors import RedressError
from core.files.guess import guess_roles
from core.files.models.opening import ModelFile
from core.files.models.train import MODELS
from core.files.models.trial import first_scoring
from core.files.writing import reason_of, way_out
from core.words import count, plain, seconds
from dashboard import session, workspace
from dashboard.app_pages.start import drop, model_files, train_one, upload
from dashboard.app_pages.start import readings as start_readings
from dashboard.app_pages.start import roles as start_roles
from dashboard.components import opening, waiting
from dashboard.jobs import Report

PROBLEM = "problem"
SIGNS_FROM = 20_000
"""Training rows that are looked through for signs at every change of the confirm screen."""


def show() -> None:
    """Show where the files go in, and the confirm screen once they are there."""
    st.caption(
        "A training table, a test table the model has not seen, and the fitted model with what prepares its rows. They stay on this server."
    )
    drop.show()
    first, second, third = st.columns(3, gap="medium")
    with first:
        upload.slot(
            "train",
            "Training table",
            upload.TABLES,
            "The rows the model was fitted on: CSV, Excel, Parquet or ARFF, also compressed, up to 200 MB.",
        )
    with second:
        place = st.container()
        split = st.toggle(
            "Split the training table instead",
            key=session.Key.SPLIT,
            help="Holds out part of the training table as test rows. If the model was trained on all of it, it has seen them, and the "
            "check of provenance will say so.",
        )
        with place:
            if split:
                share = (
                    st.slider("Held out for testing", 10, 50, 30, 5, format="%d%%", key=session.Key.SPLIT_SHARE) / 100
                )
                seed = int(st.number_input("Seed", 0, 2**31 - 1, 0, key=session.Key.SPLIT_SEED))
            else:
                upload.slot(
                    "test",
                    "Test table",
                    upload.TABLES,
                    "Rows with labels that the model has not seen: CSV, Excel, Parquet or ARFF, also compressed.",
                )
    with third:
        model_files.model_slot()
        train_one_wanted = upload.part("model") is None and train_one.wanted()
    train, test, model = (_content(which) for which in ("train", "test", "model"))
    if train is None or (model is None and not train_one_wanted) or (test is None and not split):
        return
    fitted = None if model is None else model.model
    tables = start_readings.settled(train, None if split else test, fitted)
    if tables is None:
        return
    if split:
        held = _held_out(tables.train, share, seed)
        _confirm(tables.train.drop(held.index).reset_index(drop=True), held.reset_index(drop=True), model)
    elif tables.test is not None:
        _confirm(tables.train, tables.test, model)


def _content(which: str) -> Any:
    kept = upload.part(which)
    return None if kept is None else kept.content


def _uploads() -> str:
    """Return what tells the files uploaded now from others."""
    return "_".join(kept.number for which in ("train", "test", "model") if (kept := upload.part(which)) is not None)


def _held_out(frame: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    return frame.sample(frac=share, random_state=seed).sort_index()


def _confirm(train: pd.DataFrame, test: pd.DataFrame, opened: ModelFile | None) -> None:
    model = None if opened is None else opened.model
    st.subheader("Is this what the columns mean?", divider="gray")
    number = "_".join(kept.number for which in ("train", "model") if (kept := upload.part(which)) is not None)
    try:
        guess = guess_roles(train, model)
        roles = start_roles.form(train, model, guess, number)
    except RedressError as error:
        st.error(plain(error))
        return
    st.caption("  \n".join(plain(note) for note in guess.notes))
    used = set(getattr(model, "feature_names_in_", ()))
    table = start_roles.missing(train, test, roles, used)
    with st.expander(start_roles.missing_sentence(table)):
        st.dataframe(table, hide_index=True, lazy=False)
    if model is not None:
        _signs(model, train, roles)
    kept = upload.part("train")
    name = st.text_input(
        "Name of the case",
        kept.name.rsplit(".", 1)[0] if kept else "",
        max_chars=80,
        key=f"{session.Key.NAME}_{number}",
    )
    confirm = st.toggle(
        "Keep half of the test rows for confirming",
        True,
        key=session.Key.CONFIRM,
        help="Searching on the same rows that then report the gain overstates it. One half is explored, the other is looked at on purpose.",
    )
    about, problem = session.draft().get(PROBLEM) or ("", "")
    if problem and about == _uploads():
        st.error(plain(problem))
    source = train_one.kind() if opened is None else opened
    st.button(
        "Train it and open the case" if opened is None else "Open the case",
        type="primary",
        key=session.Key.OPEN,
        on_click=_open,
        args=(source, train, test, roles, confirm, name),
    )


def _signs(model: Any, train: pd.DataFrame, roles: core.Roles) -> None:
    """Warn of what speaks against the model belonging to these rows, before any row is scored."""
    try:
        features = resolve_features(model, train, roles)
    except RedressError:
        return  # told when the case is opened
    for sentence in signs(model, train.iloc[:SIGNS_FROM], features, roles.target, None):
        st.warning(plain(sentence))


def _open(
    source: ModelFile | str, train: pd.DataFrame, test: pd.DataFrame, roles: core.Roles, confirm: bool, name: str
) -> None:
    case_id = workspace.new_id()

    def work(report: Report) -> str:
        try:
            model = _trained(source, train, roles, report) if isinstance(source, str) else source.model
            if not isinstance(source, str):
                first = first_scoring(
                    source,
                    train,
                    test,
                    roles,
                    looking=lambda: report(0.0, "scoring the first rows in a process of its own"),
                )
                report(0.1, f"scoring {count(len(test), 'test row')}, about {seconds(first.seconds)}")
            case = core.Case(model, train=train, test=test, roles=roles, confirm=confirm)
            report(0.6, "writing it to the server's disk")
            workspace.store(case, name or "Uploaded case", case_id)
        except RedressError as error:
            return str(error)
        except OSError as error:
            return (
                f"The case must be written to the server's disk. It could not ({reason_of(error)}); {way_out(error)}."
            )
        return ""

    waiting.run("Opening the case", work, partial(_opened, case_id), never=lambda: workspace.discard(case_id))


def _trained(kind: str, train: pd.DataFrame, roles: core.Roles, report: Report) -> object:
    report(0.0, f"training a {MODELS[kind]}")
    return core.train_model(train, roles, kind=kind)


def _opened(case_id: str, problem: str) -> None:
    session.draft_part(PROBLEM, (_uploads(), problem) if problem else None)
    if not problem:
        opening.open_uploaded(case_id)
