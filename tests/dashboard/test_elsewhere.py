"""Tables from a database or from OpenML, on Start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

import core
from dashboard.app_pages.start import upload
from tests.conftest import make_table
from tests.dashboard.conftest import Opener


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "people.db"
    with sqlite3.connect(path) as connection:
        make_table(60, 3).to_sql("people", connection, index=False)
    return path


def asked(app: AppTest, query: str, database: str = "A file of SQLite") -> AppTest:
    key = next(one.key for one in app.selectbox if one.label == "Database" and "_train_" in str(one.key))
    app.selectbox(key=key).set_value(database).run()
    app.text_area(key=key.replace("database", "query")).set_value(query)
    app.button(key=key.replace("database", "run")).click().run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(str(one.value).replace("\\", "") for one in [*app.caption, *app.error])


def kept(app: AppTest) -> pd.DataFrame:
    found: upload.Part = app.session_state["draft"]["train"]
    return found.content.frame


def test_a_query_of_an_uploaded_database_becomes_the_training_table(open_app: Opener, database: Path) -> None:
    app = asked(open_app(), "SELECT * FROM people")
    assert "choose a file of SQLite" in said(app)
    file = ("people.db", database.read_bytes(), "application/octet-stream")
    next(one for one in app.file_uploader if "elsewhere_train_file" in str(one.key)).set_value(file).run()
    assert "60 rows, 7 columns" in said(asked(app, "SELECT * FROM people"))
    assert kept(app)["person"].tolist()[:2] == ["p0", "p1"]
    for query, sentence in (
        ("DELETE FROM people", "must only read"),
        ("SELECT * FROM people WHERE age < 0", "must return rows"),
        ("ATTACH '/etc/passwd' AS x", "must only read"),
        ("SELECT * FROM nobody", "no such table"),
    ):
        asked(app, query)
        assert sentence in said(app), query
        assert len(kept(app)) == 60, "what was there stays"
    assert "must return rows" not in said(asked(app, "SELECT * FROM people LIMIT 7"))
    assert len(kept(app)) == 7
    next(one for one in app.button if one.label == "Take it out").click().run()
    assert "train" not in app.session_state["draft"]


@pytest.fixture
def named(database: Path, tmp_path: Path) -> Iterator[None]:
    """A server whose secrets.toml names a database, and one that cannot be used."""
    file = tmp_path / "secrets.toml"
    file.write_text(
        f'[connections.people]\nurl = "sqlite:///{database}"\n[connections.lost]\nurl = "nonsense"\n', "utf-8"
    )
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(file)])
    st.secrets._reset()
    yield
    config.set_option("secrets.files", before)
    st.secrets._reset()


@pytest.mark.usefixtures("named")
def test_a_database_the_server_names_is_queried(open_app: Opener) -> None:
    app = open_app()
    assert "60 rows" in said(asked(app, "SELECT * FROM people", "people"))
    assert "'lost' is not" in said(asked(app, "SELECT 1", "lost"))
    assert len(kept(app)) == 60


def test_a_data_set_of_openml_is_fetched_by_its_name(open_app: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    def read(name: str) -> object:
        fetched.append(name)
        return core.read_table(make_table(50, 1).to_csv(index=False).encode())

    monkeypatch.setattr(core, "read_openml", read)
    app = open_app()
    key = next(str(one.key) for one in app.text_input if "openml" in str(one.key) and "_train_" in str(one.key))
    app.button(key=key.replace("openml", "fetch")).click().run()
    assert "must be named" in said(app)
    app.text_input(key=key).set_value("credit-g")
    app.button(key=key.replace("openml", "fetch")).click().run()
    assert not app.exception, app.exception
    assert fetched == ["credit-g"]
    assert "credit-g: 50 rows" in said(app)
