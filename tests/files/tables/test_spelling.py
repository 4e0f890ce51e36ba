"""Cells keep their spelling where numbers or missing cells would lose it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas._libs.parsers import STR_NA_VALUES
from sklearn.linear_model import LogisticRegression

import core
from core.case.readings.alike import MISSING_WORDS, READ_AS_MISSING
from core.errors import InputError, InputTypeError
from core.files.tables.read import read_table, safe_for_csv


def test_the_words_for_missing_are_those_of_pandas() -> None:
    assert set(MISSING_WORDS) == STR_NA_VALUES - {""}


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["01067", "10115"], ["01067", "10115"]),
        (["01067", "", "NA"], ["01067", None, None]),
        (["+4915112345", "+331234567"], ["+4915112345", "+331234567"]),
        (["12345678901234567890123", "7"], ["12345678901234567890123", "7"]),
        (["9007199254740993", ""], ["9007199254740993", None]),
        (["9007199254740993", "1"], [9007199254740993, 1]),
        (["+1", "-2"], [1, -2]),
        (["0", "10"], [0, 10]),
        (["0.5", "00.25"], [0.5, 0.25]),
        (["12e5", "2"], ["12e5", "2"]),
        (["1e+05", "2"], [1e5, 2.0]),
        (["1e5", "2.5"], [1e5, 2.5]),
        (["True", "FALSE"], [True, False]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_codes_stay_text_and_numbers_are_numbers(cells: list[str], read: list[object], encoding: str) -> None:
    data = "a,code\n" + "".join(f"x,{cell}\n" for cell in cells)
    column = read_table(data.encode(encoding)).frame["code"]
    assert [None if pd.isna(value) else value for value in column.tolist()] == read
    assert [type(value) for value in column.dropna()] == [type(value) for value in read if value is not None]


def test_which_words_were_read_as_missing_is_kept_and_said() -> None:
    data = b"a,b,n\nx,None,1\ny,None,NA\n,z,2\n"
    table = read_table(data)
    assert table.frame["b"].isna().tolist() == [True, True, False]
    assert table.frame.attrs[READ_AS_MISSING] == {"b": {"None": 2}}
    assert "2 cells of 'b' are read as missing: 'None'" in table.notes[0]
    assert read_table(data, text=["b", "n"]).frame["b"].tolist() == ["None", "None", "z"]
    assert read_table(data, text=["b", "n"]).frame["n"].tolist() == ["1", "NA", "2"]
    assert table.spelled(["n", "b"]).loc[1].tolist() == ["NA", "None"]


def test_columns_to_keep_as_text_must_be_there() -> None:
    with pytest.raises(InputError, match="Did you mean 'code'"):
        read_table(b"a,code\n1,2\n", text=["kode"])
    with pytest.raises(InputTypeError, match="list of column names"):
        read_table(b"a,code\n1,2\n", text="code")


CELLS = st.text(st.sampled_from("ab=+-@' 017\t"), min_size=1, max_size=6).filter(
    lambda cell: cell.strip() == cell and not cell.startswith('"')
)


@settings(max_examples=200, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=8), st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_exported_reads_back_the_same(cells: list[str], number: float) -> None:
    words = ["word", *cells]  # so that the column is one of text
    table = pd.DataFrame({"=name": words, "n": [number] * len(words), "on": [True] * len(words)})
    read = read_table(safe_for_csv(table).to_csv(index=False).encode(), decimal=".", thousands=None, delimiter=",")
    pd.testing.assert_frame_equal(read.frame, table, check_exact=True)


@pytest.mark.parametrize(
    ("ids", "listed", "means"),
    [
        ([f"{i:06d}" for i in range(60)], "000017", "000017"),
        ([f"{i:06d}" for i in range(60)], "17", "000017"),
        ([f"+49{i:07d}" for i in range(60)], "+490000017", "+490000017"),
        ([f"+49{i:07d}" for i in range(60)], "'+490000017", "+490000017"),
        ([f"+49{i:07d}" for i in range(60)], "490000017", "+490000017"),
        (list(range(1000, 1060)), "1,017", 1017),
        (list(range(1000, 1060)), "01017", 1017),
        (["12e5", *(str(i) for i in range(1, 60))], "1200000", None),
    ],
)
def test_a_list_finds_its_records_however_ids_are_spelled(ids: list[object], listed: str, means: object) -> None:
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {"customer": ids, "sex": generator.choice(["f", "m"], 60), "income": generator.normal(size=60)}
    )
    table["granted"] = (table["income"] + generator.normal(size=60) > 0).astype(int)
    model = LogisticRegression().fit(table[["income"]], table["granted"])
    read = read_table(safe_for_csv(table).to_csv(index=False).encode()).frame
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="customer")
    case = core.Case(model, train=read, test=read, roles=roles, confirm=False)
    found = core.read_ids(case, f'customer\n"{listed}"\n'.encode())
    assert found.found.tolist() == ([] if means is None else [means])
    said = any("spelled otherwise" in note for note in found.notes)
    assert said == (means is not None and str(means) != listed)


def test_ids_that_read_alike_are_told_apart_by_their_spelling_alone() -> None:
    table = pd.DataFrame({"customer": ["017", "17", *map(str, range(30, 58))], "sex": ["f", "m"] * 15})
    table["granted"] = [0, 0, 1, 1, 1] * 6
    table["income"] = table["granted"] * 1.0 + np.arange(30) / 9
    model = LogisticRegression().fit(table[["income"]], table["granted"])
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="customer")
    case = core.Case(model, train=table, test=table, roles=roles, confirm=False)
    found = core.read_ids(case, b"customer\n17\n017\n0017\n")
    assert (found.found.tolist(), found.unknown) == (["17", "017"], ("0017",))
