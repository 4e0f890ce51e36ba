"""Two tables are read as the model learned them, alike, and as a person says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError, InputTypeError
from core.files.tables.read import LoadedTable
from tests.case.readings.test_conform import CODES, fitted, table_of


def loaded(table: pd.DataFrame) -> LoadedTable:
    return core.read_table(table.to_csv(index=False).encode())


@pytest.mark.parametrize("codes", [*CODES.values(), ["1.1", "1.10", "2.5"], ["NA", "None", "EU"]], ids=str)
def test_tables_score_as_they_did(codes: list[Any]) -> None:
    train, test = table_of(codes, 1), table_of(codes, 2)
    model, roles = fitted(train), core.Roles("granted", 1, 1, ["sex"])
    settled = core.settle_tables(loaded(train), loaded(test), model, target="granted")
    assert settled.test is not None
    case = core.Case(model, settled.train, settled.test, roles, confirm=False)
    assert case.readings == ()  # nothing is left to do
    straight = core.Case(model, train, test, roles, confirm=False)
    np.testing.assert_array_equal(case.scores("test"), straight.scores("test"))


def test_what_was_changed_is_listed_with_the_other_reading() -> None:
    train, test = table_of(["1.1", "1.10", "2.5"], 1), table_of(["1.1", "2.5"], 2)
    settled = core.settle_tables(loaded(train), loaded(test), fitted(train), target="granted")
    (code,) = settled.changed
    assert (code.column, code.read_as, code.instead, code.changed) == ("code", "text", "numbers", 1200)
    assert "'code' as text, 1,200 cells: its cells are the model's categories" in repr(settled)
    back = core.settle_tables(loaded(train), loaded(test), fitted(train), readings={"code": code.instead})
    assert back.train["code"].tolist() == train["code"].astype(float).tolist()
    assert [one.instead for one in back.changed] == []  # as at first
    assert settled.to_frame()["column"].tolist() == train.columns.tolist()


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("numbers", [1234.5, None, 3.0, None]),
        ("text", ["1.234,5", "NA", "3,0", None]),
        ("text with gaps", ["1.234,5", None, "3,0", None]),
    ],
)
def test_each_reading_of_a_column(kind: str, read: list[object]) -> None:
    table = core.read_table(b"a;b\nx;1.234,5\ny;NA\nz;3,0\nw;\n", decimal=",", thousands=".")
    column = core.settle_tables(table, readings={"b": kind}).train["b"]
    assert [None if pd.isna(cell) else cell for cell in column] == read


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2024-02-03", "", "2024-12-31"], ["2024-02-03", None, "2024-12-31"]),
        (["03.02.2024", "31.12.2024", "x"], ["2024-02-03", "2024-12-31", None]),
        (["02/03/2024", "12/31/2024", ""], ["2024-02-03", "2024-12-31", None]),
        (["13/02/2024", "01/02/2024", ""], ["2024-02-13", "2024-02-01", None]),
        (["2024-02-03T10:00:00+02:00", "2024-02-03T10:00:00Z", ""], ["2024-02-03", "2024-02-03", None]),
    ],
)
def test_dates_are_offered_and_read(cells: list[str], days: list[str | None]) -> None:
    table = loaded(pd.DataFrame({"since": cells, "a": [1, 2, 3]}))
    assert core.settle_tables(table).readings[0].instead == "dates"
    settled = core.settle_tables(table, readings={"since": "dates"})
    assert settled.readings[0].read_as == "dates"
    found = settled.train["since"].dt.strftime("%Y-%m-%d")
    assert [None if pd.isna(day) else day for day in found] == days


def test_truth_values() -> None:
    table = loaded(pd.DataFrame({"on": ["1", "0", ""], "a": [1, 2, 3]}))
    assert core.settle_tables(table, readings={"on": "truth values"}).train["on"].tolist()[:2] == [True, False]


def test_text_in_one_table_is_text_in_both() -> None:
    train = loaded(pd.DataFrame({"area": ["07", "12"] * 20, "a": range(40)}))
    test = loaded(pd.DataFrame({"area": ["1.10", "12"] * 20, "a": range(40)}))
    settled = core.settle_tables(train, test)
    assert settled.test is not None
    assert set(settled.test["area"]) == {"1.10", "12"}
    assert settled.changed[0].why == "it is text in the other table."


def test_labels_are_read_as_the_model_s_classes() -> None:
    table = table_of([1, 2])
    model = LogisticRegression().fit(table[["income"]], table["granted"].astype(str))
    settled = core.settle_tables(loaded(table), None, model, target="granted")
    assert set(settled.train["granted"]) == {"0", "1"}
    assert settled.test is None


def test_bad_readings_are_sentences() -> None:
    table = core.read_table(b"a,b\n1,2\n")
    with pytest.raises(InputError, match="must name columns"):
        core.settle_tables(table, readings={"c": "text"})
    with pytest.raises(InputError, match="Did you mean 'numbers'"):
        core.settle_tables(table, readings={"a": "number"})
    with pytest.raises(InputTypeError, match=r"core\.read_table"):
        core.settle_tables(table.frame)  # type: ignore[arg-type]
