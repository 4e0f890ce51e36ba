"""Tables from elsewhere than a file: a database, or OpenML.

Databases are those the server's `secrets.toml` names, and files of SQLite that are uploaded: an address that a visitor types would
let them read what the server can reach and they cannot.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

import core
from core.errors import InputError, said
from core.words import plain
from dashboard import session
from dashboard.app_pages.start import upload
from dashboard.jobs import Report

QUERY_S = 60.0
UPLOADED = "A file of SQLite"


def show(which: str) -> None:
    """Offer a query of a database, or a data set of OpenML, as the table of this part."""
    with st.popover("From a database or OpenML", type="tertiary"):
        databases = [*connections(), UPLOADED]
        chosen = st.selectbox("Database", databases, key=_key(which, "database"), format_func=plain)
        if chosen == UPLOADED:
            st.file_uploader("File of SQLite", ["db", "sqlite", "sqlite3"], key=_key(which, "file"))
        st.text_area(
            "Query",
            key=_key(which, "query"),
            placeholder="SELECT * FROM people",
            help=f"One statement that reads; it can write nothing, and may take {QUERY_S:.0f} s.",
        )
        st.button("Run the query", key=_key(which, "run"), on_click=_ask, args=(which, chosen))
        st.text_input(
            "Or a data set by its name on OpenML",
            key=_key(which, "openml"),
            placeholder="adult",
            help="This server fetches it from openml.org.",
        )
        st.button("Fetch it", key=_key(which, "fetch"), on_click=_fetch, args=(which,))


def connections() -> list[str]:
    """Return the databases that the server's `secrets.toml` names."""
    try:
        return [str(name) for name in st.secrets.get("connections", {})]
    except StreamlitSecretNotFoundError:
        return []


def _key(which: str, what: str) -> str:
    return f"{session.Key.ELSEWHERE}_{which}_{what}_{session.drafts()}"


def _ask(which: str, name: str) -> None:
    """Run the query that stands in the field."""
    statement = str(session.value(_key(which, "query")) or "")
    file = session.value(_key(which, "file")) if name == UPLOADED else None
    title = name if file is None else file.name
    if name == UPLOADED and file is None:
        upload.say_why(which, title, "A query needs a database. There is none yet; choose a file of SQLite above it.")
        return
    try:
        database = file.getvalue() if file is not None else st.connection(name, type="sql").engine
    except Exception as error:  # what the server's secrets say decides which
        upload.say_why(
            which, title, f"A database of `secrets.toml` must be one that can be used. {name!r} is not: {said(error)}."
        )
        return

    def read(report: Report) -> Any:
        looking = partial(report, 0.0, "waiting for the database")
        return core.read_query(database, statement, seconds=QUERY_S, looking=looking)

    upload.read_elsewhere(which, f"query of {title}", uuid4().hex, read)


def _fetch(which: str) -> None:
    """Fetch the data set whose name stands in the field."""
    name = str(session.value(_key(which, "openml")) or "").strip()

    def read(report: Report) -> Any:
        report(0.0, "asking openml.org")
        if not name:
            raise InputError("A data set of OpenML must be named. Got none; write for example adult.")
        return core.read_openml(name)

    upload.read_elsewhere(which, name or "OpenML", uuid4().hex, read)
