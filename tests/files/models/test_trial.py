"""The first scoring of given rows: in a child; slow models are refused with a figure, and waiting for one can be cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

import core
from core.errors import InputError, LimitError
from core.files.models import trial
from core.files.models.isolation.frames import pack_frame, unpack_frame
from core.files.models.isolation.messages import pack, unpack
from core.files.models.opening import ModelFile
from core.files.models.proving import as_skops
from core.files.models.trial import expected_seconds, first_scoring
from core.files.tables.limits import ModelLimits
from tests.conftest import make_pipeline_for, make_table

ROLES = core.Roles("granted", 1, 1, ["sex"])


@pytest.fixture
def parts() -> tuple[ModelFile, pd.DataFrame, pd.DataFrame]:
    train, test = make_table(300, 1), make_table(1000, 2)
    model = make_pipeline_for(train)
    return ModelFile(model, data=as_skops(model)), train, test


def slow(call_s: float, row_s: float) -> Callable[[int, int], None]:
    """Scoring that takes so long for a call and for each row."""
    return lambda first, last: time.sleep(call_s + row_s * (last - first))


def test_given_rows_are_scored_in_a_child_as_they_are_here(parts: tuple[ModelFile, pd.DataFrame, pd.DataFrame]) -> None:
    opened, train, test = parts
    found = first_scoring(opened, train, test, ROLES)
    assert found.n_scored == len(test) + len(train)
    assert 0.0 <= found.seconds < 60.0
    np.testing.assert_array_equal(found.scores, opened.model.predict_proba(test))


def test_what_a_call_costs_is_not_taken_for_what_a_row_costs() -> None:
    assert expected_seconds(slow(0.6, 0.0), 1000, 1000, replace(ModelLimits(), max_seconds=10.0)) < 5.0


def test_slow_rows_are_refused_with_what_all_would_take() -> None:
    limits = replace(ModelLimits(), max_seconds=10.0)
    with pytest.raises(LimitError, match=r"64 rows took .* all 1,000 would take about"):
        expected_seconds(slow(0.0, 0.02), 1000, 1000, limits)
    with pytest.raises(LimitError, match=r"1 row took"):
        expected_seconds(slow(0.2, 0.0), 4, 4, replace(limits, max_seconds=0.1))


def test_a_busy_moment_refuses_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.01, 2.0, 0.02, *[0.02] * 9])
    monkeypatch.setattr(trial, "_timed", lambda *_: next(seconds))
    assert expected_seconds(slow(0.0, 0.0), 20_000, 20_000, ModelLimits(max_seconds=60.0)) < 1.0


def test_a_call_that_does_not_come_back_is_refused_and_can_be_cancelled() -> None:
    random = np.random.default_rng(0)
    names = [f"x{place}" for place in range(200)]
    train = pd.DataFrame(random.normal(size=(20_000, 200)), columns=names)
    model = KNeighborsClassifier(5, algorithm="brute", metric="minkowski", p=1.5).fit(train, np.arange(20_000) % 2)
    table = train.assign(granted=np.arange(20_000) % 2, sex="f")
    opened = ModelFile(model, data=as_skops(model))
    start = time.monotonic()
    with pytest.raises(LimitError, match=r"within|would take"):
        first_scoring(opened, table, table, ROLES, limits=replace(ModelLimits(), max_seconds=1.0))
    assert time.monotonic() - start < 60

    def cancel() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first_scoring(opened, table, table, ROLES, looking=cancel)


def test_what_does_not_fit_is_refused_and_bad_rows_are_left_to_the_case(
    parts: tuple[ModelFile, pd.DataFrame, pd.DataFrame],
) -> None:
    opened, train, test = parts
    with pytest.raises(InputError, match="income"):
        first_scoring(opened, train, test.drop(columns="income"), ROLES)
    words = test.assign(income="much")
    assert first_scoring(opened, train, words, ROLES).scores is None
    with pytest.raises(InputError, match="able to score every row"):
        core.Case(opened.model, train=train, test=words, roles=ROLES)


def test_tables_come_to_the_child_as_they_are() -> None:
    def held(*values: Any) -> pd.Series:
        return pd.Series(list(values), dtype=object)

    frame = pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "real": np.array([1.5, np.nan, 2.0], dtype=np.float32),
            "text": ["x", None, "y"],
            "true": [True, False, True],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "category": pd.Categorical(["u", "v", "u"]),
            "date": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
            "missing": held("x", None, np.nan),
            "mixed": held(1, "a", 2.5),
        }
    )
    back = unpack_frame(unpack(pack(pack_frame(frame.set_axis([5, 6, 7])))))
    pd.testing.assert_frame_equal(back, frame)
    assert back["missing"][1] is None
    assert unpack_frame(pack_frame(frame[["mixed"]])).shape == (3, 1)
