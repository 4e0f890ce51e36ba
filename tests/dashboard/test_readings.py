"""The start page reads columns as the model learned them, says so, and offers the other reading."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import skops.io

import core
from dashboard import workspace
from tests.case.readings.test_conform import fitted, table_of
from tests.conftest import make_table
from tests.dashboard.conftest import Opener
from tests.dashboard.test_own_files import csv, upload


def skops_of(model: Any) -> bytes:
    out = io.BytesIO()
    skops.io.dump(model, out)
    return out.getvalue()


def said(app: Any) -> str:
    return " ".join(one.value.replace("\\", "") for one in app.markdown)


def test_codes_that_read_alike_are_kept_and_can_be_read_otherwise(open_app: Opener, home: Path) -> None:
    train, test = table_of(["1.1", "1.10", "2.5"], 1), table_of(["1.1", "1.10", "2.5"], 2)
    model = fitted(train)
    files = {
        "train": ("train.csv", csv(train), "text/csv"),
        "test": ("test.csv", csv(test), "text/csv"),
        "model": ("model.skops", skops_of(model), "application/octet-stream"),
    }
    app = upload(open_app(), **files)
    assert any(one.label == "How each column is read: 1 column read anew" for one in app.expander)
    assert "1,200 cells changed: its cells are the model's categories" in said(app)
    app.button(key="reading_code").click().run()
    assert "**code** numbers, such as" in said(app)
    app.button(key="reading_code").click().run()
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    case = workspace.load(app.query_params["case"])
    straight = core.Case(model, train, test, case.roles)
    pd.testing.assert_series_equal(case.test["code"], test["code"])
    assert case.scores("test").tolist() == straight.scores("test").tolist()


def test_a_file_without_names_is_said_and_its_names_are_asked(open_app: Opener) -> None:
    data = b"39, State-gov,Male,<=50K\n50, Private,Female,<=50K\n38, State-gov,Male,>50K\n"
    app = upload(open_app(), train=("adult.csv", data, "text/csv"))
    assert "Got what looks like a row" in " ".join(one.value for one in app.error)
    next(one for one in app.selectbox if one.label == "The first line holds").set_value(False).run()
    assert not app.error
    assert "3 rows, 4 columns" in " ".join(one.value for one in app.caption)
    next(one for one in app.text_input if one.label == "Names of the columns").set_value("age, work, sex, income").run()
    assert app.session_state["draft"]["train"].content.frame.columns.tolist() == ["age", "work", "sex", "income"]
    next(one for one in app.text_input if one.label == "Names of the columns").set_value("age").run()
    assert "name each of the 4 columns" in " ".join(one.value for one in app.error)


def test_a_model_is_trained_where_there_is_none(open_app: Opener) -> None:
    train, test = make_table(400, 3), make_table(300, 4)
    app = upload(open_app(), train=("train.csv", csv(train), "text/csv"), test=("test.csv", csv(test), "text/csv"))
    assert not [one for one in app.button if one.key == "open"]
    app.toggle(key="train_one").set_value(True).run()
    assert not app.error, [one.value for one in app.error]
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    case = workspace.load(app.query_params["case"])
    again = core.train_model(case.train, case.roles)
    assert case.model.predict_proba(case.X_test).tolist() == again.predict_proba(case.X_test).tolist()
    assert "verified" in " ".join(one.value for one in app.markdown)
