"""Uploaded files on their way to a case.

Read at once, kept through page changes, errors beside the file they concern.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import RedressError
from core.files.tables.csv_format import CsvFormat
from core.files.tables.read import LoadedTable, read_table
from core.words import count, plain
from dashboard import session
from dashboard.app_pages.start import elsewhere
from dashboard.components import waiting
from dashboard.jobs import Report

DELIMITERS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "bar",
    ":": "colon",
    " ": "space",
    "~": "tilde",
    "^": "caret",
    "#": "hash",
}
DECIMALS = {".": "point", ",": "comma"}
THOUSANDS = {
    None: "none",
    ",": "comma",
    ".": "point",
    " ": "space",
    "\u00a0": "no-break space",
    "\u202f": "narrow space",
    "'": "apostrophe",
}
ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"]


PROBLEM = "_problem"
TABLES = ["csv", "tsv", "txt", "data", "parquet", "xlsx", "arff", "gz", "bz2", "xz", "zip"]
HEADERS: dict[Any, str] = {None: "what it looks like", True: "column names", False: "a row"}


@dataclass(frozen=True)
class Part:
    """One uploaded file: what was read from it, or why it could not be.

    Parameters
    ----------
    name : str
        The file's name, to show; it never becomes a path.
    number : str
        Tells one upload from the next.
    data : bytes
        The file, for reading it again in another format; of a model empty.
    content : object
        A table or a model; None where `error` says why.
    error : str
        One sentence, or empty.
    files : tuple of (str, bytes)
        Of a model its files, by name.
    put_with : str
        The number of the training table that was at hand when a model of several parts was put together.
    """

    name: str
    number: str
    data: bytes = b""
    content: Any = None
    error: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    put_with: str = ""


def part(which: str) -> Part | None:
    """Return the uploaded part "train", "test" or "model"."""
    found: Part | None = session.draft().get(which)
    return found


def slot(which: str, title: str, kinds: list[str], about: str) -> None:
    """Show where a table goes in, and what became of it."""
    key = f"{session.Key.UPLOAD}_{which}_{session.drafts()}"
    st.file_uploader(title, kinds, key=key, help=about, on_change=_take, args=(which, key, session.drafts()))
    elsewhere.show(which)
    kept = part(which)
    if problem := session.draft().get(f"{which}{PROBLEM}"):
        st.error(f"{plain(problem[0])}: {plain(problem[1])}")
    if kept is None:
        return
    if kept.error:
        st.error(f"{plain(kept.name)}: {plain(kept.error)}")
    else:
        st.caption(f":green[:material/check:] {plain(kept.name)}: {contents(kept.content)}")
        for note in kept.content.notes:
            st.caption(f":material/info: {plain(note)}")
    if kept.data and (kept.content is None or kept.content.format is not None):
        _format(which, kept)
    elif not kept.data:
        st.button("Take it out", key=f"{key}_out", type="tertiary", on_click=session.draft_part, args=(which, None))


def _format(which: str, kept: Part) -> None:
    found = kept.content.format if kept.content is not None else CsvFormat()
    with st.popover("How the file is read", type="tertiary"):

        def choose(name: str, title: str, options: list[Any], names: dict[Any, str]) -> None:
            key = f"{session.Key.FORMAT}_{which}_{name}_{kept.number}"
            now = getattr(found, name)
            choices = options if now in options else [now, *options]
            st.selectbox(
                title,
                choices,
                choices.index(now),
                format_func=lambda value: names.get(value, str(value)),
                key=key,
                on_change=_read_again,
                args=(which, kept),
            )

        choose("delimiter", "Between cells", list(DELIMITERS), DELIMITERS)
        choose("decimal", "Decimal mark", list(DECIMALS), DECIMALS)
        choose("thousands", "Thousands mark", list(THOUSANDS), THOUSANDS)
        choose("encoding", "Encoding", ENCODINGS, {})
        key = f"{session.Key.FORMAT}_{which}_header_{kept.number}"
        header = st.selectbox(
            "The first line holds",
            list(HEADERS),
            format_func=lambda value: HEADERS[value],
            key=key,
            on_change=_read_again,
            args=(which, kept),
        )
        if header is False:
            st.text_input(
                "Names of the columns",
                key=f"{session.Key.FORMAT}_{which}_names_{kept.number}",
                placeholder="age, income, sex",
                help="As many as there are columns, with commas between them. Empty: they are numbered.",
                on_change=_read_again,
                args=(which, kept),
            )


def _read_again(which: str, kept: Part) -> None:
    names = ("delimiter", "decimal", "thousands", "encoding")
    known = {name: session.value(f"{session.Key.FORMAT}_{which}_{name}_{kept.number}") for name in names}
    if kept.content is None:  # What stands there is not what was found.
        known = {name: value for name, value in known.items() if value != getattr(CsvFormat(), name)}
    header = session.value(f"{session.Key.FORMAT}_{which}_header_{kept.number}")
    if header is not None:
        known["header"] = header
    if header is False:
        given = str(session.value(f"{session.Key.FORMAT}_{which}_names_{kept.number}") or "")
        known["names"] = [name.strip() for name in given.split(",")] if given.strip() else None
    _read(which, kept, lambda _: read_table(kept.data, **known))


def contents(content: Any) -> str:
    """Return the size of a table, or the class of a model."""
    if isinstance(content, LoadedTable):
        rows, columns = content.frame.shape
        return f"{count(rows, 'row')}, {count(columns, 'column')}"
    return plain(type(getattr(content.model, "steps", [(None, content.model)])[-1][1]).__name__)


def _take(which: str, key: str, draft: int) -> None:
    # A run that was cut off may bring back a field of an earlier draft, or one whose file was read already.
    file, kept = session.value(key), part(which)
    if draft != session.drafts() or (file is not None and kept is not None and kept.number == file.file_id):
        return
    if file is None:
        session.draft_part(which, None)
    else:
        read_file(which, file)


def read_file(which: str, file: Any) -> None:
    """Read an uploaded table."""
    data = file.getvalue()
    _read(which, Part(file.name, file.file_id, data), lambda _: read_table(data))


def read_elsewhere(which: str, name: str, number: str, read: Callable[[Report], LoadedTable]) -> None:
    """Read a table from elsewhere than a file; what was there stays until it has come.

    Parameters
    ----------
    which : {"train", "test"}
    name : str
        What it is called on the page.
    number : str
        Tells it from every other upload.
    read : callable
        Reads it on another thread; reports, so that it can be given up.
    """
    _read(which, Part(name, number), read)


def say_why(which: str, name: str, why: str) -> None:
    """Say beside a part why a table did not come; one that is there stays."""
    session.draft_part(f"{which}{PROBLEM}", (name, why))


def _read(which: str, raw: Part, read: Callable[[Report], Any]) -> None:
    def work(report: Report) -> Part:
        try:
            return Part(raw.name, raw.number, raw.data, read(report))
        except RedressError as error:
            return Part(raw.name, raw.number, raw.data, error=str(error))

    def done(read_part: Part) -> None:
        if read_part.error and not raw.data and part(which) is not None:
            say_why(which, raw.name, read_part.error)
            return
        session.draft_part(f"{which}{PROBLEM}", None)
        session.draft_part(which, read_part)

    waiting.run(f"Reading {raw.name}", work, done, about=f"reading {which}")
