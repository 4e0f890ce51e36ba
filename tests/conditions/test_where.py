"""Conditions on rows: what they choose, against pandas and against the rules that print them, and what is said of wrong ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.conditions.where import parse_where, rows_where
from core.errors import InputError, InputTypeError
from core.rules.conditions import Condition, rule_text

TABLE = pd.DataFrame(
    {
        "age": [20.0, 30.0, 40.5, np.nan, 60.0],
        "month": ["2025-05", "2025-06", "2025-07", "2025-08", None],
        "day": pd.to_datetime(["2025-06-30 00:00", "2025-07-01 00:00", "2025-07-31 18:00", "2025-08-01 00:00", None]),
        "branch": ["north", "south and east", "it's", 'the "old" one', "north"],
        "marital status": ["single", "married", "single", "single", "married"],
        "status": pd.Categorical(["low", "high", "mid", "low", "mid"], ["low", "mid", "high"], ordered=True),
        "vip": [True, False, True, False, False],
        "code": ["01", "1", "2", "03", "4"],
        "children": pd.array([0, 1, 2, None, 3], dtype="Int64"),
    }
)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("age >= 30", [1, 2, 4]),
        ("age > 30", [2, 4]),
        ("25 <= age < 40.5", [1]),
        ("25 < age <= 40.5", [1, 2]),
        ("30 < age", [2, 4]),
        ("age = 30", [1]),
        ("age != 30", [0, 2, 4]),
        ("age is missing", [3]),
        ("age is not missing and age < 4.1e1", [0, 1, 2]),
        ("month >= '2025-07'", [2, 3]),
        ("month < '2025-06'", [0]),
        ("day >= '2025-07'", [1, 2, 3]),
        ("day <= '2025-07'", [0, 1, 2]),
        ("day > '2025-07'", [3]),
        ("day < '2025-07'", [0]),
        ("day = '2025-07-31'", [2]),
        ("'2025-07-01' <= day < '2025-08'", [1, 2]),
        ("branch = 'south and east' and age < 50", [1]),
        ('branch = "it\'s"', [2]),
        ("branch = 'it\\'s'", [2]),
        ("branch = 'the \"old\" one'", [3]),
        ("branch in ('north', \"it's\")", [0, 2, 4]),
        ("marital status = 'married' AND branch != 'north'", [1]),
        ("`marital status`='single' and status >= 'mid'", [2]),
        ("vip = True", [0, 2]),
        ("vip != True and month is not missing", [1, 3]),
        ("code = '1'", [1]),
        ("children >= 1 and children != 2", [1, 4]),
    ],
)
def test_conditions_hold_for_the_rows_they_say(where: str, rows: list[int]) -> None:
    assert np.flatnonzero(rows_where(TABLE, where)).tolist() == rows


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_rules_print_is_read_as_the_same_rows(data: st.DataObject) -> None:
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    table = pd.DataFrame(
        {
            "income": np.where(draw.random(40) < 0.1, np.nan, draw.normal(0, 1e3, 40)),
            "n or none": draw.integers(-3, 4, 40).astype(np.float64),
            "who's": draw.choice(["a", "b'c", 'd"e', "f\\g", "and h = 1"], 40),
            "flag": draw.random(40) < 0.5,
        }
    )
    ends = np.sort(draw.choice(table["income"].dropna(), 2, replace=False))
    some = [
        Condition("income", low=float(ends[0]), high=float(ends[1])),
        Condition("income", low=float(ends[0])),
        Condition("income", high=float(ends[1])),
        Condition("income"),
        Condition("n or none", equals=float(table["n or none"].iloc[0])),
        Condition("who's", equals=table["who's"].iloc[1]),
        Condition("flag", equals=bool(table["flag"].iloc[2])),
    ]
    chosen = tuple(some[place] for place in draw.choice(len(some), data.draw(st.integers(1, 3)), replace=False))
    expected = np.all([one.holds(table) for one in chosen], axis=0)
    np.testing.assert_array_equal(rows_where(table, rule_text(chosen)), expected)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("ag > 3", "must name columns of the table. Got 'ag' .* Did you mean 'age'"),
        ("branch = 'nort'", "No row has branch = 'nort'. Did you mean 'north'"),
        ("branch in ('north', 'norht')", "No row has branch = 'norht'. Did you mean 'north'"),
        ("age = 31", "No row has age = 31. The nearest are 20, 30, 40.5"),
        ("status > 'middle'", "'status' has no 'middle'.* Did you mean 'mid'"),
        ("age = '30'", "Numbers must be compared with numbers"),
        ("month > 7", "Texts must be compared with texts"),
        ("day > 'soon'", "Dates must be compared with dates"),
        ("vip > True", "have no order"),
        ("age", "after a column one of =, !="),
        ("age >", "a number, True or False, or a text"),
        ("branch = north", "a number, True or False, or a text"),
        ("age > 3 or age < 2", "joined by 'and'"),
        ("not age > 3", "joined by 'and'"),
        ("age > 3 and", "must name columns"),
        ("branch in ('north' 'south')", "with commas between"),
        ("__import__('os').system('true')", "must name columns"),
        ("branch = f'{1}'", "a number, True or False, or a text"),
        ("  ", "Got an empty text"),
    ],
)
def test_wrong_conditions_end_in_a_sentence(where: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rows_where(TABLE, where)


def test_a_condition_is_text() -> None:
    with pytest.raises(InputTypeError, match="as text"):
        parse_where(["age > 3"], TABLE.columns)  # type: ignore[arg-type]
