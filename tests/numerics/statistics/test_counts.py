"""Counting and resampling cells against the same thing done to records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.numerics.statistics.counts import before_and_after, cell_counts, joint_counts
from core.numerics.statistics.resampling import (
    bootstrap_counts,
    permuted_counts,
    smoothed,
    swapped_counts,
    upper_p_value,
)
from core.numerics.statistics.resampling_gaps import all_pairs, largest_interval


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(1, 5))
def test_counts_are_the_records_counted(seed: int, n: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    codes, label, before, after = rng.integers(0, groups, n), *(rng.random((3, n)) < 0.5)
    joint = joint_counts(codes, label, before, after, groups)
    for g, y, b, a in np.ndindex(groups, 2, 2, 2):
        assert joint[g, y, b, a] == np.sum((codes == g) & (label == y) & (before == b) & (after == a))
    first, second = before_and_after(joint)
    np.testing.assert_array_equal(first, cell_counts(codes, label, before, groups))
    np.testing.assert_array_equal(second, cell_counts(codes, label, after, groups))


def test_random_decisions_count_by_their_expectation() -> None:
    codes, label = np.array([0, 0, 1]), np.array([True, True, False])
    counts = cell_counts(codes, label, np.array([0.25, 1.0, 0.5]), 2)
    np.testing.assert_allclose(counts, [[[0, 0], [0.75, 1.25]], [[0.5, 0.5], [0, 0]]])


def test_one_draw_decides_a_random_record_before_and_after() -> None:
    rng = np.random.default_rng(0)
    codes, label = rng.integers(0, 3, 50), rng.random(50) < 0.5
    before, after = rng.random(50), rng.random(50)
    first, second = before_and_after(joint_counts(codes, label, before, after, 3))
    np.testing.assert_allclose(first, cell_counts(codes, label, before, 3))
    np.testing.assert_allclose(second, cell_counts(codes, label, after, 3))
    same = joint_counts(codes, label, before, before, 3)
    assert same[..., 0, 1].max() == same[..., 1, 0].max() == 0.0
    sure = rng.random(50) < 0.5
    np.testing.assert_allclose(
        joint_counts(codes, label, sure, 1.0 * ~sure, 3), joint_counts(codes, label, sure, ~sure, 3)
    )


def test_bootstrap_has_the_moments_of_drawing_records() -> None:
    counts = np.array([[[60.0, 20.0], [10.0, 30.0]], [[5.0, 45.0], [25.0, 5.0]]])
    draws = bootstrap_counts(counts, 20_000, np.random.default_rng(0))
    share = smoothed(counts) / smoothed(counts).sum()
    np.testing.assert_allclose(draws.mean(axis=0), 200 * share, rtol=0.02)
    np.testing.assert_allclose(draws.var(axis=0), 200 * share * (1 - share), rtol=0.05)


def test_smoothing_leaves_empty_groups_empty() -> None:
    counts = np.zeros((2, 2, 2))
    counts[0, 1, 1] = 3
    np.testing.assert_array_equal(smoothed(counts)[1], 0)
    assert bootstrap_counts(np.zeros((2, 2, 2)), 3, np.random.default_rng(0)).sum() == 0


@pytest.mark.parametrize("stratum", ["label", "decision", "all"])
def test_permuting_counts_is_permuting_records(stratum: str) -> None:
    counts = np.array([[[9.0, 3.0], [4.0, 6.0]], [[1.0, 7.0], [2.0, 8.0]], [[2.0, 2.0], [5.0, 0.0]]])
    codes, label, decision = np.unravel_index(np.repeat(np.arange(12), counts.ravel().astype(int)), (3, 2, 2))
    key = {"label": label, "decision": decision, "all": np.zeros_like(label)}[stratum]
    rng = np.random.default_rng(1)
    by_record = []
    for _ in range(3000):
        shuffled = codes.copy()
        for value in np.unique(key):
            shuffled[key == value] = rng.permutation(codes[key == value])
        by_record.append(cell_counts(shuffled, label == 1, decision == 1, 3))
    by_cell = permuted_counts(counts, stratum, 20_000, rng)  # type: ignore[arg-type]
    np.testing.assert_array_equal(by_cell.sum(axis=1), np.broadcast_to(counts.sum(axis=0), (20_000, 2, 2)))
    np.testing.assert_allclose(by_cell.mean(axis=0), np.mean(by_record, axis=0), atol=0.12)
    flat = by_cell.reshape(-1, 12)
    np.testing.assert_allclose(np.cov(flat.T), np.cov(np.reshape(by_record, (-1, 12)).T), atol=0.35)


def test_swapping_moves_changed_records_only() -> None:
    joint = np.zeros((1, 2, 2, 2))
    joint[0, 1] = [[10, 6], [2, 20]]
    draws = swapped_counts(joint, 10_000, np.random.default_rng(2))
    np.testing.assert_array_equal(draws[:, 0, 1, [0, 1], [0, 1]], np.broadcast_to([10, 20], (10_000, 2)))
    np.testing.assert_array_equal(draws[:, 0, 1, 0, 1] + draws[:, 0, 1, 1, 0], 8)
    assert draws[:, 0, 1, 0, 1].mean() == pytest.approx(4, abs=0.1)


def test_p_value_counts_the_observed_table() -> None:
    assert upper_p_value(2.0, np.array([1.0, 2.0, 3.0])) == 0.75
    assert np.isnan(upper_p_value(np.nan, np.array([1.0])))


def test_interval_of_two_groups_is_the_signed_one() -> None:
    noise = np.random.default_rng(3).normal(size=(20_000, 2)) * 0.03
    low, high = largest_interval(np.array([0.5, 0.53]), noise, all_pairs(np.arange(2)), 0.95)
    half = 1.96 * 0.03 * np.sqrt(2)
    assert (low, high) == pytest.approx((0.03 - half, 0.03 + half), abs=0.003)


def test_interval_is_the_same_however_groups_are_ordered() -> None:
    noise = np.random.default_rng(4).normal(size=(3000, 5)) * [0.02, 0.03, 0.05, 0.02, 0.04]
    rates, turn = np.array([0.3, 0.5, 0.4, 0.45, 0.7]), np.array([3, 1, 4, 0, 2])
    pairs = all_pairs(np.arange(5))
    assert largest_interval(rates, noise, pairs, 0.95) == pytest.approx(
        largest_interval(rates[turn], noise[:, turn], pairs, 0.95)
    )
