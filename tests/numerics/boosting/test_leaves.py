"""The stage-by-stage passes against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from core.numerics.boosting.effects import effects_of_removal, effects_of_removal_of_classes, predict
from core.numerics.boosting.leaves import complete, refit_stages, refit_stages_of_classes
from core.numerics.boosting.nodes import COUNT, GRADIENT, HESSIAN, SQUARE, SUM_OF_WEIGHTS


def no_signs(n):
    return np.zeros(n, dtype=np.int8)


def refit(raw, y, weight, keep, nodes, first, histogram=False):
    raw = np.array(raw, dtype=float)
    inner, drawn = np.arange(first[-1]) == (0 if first[-1] > 1 else -1), np.ones((1, len(y)), dtype=bool)
    shape = first, np.where(inner, 1, -1), np.where(inner, 2, -1), no_signs(first[-1])
    return refit_stages(nodes, *shape, y, weight, keep, drawn, raw, 0.0, 0.3, histogram), raw


@pytest.mark.parametrize("n", [1, 1023, 1024, 2500])
def test_sums_are_those_of_plain_numpy(n):
    draw = np.random.default_rng(n)
    raw, y = draw.normal(0, 4, n), (draw.random(n) < 0.4).astype(float)
    weight, keep = draw.uniform(0.5, 2, n), draw.random(n) < 0.8
    nodes = draw.integers(1, 3, (1, n)).astype(np.uint16)
    sums, after = refit(raw, y, weight, keep, nodes, np.array([0, 3]))
    p = 1 / (1 + np.exp(-raw))
    columns = {COUNT: keep, SUM_OF_WEIGHTS: weight, GRADIENT: weight * (p - y), HESSIAN: weight * p * (1 - p)}
    columns[SQUARE] = weight * (p - y) ** 2
    for column, values in columns.items():
        expected = np.bincount(nodes[0], values * keep, minlength=3)
        np.testing.assert_allclose(sums[1:, column], expected[1:], rtol=1e-12, atol=1e-14)
        assert sums[0, column] == pytest.approx(expected.sum(), rel=1e-12)
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
    values = complete(sums, np.array([0, 5]), left, right, no_signs(5), 1.0, False)
    np.testing.assert_array_equal(sums[:, COUNT], [4, 0, 4, 4, 0])
    np.testing.assert_array_equal(values, np.ones(5))


def test_histogram_boosting_adds_nothing_with_a_tree_without_splits():
    y = np.array([1.0, 0.0, 1.0])
    nodes = np.zeros((1, 3), dtype=np.uint16)
    sums, raw = refit(np.zeros(3), y, np.ones(3), np.ones(3, dtype=bool), nodes, np.array([0, 1]), histogram=True)
    np.testing.assert_array_equal(raw, np.zeros(3))
    assert complete(sums, np.array([0, 1]), np.array([-1]), np.array([-1]), no_signs(1), 0.0, True)[0] == 0.0


def test_values_below_a_constrained_split_end_at_the_middle_of_its_sides():
    left, right, signs = np.array([1, 3, -1, -1, -1]), np.array([2, 4, -1, -1, -1]), np.array([1, -1, 0, 0, 0])
    wanted = {2: 1.0, 3: 4.0, 4: -1.0}
    sums, first = np.zeros((5, 5)), np.array([0, 5])
    for node, value in wanted.items():
        sums[node, [COUNT, GRADIENT, HESSIAN]] = 1, -value, 1.0
    values = complete(sums, first, left, right, signs.astype(np.int8), 0.0, False)
    np.testing.assert_allclose(values, [4 / 3, 4 / 3, 4 / 3, 4 / 3, -1.0])
    sums[2, GRADIENT] = -2.5
    values = complete(sums, first, left, right, signs.astype(np.int8), 0.0, False)
    np.testing.assert_allclose(values, [5.5 / 3, 1.5, 2.5, 2.0, -1.0])


@pytest.mark.parametrize(("n_classes", "bounded"), [(2, False), (2, True), (3, False)])
def test_slopes_are_the_derivatives_of_refitted_leaves_by_weights_and_predictions(n_classes, bounded):
    draw, n, rate, ridge = np.random.default_rng(1), 60, 0.7, 0.5
    width, factor = (1, 1.0) if n_classes == 2 else (n_classes, (n_classes - 1) / n_classes)
    nodes = draw.choice(np.array([1, 3, 5, 6], dtype=np.uint16), (6 * width, n))
    first, leaf = np.arange(0, 42 * width + 1, 7), np.tile([False, True, False, True, False, True, True], 6 * width)
    left, right = (np.tile([child, -1, child + 2, -1, child + 4, -1, -1], 6 * width) for child in (1, 2))
    signs = np.tile(np.array([1, 0, -1, 0, 1, 0, 0], dtype=np.int8) * bounded, 6 * width)
    y, weight, keep = draw.integers(0, n_classes, n), draw.uniform(0.5, 2, n), draw.random(n) < 0.9
    drawn, shape = draw.random((6, n)) < 0.7, (first, left, right, signs)
    start, pull = draw.normal(size=(n, width)), draw.normal(size=42 * width) * leaf

    def refitted(weight, start):
        raw = start.copy()
        if width == 1:
            sums = refit_stages(nodes, *shape, y.astype(float), weight, keep, drawn, raw[:, 0], ridge, rate, False)
        else:
            sums = refit_stages_of_classes(nodes, *shape, y, weight, keep, drawn, raw, ridge, rate * factor, False)
        return sums, factor * complete(sums, *shape, ridge, False), raw

    sums, values, raw = refitted(weight, start)
    np.testing.assert_allclose(start - start[0] + predict(nodes, first, values, start[0], rate), raw, rtol=1e-12)
    if width == 1:
        given = nodes, *shape, sums, values, y.astype(float), weight, keep, drawn, raw[:, 0].copy(), pull, ridge, rate
        _, slope, carried = effects_of_removal(*given, False)
    else:
        given = nodes, first, sums, values, y, weight, keep, drawn, raw.copy(), pull, ridge, rate
        _, slope, carried = effects_of_removal_of_classes(*given, factor, False)
    for i in np.flatnonzero(keep)[:5]:
        step = np.where(np.arange(n) == i, 1e-5, 0.0)
        by_weight = [rate * pull @ refitted(weight + sign * step, start)[1] for sign in (1, -1)]
        assert slope[i] == pytest.approx((by_weight[0] - by_weight[1]) / 2e-5, rel=1e-6, abs=1e-8)
        for k in range(width):
            move = step[:, None] * np.eye(width)[k]
            by_start = [rate * pull @ refitted(weight, start + sign * move)[1] for sign in (1, -1)]
            found = carried.reshape(n, width)[i, k]
            assert found == pytest.approx((by_start[0] - by_start[1]) / 2e-5, rel=1e-6, abs=1e-8)
