"""How much likelier labels become at other odds, against a search by SciPy and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from core.numerics.linear.logistic import sigmoid
from core.numerics.statistics.odds import FARTHEST, best_likelihood_gain, likelihood_gain


@pytest.mark.parametrize("wrong", [-3.0, -0.3, 0.0, 2.0])
def test_the_best_shift_is_the_one_a_search_finds(wrong):
    draw = np.random.default_rng(0)
    predictor = draw.normal(scale=3.0, size=400)
    y = (draw.random(400) < sigmoid(predictor + wrong)).astype(float)
    weight = draw.uniform(0.2, 3.0, 400)

    def loss(shift: float) -> float:
        return float(weight @ (np.logaddexp(0.0, predictor + shift) - y * (predictor + shift)))

    best = minimize_scalar(loss, bounds=(-FARTHEST, FARTHEST), method="bounded", options={"xatol": 1e-9})
    assert best_likelihood_gain(predictor, y, weight) == pytest.approx(loss(0.0) - best.fun, abs=1e-7)


def test_labels_that_are_all_one_gain_what_they_lacked():
    predictor = np.array([-2.0, 0.0, 1.0, 40.0])
    found = best_likelihood_gain(predictor, np.ones(4), np.ones(4))
    assert found == pytest.approx(np.logaddexp(0.0, -predictor).sum(), rel=0.01)
    assert best_likelihood_gain(-predictor, np.zeros(4), np.ones(4)) == pytest.approx(found)


def test_a_shift_gains_the_logarithm_of_the_ratio_of_probabilities():
    predictor, y = np.array([-1.0, 2.0]), np.array([1.0, 0.0])
    p, moved = sigmoid(predictor), sigmoid(predictor + 0.7)
    by_hand = np.log([moved[0] / p[0], (1.0 - moved[1]) / (1.0 - p[1])])
    np.testing.assert_allclose(likelihood_gain(predictor, y, np.array([1.0, 2.0]), 0.7), by_hand * [1.0, 2.0])
