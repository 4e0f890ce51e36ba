"""Rows are named by ids; masks and positions still work where they cannot be ids, or were handed in as positions once were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.case.naming import Named
from core.errors import InputError, InputTypeError

NAMES = {
    "text": pd.Index(["a", "b", "c", "d"], name="person"),
    "other numbers": pd.Index([40, 30, 20, 10]),
    "mixed up": pd.Index([2, 3, 0, 1]),
    "positions": pd.RangeIndex(4),
}


def rows(name: str) -> Named:
    return Named(NAMES[name], "record", "names[positions]")


@pytest.mark.parametrize(
    ("name", "given", "found"),
    [
        ("text", ["c", "a"], [2, 0]),
        ("text", pd.Series(["d"]), [3]),
        ("text", [], []),
        ("other numbers", [20, 40], [2, 0]),
        ("other numbers", np.array([20, 40]), [2, 0]),
        ("mixed up", [3, 0], [1, 2]),
        ("mixed up", pd.Index([3, 0]), [1, 2]),
        ("positions", np.array([3, 0]), [3, 0]),
        ("positions", (3, 0), [3, 0]),
    ],
)
def test_names_give_positions_without_a_warning(name: str, given: Any, found: list[int]) -> None:
    assert rows(name).positions(given).tolist() == found


@pytest.mark.parametrize(
    ("name", "given", "found"),
    [
        ("text", [2, 0], [2, 0]),
        ("text", np.array([True, False, True, False]), [0, 2]),
        ("positions", np.array([True, False, True, False]), [0, 2]),
        ("other numbers", [2, 0], [2, 0]),
        ("mixed up", np.array([3, 0]), [3, 0]),
    ],
)
def test_positions_and_masks_work_with_a_warning(name: str, given: Any, found: list[int]) -> None:
    with pytest.warns(DeprecationWarning, match=r"will go. Write names\[positions\]"):
        assert rows(name).positions(given).tolist() == found


def test_what_is_said_settles_it() -> None:
    assert rows("mixed up").positions(np.array([3, 0]), "record").tolist() == [1, 2]
    with pytest.warns(DeprecationWarning, match="by position will go"):
        assert rows("mixed up").positions([3, 0], "position").tolist() == [3, 0]


@pytest.mark.parametrize(
    ("name", "given", "error", "words"),
    [
        ("text", ["e"], InputError, "Unknown: 'e'"),
        ("text", [9], InputError, "Ids of this case are text such as 'a'"),
        ("positions", [4], InputError, "Unknown: 4"),
        ("positions", [-1], InputError, "Unknown: -1"),
        ("other numbers", [20, 7], InputError, "Unknown: 7"),
        ("text", np.ones(3, dtype=bool), InputError, "must have 4 values. Got 3"),
        ("text", "a", InputTypeError, r"write \['a'\]"),
        ("text", 5, InputTypeError, "as a list"),
        ("text", [["a"]], InputTypeError, "flatten it"),
        ("text", np.array([["a"]]), InputTypeError, "shape"),
    ],
)
def test_what_names_nothing_is_refused(name: str, given: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        rows(name).positions(given)
