"""Score metrics: errors and derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as skm

from core.metrics.catalog import METRICS
from core.metrics.score_gradients import score_metric_gradient
from core.metrics.scores import SCORE_FUNCTIONS, group_scores, roc_auc, score_metric

ORACLES = {
    "roc_auc": skm.roc_auc_score,
    "average_precision": skm.average_precision_score,
    "brier_score": skm.brier_score_loss,
    "log_loss": skm.log_loss,
}
SCORED = sorted(name for name, metric in METRICS.items() if metric.uses == "scores")


def sample(n: int, seed: int, digits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.35
    return y, np.clip(np.round(1 / (1 + np.exp(-(rng.normal(size=n) + 1.2 * y - 0.8))), digits), 0.01, 0.99)


@pytest.mark.parametrize("name", sorted(ORACLES))
@pytest.mark.parametrize("digits", [1, 8])
def test_derivative_by_weight(name: str, digits: int) -> None:
    y, score = sample(200, 1, digits)
    value, derivative = SCORE_FUNCTIONS[name](y, score)
    for row in (0, 17, 63, 150):
        weight = np.ones(len(y))
        weight[row] += 1e-5
        moved = ORACLES[name](y.astype(int), score, sample_weight=weight)
        assert derivative[row] == pytest.approx((moved - value) / 1e-5, rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("name", sorted(SCORE_FUNCTIONS))
def test_standard_error_is_that_of_new_samples(name: str) -> None:
    errors, values = [], []
    for seed in range(400):
        value, derivative = SCORE_FUNCTIONS[name](*sample(250, seed))
        values.append(value)
        errors.append(np.sqrt(np.sum(derivative**2)))
    # The calibration error has a kink where a bin is exactly calibrated: there its error is on the safe side.
    highest = 1.4 if name == "calibration_error" else 1.15
    assert 0.85 <= np.mean(errors) / np.std(values) <= highest


def test_auc_variance_is_delongs() -> None:
    y, score = sample(120, 3, 1)
    _, derivative = roc_auc(y, score)
    compare = (score[y][:, None] > score[~y]) + 0.5 * (score[y][:, None] == score[~y])
    expected = compare.mean(axis=1).var() / y.sum() + compare.mean(axis=0).var() / (~y).sum()
    assert np.sum(derivative**2) == pytest.approx(expected, rel=1e-12)


def test_one_class_has_no_auc() -> None:
    values, _ = group_scores("roc_auc", np.array([True, True, False]), np.arange(3.0), np.array([0, 0, 1]), 2)
    assert np.isnan(values).all()
    assert np.isnan(
        score_metric("roc_auc_difference", np.array([True, True, False]), np.arange(3.0), np.array([0, 0, 1]), 2)
    )


@pytest.mark.parametrize("name", SCORED)
@pytest.mark.parametrize("pos_is_favorable", [True, False])
def test_gradient_by_score(name: str, pos_is_favorable: bool) -> None:
    y, score = sample(6000, 5)
    codes = np.random.default_rng(6).choice(3, 6000, p=[0.5, 0.3, 0.2])
    score = np.clip(score - 0.1 * (codes == 1) * y + 0.07 * (codes == 2), 0.01, 0.99)
    way = np.random.default_rng(7).normal(size=6000) + 2 * y - (codes == 1)
    step = {"calibration_error": 1e-7}.get(METRICS[name].rate, 5e-3)
    kwargs = {"pos_is_favorable": pos_is_favorable}
    moved = [score_metric(name, y, score + sign * step * way, codes, 3, **kwargs) for sign in (1, -1)]
    gradient = score_metric_gradient(name, y, score, codes, 3, **kwargs)
    assert gradient @ way == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=0.1, abs=0.02)


def test_undefined_metric_has_no_gradient() -> None:
    y, score = np.array([True, True]), np.array([0.2, 0.8])
    assert np.isnan(score_metric_gradient("roc_auc", y, score, np.array([0, 0]), 1)).all()
    assert np.isnan(score_metric_gradient("roc_auc_difference", y, score, np.array([0, 1]), 2)).all()
