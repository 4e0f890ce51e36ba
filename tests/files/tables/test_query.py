"""Tables from databases: rows of a statement that reads; one that writes, is slow or returns nothing is a sentence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

import core
from core.errors import InputError, InputTypeError, LimitError
from core.files.tables.limits import Limits
from tests.ledger.conftest import server  # noqa: F401

PEOPLE = pd.DataFrame(
    {
        "id": ["007", "008"],
        "income": [1.5, None],
        "age": [30, 41],
        "since": pd.to_datetime(["2024-02-03", "2024-02-04"]),
    }
)
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*), 1 FROM n",
    "postgresql": "SELECT pg_sleep(30), 1",
}
WRITES = [
    "DELETE FROM people",
    "INSERT INTO people VALUES ('1', 1, 1, null)",
    "WITH gone AS (DELETE FROM people RETURNING *) SELECT * FROM gone",
    "SELECT * FROM people; DELETE FROM people",
    "SELECT * FROM people; COMMIT; DELETE FROM people",
    "PRAGMA journal_mode = delete",
    "ATTACH 'other.db' AS other",
    "CREATE TABLE other (a int)",
    "",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people with a space.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (id text, income real, age int, since text)")
        connection.executemany(
            "INSERT INTO people VALUES (?, ?, ?, ?)", [("007", 1.5, 30, "x"), ("008", None, 41, "y")]
        )
    connection.close()
    return path


@pytest.fixture(params=["file", "content", "logged", "url", "engine", "postgresql"])
def database(request: pytest.FixtureRequest, file: Path) -> str | Path | bytes | sa.Engine:
    if request.param == "file":
        return file
    if request.param == "logged":
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    if request.param in ("content", "logged"):
        return file.read_bytes()
    if request.param == "url":
        return f"sqlite:///{file}"
    if request.param == "engine":
        return sa.create_engine(f"sqlite:///{file}")
    url = str(request.getfixturevalue("server")).replace("postgresql:", "postgresql+psycopg:")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS people")
        connection.exec_driver_sql("CREATE TABLE people (id text, income numeric, age int, since date)")
        connection.exec_driver_sql(
            "INSERT INTO people VALUES ('007', 1.5, 30, '2024-02-03'), ('008', null, 41, '2024-02-04')"
        )
    engine.dispose()
    return url


def kind(database: object) -> str:
    return "postgresql" if "postgresql" in str(database) else "sqlite"


def test_rows_have_the_types_of_the_database(database: str | Path | bytes | sa.Engine) -> None:
    table = core.read_query(database, "SELECT *, 1 AS age FROM people WHERE id LIKE '00%' ORDER BY id;  ")
    assert table.frame.columns.tolist() == ["id", "income", "age", "since", "age.1"]
    assert table.frame["id"].tolist() == ["007", "008"]
    assert table.frame["income"].isna().tolist() == [False, True]
    assert table.frame["age"].tolist() == [30, 41]
    if kind(database) == "postgresql":
        assert table.frame["since"].tolist() == PEOPLE["since"].tolist()


@pytest.mark.parametrize("statement", WRITES)
def test_what_writes_is_refused_and_nothing_is_written(
    database: str | Path | bytes | sa.Engine, statement: str
) -> None:
    with pytest.raises(InputError, match="must"):
        core.read_query(database, statement)
    assert len(core.read_query(database, "SELECT * FROM people").frame) == 2


def test_a_slow_statement_is_ended(database: str | Path | bytes | sa.Engine) -> None:
    with pytest.raises(LimitError, match=r"at most 0\.3 seconds"):
        core.read_query(database, SLOW[kind(database)], seconds=0.3)


def test_a_statement_can_be_given_up(file: Path) -> None:
    class GivenUpError(Exception):
        pass

    def looking() -> None:
        raise GivenUpError

    with pytest.raises(GivenUpError):
        core.read_query(file, SLOW["sqlite"], looking=looking)


def test_nothing_returned_and_too_much_are_sentences(database: str | Path | bytes | sa.Engine) -> None:
    with pytest.raises(InputError, match=r"must return rows\. It returned the columns 'id', 'age' and none"):
        core.read_query(database, "SELECT id, age FROM people WHERE age > 99")
    with pytest.raises(LimitError, match="at most 3 cells"):
        core.read_query(database, "SELECT * FROM people", limits=Limits(max_cells=3))
    with pytest.raises(LimitError, match="at most 2 columns"):
        core.read_query(database, "SELECT * FROM people", limits=Limits(max_columns=2))
    with pytest.raises(InputError, match="one that the database answers"):
        core.read_query(database, "SELECT * FROM nobody")


def test_a_database_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        core.read_query(tmp_path / "nothing.db", "SELECT 1, 2")
    assert not (tmp_path / "nothing.db").exists()
    for url in ("nosuch://x", "postgresql+psycopg://nobody@127.0.0.1:1/none"):
        with pytest.raises(InputError):
            core.read_query(url, "SELECT 1, 2")
    with pytest.raises(InputTypeError, match="must be a file of SQLite"):
        core.read_query(5, "SELECT 1, 2")  # type: ignore[arg-type]
    text = tmp_path / "text.db"
    text.write_text("no database at all, but some text that is long enough to be read as one")
    for source in (text, text.read_bytes(), b""):
        with pytest.raises(InputError, match="not a database" if source else "no such table"):
            core.read_query(source, "SELECT * FROM people")
