"""The time limit at the door: slow models are refused with a figure, and waiting for one can be cancelled."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import core
from core.errors import InputError, LimitError
from core.files.models import trial
from core.files.models.trial import expected_seconds
from core.files.tables.limits import ModelLimits
from tests.conftest import make_pipeline_for, make_table

ROLES = core.Roles("granted", 1, 1, ["sex"])


@pytest.fixture
def parts() -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    train, test = make_table(300, 1), make_table(1000, 2)
    return make_pipeline_for(train), train, test


def slowed(model: Any, call_s: float, row_s: float) -> Any:
    """The model with a predict_proba that takes so long for a call and for each row."""
    fast = model.steps[-1][1].predict_proba

    def slow(X: Any) -> Any:
        time.sleep(call_s + row_s * len(X))
        return fast(X)

    model.steps[-1][1].predict_proba = slow
    return model


def test_what_a_call_costs_is_not_taken_for_what_a_row_costs(parts: tuple[Any, pd.DataFrame, pd.DataFrame]) -> None:
    model, train, test = parts
    limits = replace(ModelLimits(), max_seconds=10.0)
    assert expected_seconds(slowed(model, 0.6, 0.0), train, test, ROLES, limits=limits) < 5.0


def test_slow_rows_are_refused_with_what_all_would_take(parts: tuple[Any, pd.DataFrame, pd.DataFrame]) -> None:
    model, train, test = parts
    limits = replace(ModelLimits(), max_seconds=10.0)
    with pytest.raises(LimitError, match=r"64 rows took .* all 1,000 would take about"):
        expected_seconds(slowed(model, 0.0, 0.02), train, test, ROLES, limits=limits)


def test_a_busy_moment_refuses_no_model(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, train, test = parts
    seconds = iter([0.01, 2.0, 0.02, *[0.02] * 9])
    monkeypatch.setattr(trial, "_trial", lambda *_: next(seconds))
    many = pd.concat([test] * 20, ignore_index=True)
    assert expected_seconds(model, train, many, ROLES, limits=ModelLimits(max_seconds=60.0)) < 1.0


def test_a_call_that_does_not_come_back_is_refused_and_can_be_cancelled(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame],
) -> None:
    model, train, test = parts
    stuck = slowed(model, 4.0, 0.0)
    with pytest.raises(LimitError, match="1 took longer already"):
        expected_seconds(stuck, train, test, ROLES, limits=replace(ModelLimits(), max_seconds=0.2))

    def cancel() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expected_seconds(stuck, train, test, ROLES, looking=cancel)


def test_what_does_not_fit_is_refused_and_bad_rows_are_left_to_the_case(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame],
) -> None:
    model, train, test = parts
    with pytest.raises(InputError, match="income"):
        expected_seconds(model, train, test.drop(columns="income"), ROLES)
    model.steps[-1][1].predict_proba = lambda _: 1 / 0
    assert expected_seconds(model, train, test, ROLES) < 5.0
    with pytest.raises(InputError, match="able to score every row"):
        core.Case(model, train=train, test=test, roles=ROLES)
