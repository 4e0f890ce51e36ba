"""The best split of a node, against trying them all one by one."""

from __future__ import annotations

import numpy as np
import pytest

from core.numerics.boosting.splits import WORST, best_scores

RIDGE = 0.5


def tried_one_by_one(codes, n_codes, missing, g, h, least_rows, least):
    best = WORST
    for values, top, gaps in zip(codes, n_codes, missing, strict=True):
        for cut in range(top - 1):
            for to_left in (False, True) if gaps else (False,):
                left = (values <= cut) | (to_left & (values == top - 1))
                sides = [(rows.sum(), g[rows].sum(), h[rows].sum()) for rows in (left, ~left)]
                if min(side[0] for side in sides) >= least_rows and min(side[2] for side in sides) >= least:
                    best = max(best, sum(side[1] ** 2 / (side[2] + RIDGE) for side in sides))
    return best


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_best_of_a_node_is_the_best_of_all_cuts(seed, gaps):
    draw = np.random.default_rng(seed)
    n_codes = np.array([7, 4, 2])
    codes = np.array([draw.integers(0, top, 40) for top in n_codes], dtype=np.int32)
    missing = np.array([gaps, False, gaps])
    g, h = draw.normal(size=40), draw.uniform(0.05, 0.25, 40)
    g[codes[0] == 6] -= 1.5 * gaps
    own_side = codes[1] <= 1
    leaf, rows = np.where(own_side, 1, 2), np.arange(40)
    left, right = np.array([1, -1, -1]), np.array([2, -1, -1])
    limits = (5.0, 0.6)
    own, best = best_scores(
        codes, n_codes, missing, np.ones((3, 3), dtype=bool), leaf, rows, left, right, g, h, RIDGE, *limits
    )
    assert best[0] == pytest.approx(tried_one_by_one(codes, n_codes, missing, g, h, *limits))
    expected = sum(g[side].sum() ** 2 / (h[side].sum() + RIDGE) for side in (own_side, ~own_side))
    assert own[0] == pytest.approx(expected)
    assert own[0] <= best[0] + 1e-9
    none = np.zeros((3, 3), dtype=bool)
    assert best_scores(codes, n_codes, missing, none, leaf, rows, left, right, g, h, RIDGE, *limits)[1][0] == WORST


def test_missing_values_may_go_left():
    codes = np.array([[0] * 5 + [1] * 5 + [2] * 5], dtype=np.int32)
    g, h = np.repeat([-1.0, 1.0, -1.0], 5), np.ones(15)
    leaf, left, right = np.repeat([1, 2, 2], 5), np.array([1, -1, -1]), np.array([2, -1, -1])
    for gaps, score in ((True, 100 / 10.5 + 25 / 5.5), (False, 25 / 5.5)):
        found = best_scores(
            codes, np.array([3]), np.array([gaps]), np.ones((3, 1), dtype=bool), leaf, np.arange(15), left, right,
            g, h, RIDGE, 1.0, 0.0,
        )  # fmt: skip
        assert found[1][0] == pytest.approx(score)
