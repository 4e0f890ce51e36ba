"""Verdicts follow the whole interval, and never where a group is too small."""

from __future__ import annotations

import pytest

from core.metrics.policy import INSIDE, OPEN, OUTSIDE, PROFILES, UNDEFINED, UNSURE, threshold, verdict

GAP, RATIO = "equal_opportunity_difference", "demographic_parity_ratio"


@pytest.mark.parametrize(
    ("metric", "low", "high", "limit", "expected"),
    [
        (GAP, 0.01, 0.04, 0.05, INSIDE),
        (GAP, 0.04, 0.06, 0.05, OPEN),
        (GAP, 0.06, 0.2, 0.05, OUTSIDE),
        (GAP, -0.2, -0.06, 0.05, OUTSIDE),
        (GAP, -0.06, 0.02, 0.05, OPEN),
        (RATIO, 0.85, 1.0, 0.8, INSIDE),
        (RATIO, 0.7, 0.9, 0.8, OPEN),
        (RATIO, 0.5, 0.7, 0.8, OUTSIDE),
        (RATIO, 1.3, 1.6, 0.8, OUTSIDE),
        (RATIO, 0.9, 1.3, 0.8, OPEN),
        (GAP, float("nan"), float("nan"), 0.05, UNDEFINED),
    ],
)
def test_verdict(metric: str, low: float, high: float, limit: float, expected: str) -> None:
    assert verdict(metric, low, high, limit, unsure=False) == expected
    unsure = UNDEFINED if expected == UNDEFINED else UNSURE
    assert verdict(metric, low, high, limit, unsure=True) == unsure
    beyond = OUTSIDE if expected == OUTSIDE else unsure
    assert verdict(metric, low, high, limit, unsure=True, q_value=0.001) == beyond


def test_no_profile_speaks_of_what_is_legal() -> None:
    assert not [name for name in PROFILES if "legal" in name.lower() or "fair" in name.lower()]
    assert {threshold(RATIO, name) for name in PROFILES} == {0.9, 0.8}
