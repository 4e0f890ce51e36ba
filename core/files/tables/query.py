"""Tables from a database: one statement that reads, over a connection that cannot write."""

from __future__ import annotations

import datetime
import decimal
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, ResourceClosedError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from core.errors import InputError, InputTypeError, LimitError, listed, said
from core.files.tables.limits import Limits, check_limits, show_bytes
from core.files.tables.read import LoadedTable, loaded
from core.files.tables.xlsx import typed_column

Looking = Callable[[], object]
"""Is called while a statement runs; what it raises ends it."""

READING = ("select", "with", "values", "table")
AT_ONCE = 5_000
"""Rows fetched at a time."""
STEPS = 20_000
"""Instructions of SQLite between two looks at the clock."""
CONNECT_S = 10

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_FORBIDDEN_FUNCTIONS = ("load_extension", "writefile", "readfile", "edit")


def read_query(
    database: str | Path | bytes | Engine,
    statement: str,
    *,
    limits: Limits = Limits(),  # noqa: B008
    seconds: float = 60.0,
    looking: Looking | None = None,
) -> LoadedTable:
    """Read the rows that a statement of SQL returns.

    The statement runs in a transaction that only reads, and that is given up at the end: SQLite refuses all else by its authorizer, and
    PostgreSQL and MySQL by `READ ONLY`. Of other databases only the statement's first word is looked at: give a user that may only read.

    Parameters
    ----------
    database : str, Path, bytes or Engine
        A file of SQLite, or its content, which is then never on the disk; a URL of SQLAlchemy such as
        ``"postgresql+psycopg://user@host/name"``; or an engine, as `st.connection` has.
    statement : str
        One statement: SELECT, WITH, VALUES or TABLE.
    limits : Limits
        What the table must keep.
    seconds : float
        How long it may take.
    looking : callable, optional
        Called while it runs, between rows; of SQLite, between its steps, too. What it raises ends the statement.

    Returns
    -------
    LoadedTable

    Raises
    ------
    InputError
        If the database cannot be reached, the statement writes or is none, or returns nothing.
    LimitError
        If it takes too long, or returns more than a table may have.
    """
    check_limits(limits, Limits)
    checked = _checked(statement)
    engine = _engine(database)
    run = _Run(checked, limits, time.monotonic() + _seconds(seconds), seconds, looking)
    try:
        with _reading(engine, run) as connection:
            names, rows = run.rows(connection)
    except ResourceClosedError as error:
        raise InputError(
            f"A statement must return rows. It returned none: {checked[:80]!r}; write a SELECT."
        ) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        if run.stopped is not None:
            raise run.stopped from error
        raise _refused(error, run) from error
    finally:
        if not isinstance(database, Engine):
            engine.dispose()
    if not rows:
        raise InputError(
            f"A query must return rows. It returned the columns {listed(names)} and none; look at its conditions."
        )
    frame = pd.DataFrame({place: _column([row[place] for row in rows]) for place in range(len(names))})
    frame.columns = pd.Index(names)
    return loaded(frame)


def _checked(statement: object) -> str:
    if not isinstance(statement, str):
        raise InputTypeError(f"`statement` must be the text of a query. Got {type(statement).__name__} instead.")
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", statement, flags=re.DOTALL).strip().rstrip(";").strip()
    first = re.match(r"[(\s]*([A-Za-z]+)", bare)
    if first is None or first[1].lower() not in READING:
        raise InputError(
            f"A query must only read: SELECT, WITH, VALUES or TABLE. Got {bare[:40]!r}; write one that returns the rows wanted."
        )
    kept = statement.strip().rstrip(";").strip()
    if ";" in kept:
        raise InputError(
            "A query must be one statement, without a semicolon in it. Got one; run the others apart, and write chr(59) in a text."
        )
    return kept


def _seconds(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise InputError(f"`seconds` must be a number above 0. Got {seconds!r}; 60 is usual.")
    return float(seconds)


def _engine(database: object) -> Engine:
    if isinstance(database, Engine):
        return database
    if isinstance(database, bytes):
        return sa.create_engine("sqlite://", creator=lambda: _in_memory(database), poolclass=NullPool)
    if not isinstance(database, str | Path):
        raise InputTypeError(
            f"`database` must be a file of SQLite, a URL or an engine of SQLAlchemy. Got {type(database).__name__} instead."
        )
    if isinstance(database, Path) or "://" not in database:
        path = Path(database)
        if not path.is_file():
            raise InputError(
                f"A database must be a file of SQLite or a URL. There is no file {str(path)!r}; check the path."
            )
        url = URL.create(
            "sqlite",
            database=f"file:{path.resolve().as_uri().removeprefix('file://')}",
            query={"mode": "ro", "uri": "true"},
        )
        return sa.create_engine(url)
    try:
        url = sa.make_url(database)
        own = {"connect_timeout": CONNECT_S} if url.get_backend_name() in ("postgresql", "mysql", "mariadb") else {}
        return sa.create_engine(url, connect_args=own)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise InputError(
            f"A database must be one that SQLAlchemy reaches. It does not ({said(error)}); check the URL, or install its driver."
        ) from error


def _in_memory(content: bytes) -> sqlite3.Connection:
    """Return a connection to what a file of SQLite holds.

    A file that was written with a log beside it says so in two bytes, and is not taken without; it is whole all the same.
    """
    logged = content[18:20] == b"\x02\x02"
    connection = sqlite3.connect(":memory:")
    if content:
        connection.deserialize(content[:18] + b"\x01\x01" + content[20:] if logged else content)
    return connection


class _Run:
    """One statement under way: its clock, its limits, and what ended it."""

    def __init__(self, statement: str, limits: Limits, until: float, seconds: float, looking: Looking | None) -> None:
        self.statement, self.limits, self.until, self.seconds, self.looking = statement, limits, until, seconds, looking
        self.stopped: BaseException | None = None

    def look(self) -> None:
        """Raise if it is to end."""
        if self.looking is not None:
            self.looking()
        if time.monotonic() > self.until:
            raise self.too_slow()

    def too_slow(self) -> LimitError:
        return LimitError(
            f"A query can take at most {self.seconds:g} seconds. It takes longer; ask for fewer rows, or index its columns."
        )

    def ended(self) -> bool:
        """Whether SQLite is to stop, as its progress handler asks."""
        try:
            self.look()
        except BaseException as error:  # carried out of SQLite's own code
            self.stopped = error
            return True
        return False

    def rows(self, connection: Connection) -> tuple[list[str], list[Any]]:
        result = connection.execution_options(stream_results=True, no_parameters=True).exec_driver_sql(self.statement)
        names = [str(name) for name in result.keys()]  # noqa: SIM118
        if len(names) > self.limits.max_columns:
            raise LimitError(
                f"A table can have at most {self.limits.max_columns:,} columns. Got {len(names):,}; name those needed."
            )
        rows, size = list[Any](), 0
        while part := result.fetchmany(AT_ONCE):
            self.look()
            rows += [tuple(row) for row in part]
            size += sum(len(cell) for row in part for cell in row if isinstance(cell, str | bytes)) + 8 * len(
                names
            ) * len(part)
            if len(rows) * len(names) > self.limits.max_cells:
                raise LimitError(
                    f"A table can have at most {self.limits.max_cells:,} cells, rows x columns. The query returns more; ask for fewer."
                )
            if size > self.limits.max_memory:
                raise LimitError(
                    f"A table can take at most {show_bytes(self.limits.max_memory)} of memory. The query returns more; ask for fewer rows."
                )
        return names, rows


@contextmanager
def _reading(engine: Engine, run: _Run) -> Iterator[Connection]:
    """Give a connection that only reads and is closed after; what was begun is given up."""
    kind = engine.dialect.name
    with engine.connect() as connection:
        own = connection.connection.driver_connection
        connection.detach()
        if kind == "sqlite":
            own.execute("PRAGMA query_only = ON")  # type: ignore[union-attr]
            own.set_authorizer(_authorised)  # type: ignore[union-attr]
            own.set_progress_handler(run.ended, STEPS)  # type: ignore[union-attr]
        elif kind == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(run.seconds * 1000))}")
        elif kind in ("mysql", "mariadb"):
            connection.rollback()
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql(f"SET SESSION max_execution_time = {max(1, int(run.seconds * 1000))}")
            connection.rollback()
        try:
            yield connection
        finally:
            with suppress(SQLAlchemyError):
                connection.rollback()


def _authorised(action: int, first: str | None, second: str | None, *_: object) -> int:
    forbidden = action == sqlite3.SQLITE_FUNCTION and (second or first or "").lower() in _FORBIDDEN_FUNCTIONS
    return sqlite3.SQLITE_OK if action in _ALLOWED and not forbidden else sqlite3.SQLITE_DENY


def _refused(error: Exception, run: _Run) -> InputError:
    text = said(getattr(error, "orig", None) or error)
    if re.search(r"not authorized|readonly|read-only|prohibited", text, re.IGNORECASE):
        return InputError(
            f"A query must only read. This one would write or reach beyond the database ({text}); write a SELECT."
        )
    if re.search(r"statement timeout|execution time exceeded|interrupted", text, re.IGNORECASE):
        return run.too_slow()
    return InputError(
        f"A query must be one that the database answers. It says: {text}. Check the statement and the connection."
    )


def _column(values: list[Any]) -> pd.Series[Any]:
    return typed_column([_plain(value) for value in values])


def _plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    if value is None or isinstance(value, bool | int | float | str | datetime.date):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raise InputError(
            "A column must hold numbers, text, dates or truth values. The query returns raw bytes; leave them out, or cast them to text."
        )
    return str(value)
