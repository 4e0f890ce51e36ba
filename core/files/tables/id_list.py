"""Lists of ids, such as erasure requests.

A CSV file of record or subject ids, looked up in a case.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.case.arguments import check_choice
from core.case.case import Case, check_case
from core.case.records import nearest_id
from core.errors import InputError, InputTypeError, listed, nearest
from core.files.tables.csv_format import find_delimiter, find_encoding
from core.files.tables.id_spelling import match_ids, spelled_otherwise
from core.files.tables.limits import MIB, Source, read_source
from core.former import formerly

MAX_BYTES = 50 * MIB


@dataclass(frozen=True)
class IdList:
    """A list of ids, looked up in a case.

    Parameters
    ----------
    by : {"record", "subject"}
        What the ids name.
    column : str
        The column they were read from; empty where the file has no line of names.
    found : Index
        Ids with a retained record, each once, in the order of the list.
    records : Index
        The retained records they stand for: the same ids, or all records of these subjects.
    duplicates : tuple
        Ids listed more than once.
    unknown : tuple of str
        Ids that no training record has, each once; the notes say which of them are of rows to explore or confirm on.
    forgotten : tuple
        Ids whose records are all removed already.
    n_listed : int
        Ids in the file, repeats included.
    notes : tuple of str
        What is to be said about the list, a sentence each.
    """

    by: str
    column: str
    found: pd.Index[Any]
    records: pd.Index[Any]
    duplicates: tuple[Any, ...]
    unknown: tuple[str, ...]
    forgotten: tuple[Any, ...]
    n_listed: int
    notes: tuple[str, ...]


@formerly()
def read_ids(case: Case, source: Source, *, by: str | None = None, column: str | None = None) -> IdList:
    r"""Read a CSV file of ids and look them up in a case: O(ids + training rows).

    Parameters
    ----------
    case : Case
    source : str, Path, bytes or binary file
        The file. Its ids stand in the column named `column`, or like the record or subject id, or in its only one.
    by : {"record", "subject"}, optional
        What the ids name. None: what their column is called, or of which more are known.
    column : str, optional
        The column with the ids.

    Returns
    -------
    IdList
        Unknown, repeated and removed ids are reported, not raised.

    Raises
    ------
    InputError
        If the file is missing, empty, not text, or leaves open which column holds the ids; the nearest names are offered.
    LimitError
        If it is larger than 50 MB.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, read_ids
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 1, 0, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> found = read_ids(case, b"record\n3\n7\n7\n99\n")
    >>> found.found.tolist(), found.duplicates, found.unknown
    ([3, 7], (7,), ('99',))
    """
    check_case(case)
    if by is not None:
        check_choice("by", by, ("record", "subject"))
    if column is not None and not isinstance(column, str):
        raise InputTypeError(f"`column` must be the name of a column of the list. Got {column!r} instead.")
    known = {name: ids for name, ids in _known(case).items() if by in (None, name)}
    if not known:
        raise InputError(
            "A list of subjects needs a subject column. Roles.subject_id is not set; name it, or list record ids."
        )
    heading, texts = _texts(list(_rows(source)), known, column)
    if not texts:
        raise InputError("A list of ids must hold at least one id. Got none; add a line for each.")
    return _looked_up(case, _meant(known, heading, texts), heading, texts)


def columns_of(source: Source) -> list[str]:
    r"""Return the cells of a list's first line: the names of its columns, where it has names.

    Raises
    ------
    InputError
        If the file is empty or not text.

    Examples
    --------
    >>> columns_of(b"customer;since\n7;2019\n")
    ['customer', 'since']
    """
    return next(_rows(source))


def _known(case: Case) -> dict[str, pd.Index[Any]]:
    """Return the ids that a list may name, by what they name."""
    subjects = case.subject_ids
    return {"record": case.record_ids} | ({} if subjects is None else {"subject": subjects})


def _rows(source: Source) -> Iterator[list[str]]:
    """Yield the cells of every line that is not blank; there is at least one."""
    data = read_source(source, "list of ids", MAX_BYTES)
    encoding, _ = find_encoding(data)
    try:
        text = data.decode(encoding)
        if "\x00" in text:
            raise InputError("A list of ids must be text. Got a binary file; save it as CSV.")
        lines = [line for line in text.splitlines() if line.strip()]
        delimiter = ","
        if any(mark in line for line in lines[:1] for mark in ",;\t|"):
            delimiter = find_delimiter(lines[:1000])
        empty = True
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if "".join(row).strip():
                empty = False
                yield [cell.strip() for cell in row]
    except (UnicodeError, csv.Error) as error:
        raise InputError(f"A list of ids must be a CSV file. It is not ({error}); save it again.") from error
    if empty:
        raise InputError("A list of ids must hold at least one id. Got an empty file; add a line for each.")


def _texts(rows: list[list[str]], known: dict[str, pd.Index[Any]], column: str | None) -> tuple[str, list[str]]:
    """Return the name of the column with the ids, empty where there is none, and its cells."""
    names = [str(ids.name or what) for what, ids in known.items()] if column is None else [column]
    for name in names:
        if name in rows[0]:
            place = rows[0].index(name)
            return name, [row[place] for row in rows[1:] if len(row) > place and row[place]]
    if column is None and all(len(row) == 1 for row in rows):
        texts = [row[0] for row in rows]
        return _without_heading(texts, known)
    raise InputError(
        f"A list of ids must have one column, or one called {' or '.join(map(repr, names))}. Got {listed(rows[0])}; "
        f"rename it, or say which column it is.{nearest(names[0], rows[0])}"
    )


def _without_heading(texts: list[str], known: dict[str, pd.Index[Any]]) -> tuple[str, list[str]]:
    """Take the first line for a name where it is no id and the next one is."""
    if len(texts) > 1:
        first, second = (any(_is_known(text, ids) for ids in known.values()) for text in texts[:2])
        if second and not first:
            return texts[0], texts[1:]
    return "", texts


def _is_known(text: str, known: pd.Index[Any]) -> bool:
    return bool(known.isin(match_ids([text], known)).any())


def _meant(known: dict[str, pd.Index[Any]], heading: str, texts: list[str]) -> str:
    """Return what the ids name: by the name of their column, or of which more are known."""
    for what, ids in known.items():
        if heading == str(ids.name or what):
            return what
    return max(known, key=lambda what: int(pd.Index(match_ids(texts, known[what])).isin(known[what]).sum()))


def _looked_up(case: Case, by: str, heading: str, texts: list[str]) -> IdList:
    known = _known(case)[by]
    wanted = pd.Series(match_ids(texts, known), dtype=object)
    once = wanted.drop_duplicates()
    exists, kept = once.isin(known), once.isin(known[case.retained])
    found = pd.Index(once[kept].tolist(), name=known.name)
    unknown = tuple(str(one) for one in once[~exists])
    forgotten, duplicates = tuple(once[exists & ~kept]), tuple(wanted[wanted.duplicated()].unique())
    rows = np.flatnonzero(known.isin(found) & case.retained) if by == "subject" else None
    records = found if rows is None else case.record_ids[rows]
    notes = []
    if otherwise := spelled_otherwise(texts, wanted.tolist(), known):
        notes.append(otherwise)
    if unknown:
        notes += _about_unknown(unknown, known, _of_test_rows(case, by), len(once))
    if forgotten:
        notes.append(f"{len(forgotten):,} {_were(forgotten)} removed already: {listed(forgotten)}.")
    if duplicates:
        notes.append(f"{len(duplicates):,} {_were(duplicates)} listed more than once: {listed(duplicates)}.")
    return IdList(by, heading, found, records, duplicates, unknown, forgotten, len(texts), tuple(notes))


def _of_test_rows(case: Case, by: str) -> pd.Index[Any]:
    """Return the ids of the rows not trained on, so far as a column names them."""
    column = case.roles.record_id if by == "record" else case.roles.subject_id
    return pd.Index(case.test[column]) if column in case.test else pd.Index([])


def _about_unknown(unknown: tuple[str, ...], known: pd.Index[Any], tested: pd.Index[Any], n_ids: int) -> list[str]:
    """Return a sentence on ids without a training record.

    That they are of test rows, or of nothing at all.
    """
    in_test = pd.Index(match_ids(unknown, tested)).isin(tested) if len(tested) else np.zeros(len(unknown), dtype=bool)
    rows, nowhere = ([one for one, hit in zip(unknown, in_test, strict=True) if hit == test] for test in (True, False))
    notes = []
    if rows:
        what = "is of a row" if len(rows) == 1 else "are of rows"
        notes.append(
            f"{len(rows):,} of {n_ids:,} ids {what} to explore or confirm on: {listed(rows)}. The model was not trained on them, so "
            "there is nothing to remove."
        )
    if nowhere:
        what = "is of no training record" if len(nowhere) == 1 else "are of no training record"
        notes.append(f"{len(nowhere):,} of {n_ids:,} ids {what}: {listed(nowhere)}.{_hint(nowhere, known)}")
    return notes


def _hint(texts: list[str], known: pd.Index[Any]) -> str:
    """Return the kind of ids a case has where texts are of another, or the nearest ids."""
    if not pd.api.types.is_numeric_dtype(known):
        return nearest_id(texts[0], known)
    words = [text for text in texts if np.isnan(pd.to_numeric(text, errors="coerce"))]
    return f" Ids of this case are numbers such as {known[0]}; {listed(words)} {_is(words)} none." if words else ""


def _is(texts: list[str]) -> str:
    return "is" if len(texts) == 1 else "are"


def _were(ids: tuple[Any, ...]) -> str:
    return "was" if len(ids) == 1 else "were"
