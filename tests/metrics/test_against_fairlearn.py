"""Every metric fairlearn has, against fairlearn."""

from __future__ import annotations

import fairlearn.metrics as flm
import numpy as np
import pytest
import sklearn.metrics as skm
from hypothesis import given, settings
from hypothesis import strategies as st

from core.metrics.catalog import METRICS
from core.metrics.gaps import evaluate
from core.metrics.rates import group_rate
from core.metrics.scores import group_scores, score_metric
from core.numerics.statistics.counts import cell_counts

RATES = {
    "count": flm.count,
    "selection_rate": flm.selection_rate,
    "true_positive_rate": flm.true_positive_rate,
    "false_positive_rate": flm.false_positive_rate,
    "true_negative_rate": flm.true_negative_rate,
    "false_negative_rate": flm.false_negative_rate,
    "accuracy": skm.accuracy_score,
    "zero_one_loss": skm.zero_one_loss,
    "precision": lambda y, d: skm.precision_score(y, d, zero_division=np.nan),
    "recall": lambda y, d: skm.recall_score(y, d, zero_division=np.nan),
    "f1_score": lambda y, d: skm.f1_score(y, d, zero_division=np.nan),
}
GAPS = sorted(name for name, metric in METRICS.items() if metric.compares_groups and hasattr(flm, name))


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    n = draw(st.integers(8, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.floats(0.05, 0.95))
    sex, race = rng.integers(0, 2, n), rng.integers(0, draw(st.integers(2, 4)), n)
    return sex, race, rng.random(n) < share, rng.random(n) < 0.5


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal wherever ours is defined; where it is not, fairlearn has 0, its 1 - 0, or NaN."""
    defined = ~np.isnan(ours)
    np.testing.assert_allclose(ours[defined], theirs[defined], atol=1e-12, rtol=0)
    assert np.isin(np.nan_to_num(theirs[~defined]), [0.0]).all()


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=15, deadline=None)
@given(tables())
def test_rates_of_groups_and_intersections(table: tuple[np.ndarray, ...]) -> None:
    sex, race, label, decision = table
    frame = flm.MetricFrame(
        metrics=RATES,
        y_true=label.astype(int),
        y_pred=decision.astype(int),
        sensitive_features={"sex": sex, "race": race},
    )
    sexes, races = np.unique(sex), np.unique(race)
    codes = np.searchsorted(sexes, sex) * len(races) + np.searchsorted(races, race)
    counts = cell_counts(codes, label, decision, len(sexes) * len(races))
    for name in RATES:
        ours = group_rate(name, counts)
        agree(np.where(counts.sum(axis=(1, 2)) == 0, np.nan, ours), frame.by_group[name].to_numpy(dtype=float))
        agree(np.atleast_1d(evaluate(name, counts)), np.atleast_1d(float(frame.overall[name])))


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=15, deadline=None)
@given(tables())
def test_differences_and_ratios_where_every_group_has_the_rate(table: tuple[np.ndarray, ...]) -> None:
    _, race, label, decision = table
    codes = np.unique(race, return_inverse=True)[1]
    counts = cell_counts(codes, label, decision, int(codes.max()) + 1)
    frame = flm.MetricFrame(
        metrics=RATES, y_true=label.astype(int), y_pred=decision.astype(int), sensitive_features=codes
    )
    for name, metric in METRICS.items():
        if metric.kind not in ("difference", "ratio") or len(metric.rates) > 1 or metric.rate not in RATES:
            continue
        if len(counts) < 2 or np.isnan(group_rate(metric.rate, counts)).any():
            continue
        theirs = (frame.difference() if metric.kind == "difference" else frame.ratio())[metric.rate]
        np.testing.assert_allclose(evaluate(name, counts), theirs, atol=1e-12, rtol=0, err_msg=name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", GAPS)
def test_named_functions(name: str) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        codes, label = rng.integers(0, 4, 400), rng.random(400) < 0.4
        score = np.clip(np.round(rng.random(400) * 0.7 + 0.3 * label, 2), 0.01, 0.99)
        decision = score > 0.5
        uses_scores = METRICS[name].uses == "scores"
        theirs = getattr(flm, name)(
            label.astype(int), score if uses_scores else decision.astype(int), sensitive_features=codes
        )
        counts = cell_counts(codes, label, decision, 4)
        ours = score_metric(name, label, score, codes, 4) if uses_scores else float(evaluate(name, counts))
        assert ours == pytest.approx(theirs, abs=1e-12, rel=0), name


def test_every_metric_fairlearn_has_is_here_or_left_out_on_purpose() -> None:
    left_out = {
        "mean_absolute_error_group_max",  # regression
        "mean_squared_error_group_max",
        "r2_score_group_min",
    }
    generated = {
        name
        for name in dir(flm)
        if name.endswith(("_difference", "_ratio", "_group_min", "_group_max")) and callable(getattr(flm, name))
    }
    assert generated - left_out <= set(METRICS)
    assert len(GAPS) == len(generated - left_out)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("roc_auc", skm.roc_auc_score),
        ("average_precision", skm.average_precision_score),
        ("brier_score", skm.brier_score_loss),
        ("log_loss", lambda y, s: skm.log_loss(y, s, labels=[0, 1])),
    ],
)
def test_score_rates_by_group(name: str, theirs: object) -> None:
    rng = np.random.default_rng(7)
    codes, label = rng.integers(0, 3, 300), rng.random(300) < 0.3
    score = np.round(rng.random(300), 2)
    ours, _ = group_scores(name, label, score, codes, 3)
    expected = [theirs(label[codes == g].astype(int), score[codes == g]) for g in range(3)]  # type: ignore[operator]
    np.testing.assert_allclose(ours, expected, atol=1e-12, rtol=0)


def test_undefined_is_nan_and_left_out_of_the_gap() -> None:
    codes = np.array([0, 0, 1, 1, 2, 2])
    label = np.array([True, True, True, True, False, False])
    decision = np.array([True, False, True, True, True, False])
    counts = cell_counts(codes, label, decision, 3)
    np.testing.assert_array_equal(group_rate("true_positive_rate", counts), [0.5, 1.0, np.nan])
    assert evaluate("equal_opportunity_difference", counts) == 0.5
    theirs = flm.equal_opportunity_difference(label.astype(int), decision.astype(int), sensitive_features=codes)
    assert theirs == 1.0
    assert np.isnan(evaluate("equal_opportunity_difference", counts[1:]))
