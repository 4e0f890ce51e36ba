"""The catalog and what is computed from its rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.metrics.catalog import DEFAULT_METRICS, METRICS, metric_of, metrics_of
from core.metrics.gaps import count_gradient, evaluate
from core.metrics.rates import RATES, group_rate
from core.metrics.scores import SCORE_FUNCTIONS

CELLS = sorted(name for name, metric in METRICS.items() if metric.uses == "cells")


def test_every_row_is_whole() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label
        assert metric.formula
        assert all(rate in METRICS for rate in metric.rates)
        known = SCORE_FUNCTIONS if metric.uses == "scores" else {**RATES, "count": None}
        assert all(rate in known for rate in metric.rates)
    assert set(SCORE_FUNCTIONS) == {
        rate.name for rate in METRICS.values() if rate.uses == "scores" and rate.rates == (rate.name,)
    }
    assert set(DEFAULT_METRICS) <= set(METRICS)


def test_every_rate_has_a_difference_and_a_ratio() -> None:
    rates = {name for name, metric in METRICS.items() if metric.kind == "rate" and name != "count"}
    for kind in ("difference", "ratio"):
        assert {metric.rate for metric in METRICS.values() if metric.kind == kind} == rates


def test_unknown_metric_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'equal_opportunity_difference'"):
        metric_of("equal_oportunity_difference")
    assert [metric.name for metric in metrics_of("accuracy")] == ["accuracy"]
    assert [metric.name for metric in metrics_of(["recall", "recall"])] == ["recall"]


def test_detection_metrics_turn_with_the_positive_label() -> None:
    counts = np.array([[[7.0, 3.0], [2.0, 8.0]]])
    assert evaluate("recall", counts) == 0.8
    assert evaluate("recall", counts, pos_is_favorable=False) == 0.7
    assert evaluate("flagged_rate", counts, pos_is_favorable=False) == 9 / 20
    assert evaluate("detection_precision", counts, pos_is_favorable=False) == 7 / 9
    assert evaluate("selection_rate", counts, pos_is_favorable=False) == 11 / 20


@pytest.mark.parametrize("name", CELLS)
def test_leading_axes_are_evaluated_one_by_one(name: str) -> None:
    counts = np.random.default_rng(0).integers(0, 5, (6, 3, 2, 2)).astype(float)
    counts[0, 1] = 0
    together = evaluate(name, counts)
    np.testing.assert_array_equal(together, [evaluate(name, table) for table in counts])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CELLS), st.integers(0, 2**32 - 1), st.booleans())
def test_count_gradient_is_the_derivative(name: str, seed: int, pos_is_favorable: bool) -> None:
    rng = np.random.default_rng(seed)
    counts, way = rng.uniform(1, 30, (3, 2, 2)), rng.normal(size=(3, 2, 2))
    gradient = count_gradient(name, counts, pos_is_favorable=pos_is_favorable)
    ends = [evaluate(name, counts + h * way, pos_is_favorable=pos_is_favorable) for h in (1e-7, -1e-7)]
    assert np.sum(gradient * way) == pytest.approx((ends[0] - ends[1]) / 2e-7, rel=1e-4, abs=1e-6)


def test_count_gradient_without_the_metric_is_nan() -> None:
    counts = np.zeros((2, 2, 2))
    counts[0, 1] = [1, 3]
    assert np.isnan(count_gradient("equal_opportunity_difference", counts)).any()


def test_rates_stay_within_their_groups() -> None:
    counts = np.random.default_rng(1).integers(0, 9, (4, 2, 2)).astype(float)
    for name in RATES:
        alone = [group_rate(name, counts[g : g + 1])[0] for g in range(4)]
        np.testing.assert_array_equal(group_rate(name, counts), alone)
