"""The database of a ledger: its tables, and the transactions that read and add to them.

An entry and the head that names it are written in one transaction, under one lock, so that a process that is killed leaves both or neither
and writers wait for one another: SQLite's lock on the file (`BEGIN IMMEDIATE`), PostgreSQL's advisory lock. Other databases have neither; there
the loser of two writers finds its number taken and tries again. Triggers refuse to change or delete an entry.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import NullPool, StaticPool

from core.errors import InputError, InputTypeError, LedgerError, said
from core.ledger.entries import Entry

SCHEMA = 1
"""Of the tables. To change it, raise it and add to `UPGRADES`."""
UPGRADES: dict[int, Callable[[Connection], None]] = {}
"""How tables of an earlier schema become those of the next: from 1 to 2 under key 1, and so on; `Store.add` runs them in the transaction of the
first entry that is written with a newer release. They may add columns and tables. They must leave `content` as it is, to the letter: hashes are
taken over it. Schema 1, the first: `redress_entries` and `redress_head` as they stand below."""

PATIENCE_S = 60.0
"""How long a writer waits for others."""
LOCK = 7_233_577_001
"""PostgreSQL's advisory lock for all ledgers of a database."""
CONNECT_S = 10
WRITING = {"redress_writing": True}

tables = sa.MetaData()
ENTRIES = sa.Table(
    "redress_entries",
    tables,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("content_digest", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
)
HEAD = sa.Table(
    "redress_head",
    tables,
    sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("schema", sa.Integer, nullable=False),
    sa.Column("ledger_id", sa.String(32), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("public_key", sa.String(64), nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
)
ADDED_TO = "the ledger is only ever added to"
TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER redress_no_{what.lower()} BEFORE {what} ON redress_entries BEGIN SELECT RAISE(ABORT, '{ADDED_TO}'); END"
        for what in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION redress_only_added_to() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{ADDED_TO}'; END $$",
        "CREATE TRIGGER redress_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON redress_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION redress_only_added_to()",
    ],
}
"""By database: what refuses to change or delete an entry."""


@dataclass(frozen=True)
class Head:
    """The end of a ledger, as it was last signed.

    Parameters
    ----------
    ledger_id : str
        Drawn when the ledger was begun.
    number : int
        Of the last entry.
    hash : str
        Of the last entry.
    public_key : str
        Of the signer, in hex.
    signature : str
        Of `message`, in hex.
    """

    ledger_id: str
    number: int
    hash: str
    public_key: str
    signature: str

    @property
    def message(self) -> bytes:
        """Bytes that are signed."""
        return f"redress ledger head\n{self.ledger_id}\n{self.number}\n{self.hash}\n".encode()


Lookup = Callable[[int], Entry | None]
"""Gives the entry with a number."""
Making = Callable[[Head | None, Lookup], tuple[Entry, Head]]
"""Gives the next entry and the head that names it, from the head, None for a ledger that is begun."""


class Store:
    """The tables of one ledger.

    Parameters
    ----------
    url : str or URL
        SQLAlchemy's address of a database.

    Raises
    ------
    InputError
        If it names no database that can be used here.
    """

    def __init__(self, url: str | URL) -> None:
        self.url = _checked(url)
        self.engine = _engine(self.url)
        self._turn = threading.Lock() if self.engine.pool.__class__ is StaticPool else nullcontext()

    @property
    def shown(self) -> str:
        """The address, without its password."""
        return self.url.render_as_string(hide_password=True)

    def read(self) -> tuple[Head | None, list[Entry]]:
        """Return the head and all entries in the order of their numbers.

        None and none where nothing was written yet.
        """
        with self._sentences("read"):
            if self._is_missing():
                return None, []
            with self.engine.connect() as connection:
                if not sa.inspect(connection).has_table(HEAD.name):
                    return None, []
                head = _head(connection)
                rows = connection.execute(sa.select(ENTRIES).order_by(ENTRIES.c.number))
                return head, [Entry(**row._mapping) for row in rows]

    def add(self, make: Making) -> Entry:
        """Add an entry and its head, made while no other writer can add one.

        Parameters
        ----------
        make : callable
            Called with the head, None for a ledger that is begun, and what finds an entry by its number; it may raise, and then nothing is written.

        Raises
        ------
        LedgerError
            If the database cannot be reached or written, or others write for too long; nothing is written then.
        """
        until = time.monotonic() + PATIENCE_S
        with self._sentences("written"):
            while True:
                try:
                    return self._transaction(make)
                except DBAPIError as error:
                    if not _is_busy(error) or time.monotonic() > until:
                        raise
                    time.sleep(random.uniform(0.005, 0.05))  # noqa: S311

    def _transaction(self, make: Making) -> Entry:
        with self._turn, self.engine.connect() as connection:
            writing = connection.execution_options(**WRITING)
            with writing.begin():
                return _added(writing, make)

    def _is_missing(self) -> bool:
        """Return whether the file of a ledger is not there, which reading must not make."""
        name = self.url.database
        is_file = self.url.get_backend_name() == "sqlite" and name and not name.startswith(("file:", ":"))
        return bool(is_file) and not Path(str(name)).exists()

    @contextmanager
    def _sentences(self, done: str) -> Iterator[None]:
        """Turn a database's errors into one sentence."""
        try:
            yield
        except DBAPIError as error:
            why = said(error.orig or error)
            nothing = "; nothing was written" if done == "written" else ""
            raise LedgerError(
                f"The ledger at {self.shown} must be there to be {done}. It could not be ({why}){nothing}; {_way_out(why)}."
            ) from error


def _added(connection: Connection, make: Making) -> Entry:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    if not sa.inspect(connection).has_table(HEAD.name):
        tables.create_all(connection)
        for statement in TRIGGERS.get(connection.dialect.name, ()):
            connection.exec_driver_sql(statement)
    before = _head(connection)
    entry, head = make(before, lambda number: _entry(connection, number))
    connection.execute(sa.insert(ENTRIES).values(_values(entry)))
    values = {"schema": SCHEMA} | {name: getattr(head, name) for name in Head.__dataclass_fields__}
    connection.execute(sa.update(HEAD).values(values) if before else sa.insert(HEAD).values({"only": 1} | values))
    return entry


def _values(entry: Entry) -> dict[str, Any]:
    """Return an entry's fields by name."""
    return {name: getattr(entry, name) for name in Entry.__dataclass_fields__}


def _head(connection: Connection) -> Head | None:
    schema = connection.execute(sa.select(HEAD.c.schema)).scalar()
    if schema is None:
        return None
    _bring_up(connection, int(schema))
    asked = sa.select(*[HEAD.c[name] for name in Head.__dataclass_fields__])
    row = connection.execute(asked.with_for_update() if _writes(connection) else asked).one()
    return Head(**row._mapping)


def _bring_up(connection: Connection, schema: int) -> None:
    """Bring tables of an earlier schema up to this one; refuse later ones.

    Only where they are written to.
    """
    if schema > SCHEMA:
        raise LedgerError(
            f"A ledger must be of schema {SCHEMA} or earlier. This one is of schema {schema}; use the release that wrote it, or a later one."
        )
    if _writes(connection):
        for step in range(schema, SCHEMA):
            UPGRADES[step](connection)


def _entry(connection: Connection, number: int) -> Entry | None:
    row = connection.execute(sa.select(ENTRIES).where(ENTRIES.c.number == number)).first()
    return None if row is None else Entry(**row._mapping)


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("redress_writing"))


def _is_busy(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or "locked" in str(error.orig)


def _way_out(why: str) -> str:
    reasons = {
        "readonly": "make the file and its folder writable",
        "read-only": "make the database writable",
        "full": "free some space",
        "disk I/O": "free some space, or look after the disk",
        "unable to open": "check that the folder exists and may be written",
        "locked": "another program holds it, try again",
        "not a database": "the file is something else or damaged, restore it",
        "malformed": "the file is damaged, restore it",
    }
    return next((way for part, way in reasons.items() if part in why), "check the address and that the database runs")


def _checked(url: object) -> URL:
    if not isinstance(url, str | URL):
        raise InputTypeError(
            f"A ledger's address must be text. Got {type(url).__name__}; write 'sqlite:///redress.db'."
        )
    try:
        found = sa.make_url(url)
        if "\0" in str(url):
            raise ArgumentError("an address has no such character")
    except ArgumentError as error:
        raise InputError(
            f"A ledger's address must be a database URL. Got {str(url)[:80]!r}; for a file write 'sqlite:///redress.db'."
        ) from error
    return found.set(drivername="postgresql+psycopg") if found.drivername in ("postgresql", "postgres") else found


def _engine(url: URL) -> Engine:
    backend = url.drivername.partition("+")[0]
    options: dict[str, Any] = {"poolclass": NullPool}
    if backend == "sqlite":
        options["connect_args"] = {"timeout": PATIENCE_S}
        if url.database in (None, "", ":memory:"):
            options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    elif backend == "postgresql":
        options["connect_args"] = {"connect_timeout": CONNECT_S}
    try:
        engine = sa.create_engine(url, **options)
    except (NoSuchModuleError, ImportError) as error:
        raise InputError(
            f"A ledger's address must name a database whose driver is installed. {backend!r} has none here ({said(error)}); "
            "sqlite needs none, PostgreSQL needs redress[postgresql]."
        ) from error
    except (ArgumentError, TypeError, ValueError) as error:
        raise InputError(f"A ledger's address must be one that its driver takes. It is not: {said(error)}.") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_alone)
        event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_alone(connection: Any, _: object) -> None:
    """Keep Python's sqlite3 from beginning transactions of its own.

    These would take the lock too late.
    """
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")
