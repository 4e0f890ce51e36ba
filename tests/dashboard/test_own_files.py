"""Own files: read, confirmed and opened; bad ones are one sentence, and what was there stays."""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from streamlit.testing.v1 import AppTest

import core
from core.errors import InputError
from core.files.models import trial
from dashboard import cached, jobs, workspace
from dashboard.components import opening, waiting
from tests.conftest import make_pipeline_for, make_table
from tests.dashboard.conftest import Opener

FEATURES = ("age", "income", "debt")


def settle_soon(settle: Callable[..., None], about: str, job: jobs.Job, wait_s: float = 0.0) -> None:
    """Wait for work for a moment only."""
    settle(about, job, min(wait_s, 0.2))


def csv(table: pd.DataFrame, **options: object) -> bytes:
    return table.to_csv(index=False, **options).encode()


@pytest.fixture(scope="module")
def files() -> dict[str, tuple[str, bytes, str]]:
    train, test = make_table(400, 3), make_table(300, 4)
    model = make_pipeline_for(train)
    return {
        "train": ("train.csv", csv(train), "text/csv"),
        "test": ("test.csv", csv(test), "text/csv"),
        "model": ("model.skops", skops.io.dumps(model), "application/octet-stream"),
    }


def upload(app: AppTest, **parts: tuple[str, bytes, str]) -> AppTest:
    for which, file in parts.items():
        next(one for one in app.file_uploader if one.key.startswith(f"upload_{which}")).set_value(file).run()
        assert not app.exception, app.exception
    return app


def opened_with_a_forest_of_other_rows(open_app: Opener, files: dict[str, tuple[str, bytes, str]]) -> AppTest:
    other = make_table(400, 9)
    forest = RandomForestClassifier(5, max_depth=4, random_state=0).fit(other[["income", "debt"]], other["granted"])
    app = upload(open_app(), **{**files, "model": ("m.skops", skops.io.dumps(forest), "application/octet-stream")})
    app.button(key="open").click().run()
    return app


def errors(app: AppTest) -> str:
    return " | ".join(one.value.replace("\\", "") for one in app.error)


def test_three_files_and_a_confirm_open_a_case(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]], home: Path
) -> None:
    app = upload(open_app(), **files)
    assert next(one for one in app.selectbox if one.label == "Label").value == "granted"
    assert next(one for one in app.multiselect if one.label == "Sensitive features").value == ["sex", "age"]
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    text = " ".join(one.value for one in app.markdown)
    assert "400 training records" in text
    assert "verified" in text
    case_id = app.query_params["case"]
    assert len(case_id) >= 22
    assert (home / "cases" / case_id / "case" / "case.toml").exists()
    assert not [one for one in app.selectbox if one.label == "Label"], (
        "the confirm screen is gone once the case is open"
    )


def test_bins_and_record_id_chosen_are_the_ones_used(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    app = upload(open_app(), **files)
    next(one for one in app.text_input if one.label.startswith("Bins of age")).set_value("30, 50").run()
    next(one for one in app.selectbox if one.label == "Record id").set_value("person").run()
    app.button(key="open").click().run()
    work = app.session_state["work"]
    case = core.load_case(Path(os.environ["REDRESS_HOME"]) / "cases" / work.case_id / "case")
    assert case.roles.record_id == "person"
    assert case.groups("age", "explore").names == ("under 30", "30 to <50", "50 and over")


def test_bad_bins_are_refused_where_they_are_typed(open_app: Opener, files: dict[str, tuple[str, bytes, str]]) -> None:
    app = upload(open_app(), **files)
    bins = next(one for one in app.text_input if one.label.startswith("Bins of age"))
    bins.set_value("50, 30").run()
    assert "must ascend" in errors(app)
    next(one for one in app.text_input if one.label.startswith("Bins of age")).set_value("young").run()
    assert "must be numbers" in errors(app)


def test_a_label_with_a_class_the_model_lacks_is_named_before_and_after_it_is_chosen(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    train = make_table(400, 3)
    wider = csv(train.assign(granted=train["granted"].where(train["age"] < 60, 2)))
    app = upload(open_app(), train=("train.csv", wider, "text/csv"), test=files["test"], model=files["model"])
    assert "must be chosen. 'granted' holds 2 besides the model's classes (0, 1)" in errors(app)
    next(one for one in app.selectbox if one.label == "Label").set_value("granted").run()
    assert "The training table has 2 in 'granted'; the model knows 0, 1" in errors(app)


def bad_files() -> list[object]:
    table = make_table(60, 5)
    parquet = io.BytesIO()
    table.to_parquet(parquet)
    unfitted = skops.io.dumps(LogisticRegression())
    return [
        pytest.param("train", ("a.csv", b"", "text/csv"), "empty", id="empty"),
        pytest.param("train", ("a.csv", b"x\n1\n2\n", "text/csv"), "two columns", id="one column"),
        pytest.param("train", ("a.zip", b"PK\x03\x04", "application/zip"), "must be whole", id="damaged archive"),
        pytest.param(
            "train", ("a.parquet", parquet.getvalue()[:-40], "application/octet-stream"), "", id="truncated parquet"
        ),
        pytest.param("test", ("a.csv", b"\x80\x04\x95pickle", "text/csv"), "pickle", id="pickle as table"),
        pytest.param("model", ("m.skops", unfitted, "application/octet-stream"), "fitted", id="not fitted"),
        pytest.param(
            "model", ("m.joblib", b"\x80\x04\x95pickle", "application/octet-stream"), "skops", id="pickle as model"
        ),
        pytest.param(
            "model", ("m.skops", skops.io.dumps(pd.Series([1.0])), "application/octet-stream"), "", id="foreign type"
        ),
    ]


@pytest.mark.parametrize(("which", "file", "says"), bad_files())
def test_a_bad_file_is_one_sentence_and_the_others_stay(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]], which: str, file: tuple[str, bytes, str], says: str
) -> None:
    app = upload(open_app(), **{**files, which: file})
    assert len(app.error) == 1
    assert says in errors(app)
    assert file[0] in errors(app)
    kept = [name for name, part in app.session_state["draft"].items() if part.content is not None]
    assert sorted(kept) == sorted({"train", "test", "model"} - {which})
    upload(app, **{which: files[which]})
    assert not app.error
    assert any(one.label == "Open the case" for one in app.button)


def test_a_table_that_lacks_a_column_is_refused_beside_the_button(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    short = csv(make_table(300, 4).rename(columns={"income": "incom"}))
    app = upload(open_app(), **{**files, "test": ("short.csv", short, "text/csv")})
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    assert "income" in errors(app)
    assert "incom" in errors(app)
    assert {"model", "test", "train"} <= set(app.session_state["draft"])


def test_a_model_that_takes_too_long_is_refused_beside_the_button(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(open_app(), **files)
    monkeypatch.setattr(trial, "LIMITS", replace(trial.LIMITS, max_seconds=1e-6))
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    assert "must score the test rows within 1e-06 s. 64 rows took" in errors(app)
    assert {"model", "test", "train"} <= set(app.session_state["draft"])


def test_a_label_with_one_value_is_refused(open_app: Opener, files: dict[str, tuple[str, bytes, str]]) -> None:
    one = csv(make_table(300, 4).assign(granted=1))
    app = upload(open_app(), **{**files, "train": ("one.csv", one, "text/csv")})
    label = next(one for one in app.selectbox if one.label == "Label")
    label.set_value("granted").run()
    assert "between 2 and 20 values" in errors(app)


def test_names_with_markup_are_shown_as_they_are(open_app: Opener) -> None:
    evil = "![x](http://127.0.0.1:9/pixel.png)<img src=x>"
    train, test = (make_table(300, seed).rename(columns={"sex": evil}) for seed in (1, 2))
    model = make_pipeline_for(train, features=FEATURES)
    app = upload(
        open_app(),
        train=("![n](http://127.0.0.1:9/n.png).csv", csv(train), "text/csv"),
        test=("t.csv", csv(test), "text/csv"),
        model=("m.skops", skops.io.dumps(model), "application/octet-stream"),
    )
    next(one for one in app.multiselect if one.label == "Sensitive features").set_value([evil, "age"]).run()
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    assert "work" in app.session_state
    for page in ("start", "check", "find", "remove"):
        app.switch_page(f"app_pages/{page}/page.py").run()
        assert not app.exception, app.exception
        shown = [
            one.value for kind in (app.markdown, app.caption, app.subheader, app.info, app.warning) for one in kind
        ]
        shown += [
            one.label
            for kind in (app.selectbox, app.button, app.slider, app.multiselect, app.text_input)
            for one in kind
        ]
        shown += [one.proto.body for one in app.get("html") if "<style>" not in one.proto.body]
        assert not [text for text in shown if re.search(r"(?<!\\)(!\[x|<img)", text)], page


def test_splitting_ones_own_table_keeps_part_of_it_for_testing(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    app = open_app()
    app.toggle(key="split").set_value(True).run()
    upload(app, train=files["train"], model=files["model"])
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    text = " ".join(one.value for one in app.markdown)
    assert "280 training records, 120 test rows" in text
    assert "mismatch" in text, "the model saw the rows held out"


def test_a_delimiter_no_guess_tries_can_be_chosen(open_app: Opener, files: dict[str, tuple[str, bytes, str]]) -> None:
    app = upload(open_app(), train=("a.csv", csv(make_table(60, 3), sep="~"), "text/csv"))
    assert "at least two columns" in errors(app)
    next(one for one in app.selectbox if one.label == "Between cells").set_value("~").run()
    assert not app.error
    assert "60 rows" in " ".join(one.value for one in app.caption)


def test_the_columns_of_a_model_without_names_can_be_chosen(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    train, test = (
        make_table(n, seed).fillna({"income": 0, "debt": 0}).rename(columns={"granted": "was_granted"})
        for n, seed in ((400, 3), (300, 4))
    )
    model = LogisticRegression().fit(train[["debt", "income"]].to_numpy(), train["was_granted"])
    parts = {"train": ("a.csv", csv(train), "text/csv"), "test": ("b.csv", csv(test), "text/csv")}
    app = upload(open_app(), **parts, model=("m.skops", skops.io.dumps(model), "application/octet-stream"))
    next(one for one in app.selectbox if one.label == "Label").set_value("was_granted").run()
    assert "2 columns the model was fitted on must be chosen" in errors(app)
    next(one for one in app.multiselect if one.label.startswith("Columns the model")).set_value(
        ["debt", "income"]
    ).run()
    assert not app.error
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    assert cached.case(app.session_state["work"]).features == ("debt", "income")
    app.switch_page("app_pages/find/page.py").run()
    app.segmented_control(key="find_start").set_value("Labels").run()
    next(one for one in app.button if one.label == "Rank suspicious labels").click().run()
    table = next(one for one in app.dataframe if "suspicion" in one.value.columns)
    assert '"label": "was_granted"' in table.proto.columns, "a heading of a table is not Markdown"


def test_a_delimiter_chosen_by_hand_reads_the_file_again(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    app = upload(open_app(), train=files["train"])
    delimiter = next(one for one in app.selectbox if one.label == "Between cells")
    assert delimiter.value == ","
    delimiter.set_value("|").run()
    assert "two columns" in errors(app)
    next(one for one in app.selectbox if one.label == "Between cells").set_value(",").run()
    assert not app.error


def test_files_given_while_another_is_being_read_are_all_read(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "QUICK_S", 0.0)
    app = open_app()
    for which in ("train", "test", "model"):
        next(one for one in app.file_uploader if one.key.startswith(f"upload_{which}")).set_value(files[which])
    app.run()
    for _ in range(100):
        if len(app.session_state.get("draft", ())) == 3:
            break
        time.sleep(0.05)
        app.run()
    assert set(app.session_state["draft"]) >= {"model", "test", "train"}
    assert not app.session_state["jobs"]


def test_cancelling_leaves_everything_as_it_was(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(open_app(), **files)
    go_on = Event()
    monkeypatch.setattr(jobs, "QUICK_S", 0.0)
    monkeypatch.setattr(workspace, "store", lambda *_: go_on.wait(20) and "never")
    app.button(key="open").click().run()
    cancel = next(one for one in app.button if one.label == "Cancel")
    cancel.click().run()
    go_on.set()
    app.run()
    assert not app.exception, app.exception
    assert not app.session_state["jobs"]
    assert "work" not in app.session_state
    assert any(one.label == "Open the case" for one in app.button), "the files are still there"


def test_cancelling_the_opening_of_stored_files_keeps_them_in_their_fields(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    app = upload(open_app(), **files)
    asked, go_on, done = Event(), Event(), Event()

    def wait(*_: object) -> None:
        asked.set()
        go_on.wait(20)

    discard = workspace.discard
    monkeypatch.setattr(cached, "provenance", wait)
    monkeypatch.setattr(workspace, "discard", lambda case_id: discard(case_id) or done.set())
    monkeypatch.setattr(waiting, "_settle", partial(settle_soon, waiting._settle))
    app.button(key="open").click().run()
    for _ in range(100):
        if asked.wait(0.05):
            break
        app.run()
    app.run()
    next(one for one in app.button if one.label == "Cancel").click().run()
    go_on.set()
    assert not app.exception, app.exception
    assert "work" not in app.session_state
    assert any(one.label == "Open the case" for one in app.button), "the files are still there"
    assert done.wait(20), "the copy is deleted once the work ends"
    assert not workspace.saved()


def test_cancelling_an_opening_that_waits_for_its_turn_deletes_the_copy(
    small_case: core.Case, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = workspace.store(small_case, "Uploaded")
    given: dict[str, Any] = {}
    monkeypatch.setattr(waiting, "run", lambda *_, **settings: given.update(settings))
    opening.open_uploaded(case_id)
    assert workspace.saved() == [case_id]
    given["never"]()
    assert not workspace.saved()


@pytest.mark.parametrize(
    ("where", "error", "sentence"),
    [
        ("saving", OSError(28, "No space left on device"), "written to the server's disk. It could not (No space left"),
        ("reading", MemoryError(), "must fit into the server's memory"),
        ("checking", InputError("It must be whole."), "must be whole"),
    ],
)
def test_an_opening_that_fails_leaves_no_copy_and_keeps_the_files(
    open_app: Opener,
    files: dict[str, tuple[str, bytes, str]],
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    where: str,
    error: Exception,
    sentence: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    app = upload(open_app(), **files)
    place = {"saving": (workspace, "update_record"), "reading": (core, "prepare"), "checking": (cached, "provenance")}[
        where
    ]
    monkeypatch.setattr(*place, fail)
    monkeypatch.setattr(jobs, "QUICK_S", 20.0)
    app.button(key="open").click().run()
    assert sentence in errors(app)
    app.run()
    assert not app.exception, app.exception
    assert not [*home.glob("cases/*")]
    assert "work" not in app.session_state
    assert any(one.label == "Open the case" for one in app.button), "the files are still there"


def bad_cases() -> list[object]:
    train, test = make_table(400, 3), make_table(300, 4)
    many = [f"town {number % 500}" for number in range(600)]
    towns = (pd.concat([train, train.iloc[:200]]).assign(town=many), test.assign(town="town 1"))
    return [
        pytest.param(
            train,
            test.assign(granted=test["granted"].replace(1, 2)),
            [],
            "class the model knows",
            id="label never seen",
        ),
        pytest.param(train.assign(sex="f"), test.assign(sex="f"), ["sex"], "at least two groups", id="one group"),
        pytest.param(*towns, ["town"], "at most 50 groups", id="500 groups"),
        pytest.param(train.assign(person="p1"), test, [], "ids must be unique", id="repeated ids"),
    ]


@pytest.mark.parametrize(("train", "test", "sensitive", "says"), bad_cases())
def test_tables_that_make_no_case_are_refused_and_kept(
    open_app: Opener,
    files: dict[str, tuple[str, bytes, str]],
    train: pd.DataFrame,
    test: pd.DataFrame,
    sensitive: list[str],
    says: str,
) -> None:
    app = upload(
        open_app(), train=("a.csv", csv(train), "text/csv"), test=("b.csv", csv(test), "text/csv"), model=files["model"]
    )
    next(one for one in app.selectbox if one.label == "Label").set_value("granted").run()
    if sensitive:
        next(one for one in app.multiselect if one.label == "Sensitive features").set_value(sensitive).run()
    if "unique" in says:
        next(one for one in app.selectbox if one.label == "Record id").set_value("person").run()
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    assert says in errors(app)
    assert "work" not in app.session_state
    assert {"model", "test", "train"} <= set(app.session_state["draft"])


def test_missing_groups_are_a_group_of_their_own_on_the_page(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    train = make_table(400, 3).assign(region=["n", "s", None, "n"] * 100)
    test = make_table(300, 4).assign(region=["n", "s", None] * 100)
    app = upload(
        open_app(), train=("a.csv", csv(train), "text/csv"), test=("b.csv", csv(test), "text/csv"), model=files["model"]
    )
    next(one for one in app.multiselect if one.label == "Sensitive features").set_value(["region"]).run()
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    app.switch_page("app_pages/check/page.py").run()
    assert any("(missing)" in str(one.value) for one in app.dataframe)


def test_a_model_trained_on_other_rows_can_be_trained_again_on_these(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    app = opened_with_a_forest_of_other_rows(open_app, files)
    assert "mismatch" in " ".join(one.value for one in app.markdown)
    app.button(key="refit").click().run()
    assert not app.exception, app.exception
    work = app.session_state["work"]
    assert [step.kind for step in work.applied] == ["refit"]
    assert core.check_provenance(cached.case(work)).status == "verified"
    assert "was trained again on these rows" in " ".join(one.value for one in app.caption)
    assert not [one for one in app.button if one.key == "refit"]
    app.switch_page("app_pages/find/page.py").run()
    assert not app.exception, app.exception
    assert not [one for one in app.info if "No attribution" in one.value], "the version in force has influence"
    assert any("Take the most harmful" in one.label for one in app.number_input)


def test_a_removal_by_training_on_foreign_rows_says_what_else_changed(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    app = opened_with_a_forest_of_other_rows(open_app, files)
    work = app.session_state["work"]

    def remove_some() -> str:
        app.session_state["work"] = replace(app.session_state["work"], selection=(1, 2, 3))
        app.switch_page("app_pages/remove/page.py").run()
        warned = [one.value for one in app.markdown if "Train it on them first" in one.value]
        app.button(key="remove_apply").click().run()
        assert not app.exception, app.exception
        return " ".join([*warned, *(one.value for one in app.caption)]).replace("\\", "")

    said = "does not come from these rows and labels"
    first = remove_some()
    assert "Train it on them first, then every change is the removal's" in first, "before it is applied"
    assert "The model as opened does not come from these rows and labels" in first, "and after it"
    app.switch_page("app_pages/start/page.py").run()
    assert not [one for one in app.button if one.key == "refit"], "the version in force was trained on these rows"
    app.session_state["work"] = replace(work, selection=())
    app.switch_page("app_pages/start/page.py").run()
    app.button(key="refit").click().run()
    assert said not in remove_some(), "the version in force comes from these rows"


def test_what_was_wrong_with_one_file_is_not_said_of_the_next(
    open_app: Opener, files: dict[str, tuple[str, bytes, str]]
) -> None:
    spoiled = make_table(400, 3)
    spoiled["debt"] = spoiled["debt"].astype(object).where(spoiled.index != 7, "forty")
    app = upload(open_app(), **{**files, "train": ("train.csv", csv(spoiled), "text/csv")})
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    assert "Record 7 has 'forty' in 'debt'" in errors(app)
    app = upload(app, train=files["train"])
    assert not app.error
    app.button(key="open").click().run()
    assert app.session_state["work"] is not None
