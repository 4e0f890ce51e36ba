"""Lists of ids looked up in a case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import core
from core.files.tables.id_spelling import match_ids
from core.files.tables.limits import MIB


@pytest.fixture(scope="module")
def case(small_case: core.Case) -> core.Case:
    train = small_case.train.assign(account=np.arange(1500) // 3)
    made = core.Case(
        small_case.model, train, small_case.test, small_case.roles.with_(subject_id="account"), confirm=False
    )
    return core.unlearn(made, ["p0", "p1", "p2", "p4"], method="refit").case


def test_what_is_found_repeated_unknown_and_gone(case: core.Case) -> None:
    ids = core.read_ids(case, b"person\np9\np7\np9\nnobody\np4\n\np9\nnobody\n")
    assert (ids.by, ids.column, ids.n_listed) == ("record", "person", 7)
    assert ids.found.tolist() == ids.records.tolist() == ["p9", "p7"]
    assert (ids.duplicates, ids.unknown, ids.forgotten) == (("p9", "nobody"), ("nobody",), ("p4",))
    assert [note.split(":")[0] for note in ids.notes] == [
        "1 of 4 ids is of no training record",
        "1 was removed already",
        "2 were listed more than once",
    ]
    assert core.unlearn(case, ids.found).n_forgotten == 2


def test_ids_of_test_rows_are_told_from_unknown_ones(small_case: core.Case) -> None:
    name, row = "person", "t0"
    test = small_case.test.assign(person=[f"t{number}" for number in range(len(small_case.test))])
    case = core.Case(small_case.model, small_case.train, test, small_case.roles)
    ids = core.read_ids(case, f"{name}\np9\n{row}\nnobody\n".encode())
    assert ids.unknown == (row, "nobody")
    assert ids.notes[0].startswith(
        f"1 of 3 ids is of a row to explore or confirm on: {row!r}. The model was not trained"
    )
    assert ids.notes[1].startswith("1 of 3 ids is of no training record: 'nobody'.")
    only = core.read_ids(case, f"{name}\n{row}\n".encode())
    assert len(only.notes) == 1


def test_subjects_stand_for_their_retained_records(case: core.Case) -> None:
    ids = core.read_ids(case, "account;note\n1;x\n2;y\n0;z\n700;z\n".encode("utf-16"))
    assert (ids.by, ids.column) == ("subject", "account")
    assert ids.found.tolist() == [1, 2]
    assert ids.records.tolist() == ["p3", "p5", "p6", "p7", "p8"]
    assert (ids.unknown, ids.forgotten) == (("700",), (0,))


def test_only_words_are_called_words_among_numbers(case: core.Case) -> None:
    said = core.read_ids(case, b"account\n1\n700\nrow\n", by="subject").notes[0]
    assert said.startswith(
        "2 of 3 ids are of no training record: '700', 'row'. Ids of this case are numbers such as 0; 'row' is none."
    )
    assert core.read_ids(case, b"account\n1\n700\n", by="subject").notes[0].endswith("of no training record: '700'.")


@pytest.mark.parametrize(
    ("content", "options", "by", "found"),
    [
        (b"p9\np7", {}, "record", ["p9", "p7"]),
        (b"the list\np9\n", {}, "record", ["p9"]),
        (b"17\n18\n", {}, "subject", [17, 18]),
        (b"17.0\n", {"by": "subject"}, "subject", [17]),
        (b"who,why\np9,a\n", {"column": "who"}, "record", ["p9"]),
        (b"account\tperson\n17\tp9\n", {"by": "subject"}, "subject", [17]),
        (b"account\tperson\n17\tp9\n", {}, "record", ["p9"]),
        ("Anm\u00fcrkung;person\nf\u00fcr;p9\n".encode("cp1252"), {}, "record", ["p9"]),
    ],
)
def test_how_lists_are_written(case: core.Case, content: bytes, options: Any, by: str, found: list[Any]) -> None:
    ids = core.read_ids(case, content, **options)
    assert (ids.by, ids.found.tolist()) == (by, found)
    assert not ids.notes


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"persn,note\np9,x\n", {}, "one called 'person' or 'account'. Got 'persn', 'note'.*Did you mean 'persn'"),
        (b"person,note\np9,x\n", {"column": "persons"}, "one called 'persons'.*Did you mean 'person'"),
        (b"", {}, "Got an empty file"),
        (b"person\n", {}, "at least one id. Got none"),
        (b"p9\x00\x01\xff\x00\x02", {}, "must be text"),
        (b"p9\n", {"by": "name"}, "one of record, subject"),
    ],
)
def test_what_is_no_list_is_refused(case: core.Case, content: bytes, options: Any, said: str) -> None:
    with pytest.raises(core.RedressError, match=said):
        core.read_ids(case, content, **options)


def test_subjects_need_their_column_and_lists_have_a_limit(small_case: core.Case) -> None:
    with pytest.raises(core.RedressError, match="needs a subject column"):
        core.read_ids(small_case, b"1\n", by="subject")
    with pytest.raises(core.RedressError, match="at most 50 MB"):
        core.read_ids(small_case, b"p" * (50 * MIB + 1))


def test_numbers_are_matched_however_they_were_written() -> None:
    assert match_ids(["7", "7.0", "8"], pd.Index([7.0, 9.5])) == [7.0, 7.0, "8"]
