"""The stage-by-stage passes against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from core.numerics.boosting import COUNT, GRADIENT, HESSIAN, SQUARE, WEIGHT, complete, refit_stages


def refit(raw, y, weight, keep, nodes, first, histogram=False):
    raw = np.array(raw, dtype=float)
    return refit_stages(nodes, first, y, weight, keep, raw, 0.0, 0.3, histogram), raw


@pytest.mark.parametrize("n", [1, 1023, 1024, 2500])
def test_sums_are_those_of_plain_numpy(n):
    draw = np.random.default_rng(n)
    raw, y = draw.normal(0, 4, n), (draw.random(n) < 0.4).astype(float)
    weight, keep = draw.uniform(0.5, 2, n), draw.random(n) < 0.8
    nodes = draw.integers(1, 3, (1, n)).astype(np.uint16)
    sums, after = refit(raw, y, weight, keep, nodes, np.array([0, 3]))
    p = 1 / (1 + np.exp(-raw))
    columns = {COUNT: keep, WEIGHT: weight, GRADIENT: weight * (p - y), HESSIAN: weight * p * (1 - p)}
    columns[SQUARE] = weight * (p - y) ** 2
    for column, values in columns.items():
        expected = np.bincount(nodes[0], values * keep, minlength=3)
        np.testing.assert_allclose(sums[:, column], expected, rtol=1e-12, atol=1e-14)
    with np.errstate(invalid="ignore"):
        step = np.nan_to_num(-sums[:, GRADIENT] / sums[:, HESSIAN])
    np.testing.assert_allclose(after, raw + 0.3 * step[nodes[0]], rtol=1e-12)


@pytest.mark.parametrize("raw", [-1e4, -745.0, -60.0, -37.0, -0.1, 0.0, 1e-9, 0.34657, 2.0, 36.0, 60.0, 690.0])
def test_far_predictions_keep_their_digits(raw):
    nodes = np.zeros((1, 2), dtype=np.uint16)
    sums, _ = refit([raw, raw], np.array([0.0, 1.0]), np.ones(2), np.array([True, False]), nodes, np.array([0, 1]))
    other, _ = refit([raw, raw], np.array([0.0, 1.0]), np.ones(2), np.array([False, True]), nodes, np.array([0, 1]))
    inside = np.clip(raw, -700, 700)
    assert sums[0, GRADIENT] == pytest.approx(1 / (1 + np.exp(-inside)), rel=1e-14)
    assert other[0, GRADIENT] == pytest.approx(-1 / (1 + np.exp(inside)), rel=1e-14)
    assert sums[0, HESSIAN] == pytest.approx(-sums[0, GRADIENT] * other[0, GRADIENT], rel=1e-14)


def test_inner_nodes_add_up_and_nodes_without_rows_take_the_value_above():
    sums = np.zeros((5, 5))
    sums[3, [COUNT, GRADIENT, HESSIAN]] = 4, -2.0, 1.0
    left, right = np.array([1, -1, 3, -1, -1]), np.array([2, -1, 4, -1, -1])
    values = complete(sums, np.array([0, 5]), left, right, 1.0, False)
    np.testing.assert_array_equal(sums[:, COUNT], [4, 0, 4, 4, 0])
    np.testing.assert_array_equal(values, np.ones(5))


def test_histogram_boosting_adds_nothing_with_a_tree_without_splits():
    y = np.array([1.0, 0.0, 1.0])
    nodes = np.zeros((1, 3), dtype=np.uint16)
    sums, raw = refit(np.zeros(3), y, np.ones(3), np.ones(3, dtype=bool), nodes, np.array([0, 1]), histogram=True)
    np.testing.assert_array_equal(raw, np.zeros(3))
    assert complete(sums, np.array([0, 1]), np.array([-1]), np.array([-1]), 0.0, True)[0] == 0.0
