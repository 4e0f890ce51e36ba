"""Audits of weighted rows: against fairlearn with sample_params, repeated rows, finite differences and simulated surveys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fairlearn.metrics as flm
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm

import core
from core.case.groups import Groups
from core.errors import InputError, InputTypeError
from core.metrics.audit import audit_arrays
from core.metrics.catalog import METRICS, metric_of, metrics_of
from core.metrics.group_evidence import rate_evidence
from core.metrics.inference import gap_interval, gap_p_value
from core.metrics.samples import GroupSample, Sample
from core.metrics.scores import SCORE_FUNCTIONS

RATES: dict[str, Callable[..., Any]] = {
    "selection_rate": flm.selection_rate,
    "true_positive_rate": flm.true_positive_rate,
    "false_positive_rate": flm.false_positive_rate,
    "true_negative_rate": flm.true_negative_rate,
    "false_negative_rate": flm.false_negative_rate,
    "accuracy": skm.accuracy_score,
    "zero_one_loss": skm.zero_one_loss,
    "precision": lambda y, d, sample_weight: skm.precision_score(
        y, d, sample_weight=sample_weight, zero_division=np.nan
    ),
    "recall": lambda y, d, sample_weight: skm.recall_score(y, d, sample_weight=sample_weight, zero_division=np.nan),
    "f1_score": lambda y, d, sample_weight: skm.f1_score(y, d, sample_weight=sample_weight, zero_division=np.nan),
    "balanced_accuracy": skm.balanced_accuracy_score,
}
SCORES: dict[str, Callable[..., Any]] = {
    "roc_auc": skm.roc_auc_score,
    "average_precision": skm.average_precision_score,
    "brier_score": skm.brier_score_loss,
    "log_loss": skm.log_loss,
}
COMPARED = [
    name for name, metric in METRICS.items() if metric.compares_groups and set(metric.rates) <= {*RATES, *SCORES}
]
GENERATED = [name for name in COMPARED if hasattr(flm, name) and metric_of(name).uses == "cells"]


def survey(seed: int, n: int = 240, n_groups: int = 3) -> tuple[Sample, Groups]:
    rng = np.random.default_rng(seed)
    codes = (np.arange(n) % n_groups).astype(np.int32)
    label = rng.random(n) < 0.5
    score = np.clip(0.3 * label + rng.random(n) * 0.7, 0.01, 0.99)
    weight = rng.lognormal(0, 0.8, n) * np.where(label, 1.5, 0.5)
    groups = Groups("g", tuple("abcdefgh"[:n_groups]), codes)
    return Sample(label, score > 0.5, score, weight=weight), groups


def frame(sample: Sample, groups: Groups, functions: dict[str, Callable[..., Any]], scored: bool) -> flm.MetricFrame:
    return flm.MetricFrame(
        metrics=functions,
        y_true=sample.label.astype(int),
        y_pred=sample.score if scored else sample.decision.astype(int),
        sensitive_features=groups.codes,
        sample_params={name: {"sample_weight": sample.weight} for name in functions},
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [3, 4])
def test_rates_and_gaps_are_those_of_fairlearn_with_sample_params(seed: int) -> None:
    sample, groups = survey(seed)
    report = audit_arrays(sample, [groups], metrics_of([*RATES, *SCORES, *COMPARED]), n_resamples=5)
    for functions, scored in ((RATES, False), (SCORES, True)):
        theirs = frame(sample, groups, functions, scored)
        for name in functions:
            np.testing.assert_allclose(report.by_group[name], theirs.by_group[name], atol=1e-12)
            np.testing.assert_allclose(report.overall[name], theirs.overall[name], atol=1e-12)
        difference, ratio = theirs.difference(), theirs.ratio()
        for name in COMPARED:
            metric = metric_of(name)
            if len(metric.rates) == 1 and metric.rate in functions and metric.kind in ("difference", "ratio"):
                expected = (difference if metric.kind == "difference" else ratio)[metric.rate]
                np.testing.assert_allclose(report.gaps.loc[(name, "g"), "value"], expected, atol=1e-12)
    for name in GENERATED:
        expected = getattr(flm, name)(
            sample.label.astype(int),
            sample.decision.astype(int),
            sensitive_features=groups.codes,
            sample_weight=sample.weight,
        )
        np.testing.assert_allclose(report.gaps.loc[(name, "g"), "value"], expected, atol=1e-12, err_msg=name)


def test_every_metric_is_looked_at() -> None:
    rates = {rate for metric in METRICS.values() if metric.compares_groups for rate in metric.rates}
    assert rates - {*RATES, *SCORES} == {"base_rate", "calibration_error"}
    assert len(GENERATED) >= 20


def test_base_rate_and_calibration_error_worked_by_hand() -> None:
    sample = Sample(
        np.array([True, False, True, False]),
        np.array([True, True, False, False]),
        np.array([0.93, 0.95, 0.15, 0.18]),
        weight=np.array([3.0, 1.0, 1.0, 5.0]),
    )
    groups = Groups("g", ("a", "b"), np.array([0, 0, 1, 1], dtype=np.int32))
    report = audit_arrays(sample, [groups], metrics_of(["base_rate", "calibration_error"]), n_resamples=5)
    np.testing.assert_allclose(report.by_group["base_rate"], [0.75, 1 / 6])
    # a: |3 (.93 - 1) + 1 (.95 - 0)| / 4; b: |1 (.15 - 1) + 5 (.18 - 0)| / 6
    np.testing.assert_allclose(report.by_group["calibration_error"], [0.74 / 4, 0.05 / 6])


@pytest.mark.parametrize("scale", [1.0, 7.5])
def test_equal_weights_change_nothing(scale: float) -> None:
    sample, groups = survey(0)
    metrics = metrics_of([*RATES, *SCORES, "calibration_error", *COMPARED])
    plain = audit_arrays(Sample(sample.label, sample.decision, sample.score), [groups], metrics, n_resamples=300)
    equal = audit_arrays(
        Sample(sample.label, sample.decision, sample.score, weight=np.full(240, scale)),
        [groups],
        metrics,
        n_resamples=300,
    )
    numbers = [name for name in equal.gaps if plain.gaps[name].dtype == np.float64]
    pd.testing.assert_frame_equal(equal.gaps[numbers], plain.gaps[numbers], atol=1e-9)
    same = [name for name in equal.by_group if name in plain.by_group and not name.endswith("needed")]
    pd.testing.assert_frame_equal(equal.by_group[same], plain.by_group[same], atol=1e-9)
    assert (equal.by_group["n_needed"] - plain.by_group["n_needed"]).abs().max() <= 1, "rounding of a quotient"
    assert equal.n_effective == pytest.approx(240)


def test_weights_of_whole_numbers_give_the_rates_of_repeated_rows_and_wider_intervals() -> None:
    sample, groups = survey(1)
    times = np.random.default_rng(0).integers(0, 4, 240)
    again = np.repeat(np.arange(240), times)
    repeated = Sample(sample.label, sample.decision, sample.score).take(again)
    metrics = metrics_of(list(RATES))
    weighted = Sample(sample.label, sample.decision, sample.score, weight=times.astype(float))
    one = audit_arrays(weighted, [groups], metrics, n_resamples=400).by_group
    other = audit_arrays(repeated, [Groups("g", groups.names, groups.codes[again])], metrics, n_resamples=400).by_group
    for name in RATES:
        np.testing.assert_allclose(one[name], other[name], atol=1e-12)
        assert (one[f"{name}_high"] - one[f"{name}_low"] > other[f"{name}_high"] - other[f"{name}_low"]).all(), name
    np.testing.assert_allclose(
        one["n_effective"], [w.sum() ** 2 / (w**2).sum() for w in (times[groups.codes == g] for g in range(3))]
    )


@pytest.mark.parametrize("name", SCORE_FUNCTIONS)
def test_derivatives_of_scores_by_weights_are_those_of_finite_differences(name: str) -> None:
    sample, _ = survey(2, n=30)
    assert sample.weight is not None
    found = SCORE_FUNCTIONS[name](sample.label, sample.score, sample.weight)[1]
    for place in range(30):
        moved = [sample.weight.copy() for _ in range(2)]
        for one, sign in zip(moved, (-1, 1), strict=True):
            one[place] *= np.exp(sign * 1e-5)
        low, high = (SCORE_FUNCTIONS[name](sample.label, sample.score, one)[0] for one in moved)
        assert found[place] == pytest.approx((high - low) / 2e-5, abs=1e-7)


def draw_survey(rng: np.random.Generator, n: int, n_groups: int) -> tuple[GroupSample, dict[str, float]]:
    """Return a survey that took a third of the people twice as likely, who deserve and get more; and the truth in every group."""
    codes, often = rng.integers(0, n_groups, n), rng.random(n) < 0.6
    share, base, lift = np.array([0.7, 0.3]), np.array([0.35, 0.7]), np.array([0.0, 0.15])
    weight = np.where(often, 0.3 / 0.6, 0.7 / 0.4) * rng.lognormal(0, 0.5, n)
    label = rng.random(n) < base[often.astype(int)]
    decision = rng.random(n) < np.where(label, 0.7, 0.3) + lift[often.astype(int)]
    right, wrong = (share * base * (0.7 + lift)).sum(), (share * (1 - base) * (0.3 + lift)).sum()
    truth = {
        "selection_rate": right + wrong,
        "true_positive_rate": right / (share @ base),
        "precision": right / (right + wrong),
    }
    return GroupSample(Sample(label, decision, weight=weight), codes, n_groups, 300, rng), truth


@pytest.mark.parametrize("n_groups", [2, 4])
def test_intervals_cover_and_tests_keep_their_level_where_weights_go_along_with_labels(n_groups: int) -> None:
    rng, covered, held, rejected = np.random.default_rng(5), [], [], []
    for _ in range(250):
        view, truth = draw_survey(rng, 250 * n_groups, n_groups)
        for gap in ("demographic_parity_difference", "equal_opportunity_difference", "precision_difference"):
            metric = metric_of(gap)
            found = rate_evidence(view, metric.rate, 0.95)
            covered.append(np.mean((found.low <= truth[metric.rate]) & (truth[metric.rate] <= found.high)))
            low, high = gap_interval(metric, [view.rate(metric.rate)], 0.95)
            held.append(low <= 0.0 <= high)
            rejected.append(gap_p_value(metric, view) < 0.05)
    assert 0.93 < np.mean(covered) < 0.975
    assert np.mean(held) > 0.915, "0.945 to 0.95 over thousands of surveys"
    assert np.mean(rejected) < 0.085


def case_with(weight: Any) -> core.Case:
    case = core.load_case("credit")
    test = case.test.assign(w=weight)
    return core.Case(case.model, case.train.assign(w=1.0), test, case.roles.with_(sample_weight="w"), confirm=False)


def test_a_case_is_audited_by_a_column_or_an_array() -> None:
    weight = np.random.default_rng(0).lognormal(0, 0.5, 6000)
    case = case_with(weight)
    by_name, by_array = core.audit(case, sample_weight="w"), core.audit(case, sample_weight=weight)
    pd.testing.assert_frame_equal(by_name.gaps, by_array.gaps)
    effective = weight.sum() ** 2 / (weight**2).sum()
    assert repr(by_name).startswith(
        f"Audit of 6,000 test rows, weighted by w (worth {effective:,.0f} equal ones), 95% intervals"
    )
    assert any("weights of the test rows in 'w' are left out" in note for note in core.audit(case).notes)
    north = core.audit(case, sample_weight="w", where="branch = 'north'")
    same = core.audit(case, sample_weight=weight[case.only("branch = 'north'").rows("test")], where="branch = 'north'")
    pd.testing.assert_frame_equal(north.by_group, same.by_group)
    assert by_name.plot("selection_rate").layout.meta["title"]


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (np.where(np.arange(6000) < 3, -1.0, 1.0), "3 of 6,000 in 'w' are negative"),
        (np.where(np.arange(6000) < 2, np.nan, 1.0), "2 of 6,000 in 'w' are missing"),
        (np.where(np.arange(6000) < 2, np.inf, 1.0), "2 of 6,000 in 'w' are infinite"),
        (np.zeros(6000), "All 6,000 in 'w' are 0"),
        (["a"] * 6000, "must be numbers. Got text in 'w'"),
    ],
)
def test_wrong_weights_end_in_a_sentence(weight: Any, said: str) -> None:
    case = core.load_case("credit")
    other = core.Case(case.model, case.train, case.test.assign(w=weight), case.roles, confirm=False)
    with pytest.raises(InputError, match=said):
        core.audit(other, sample_weight="w")


def test_weights_that_are_not_there_end_in_a_sentence() -> None:
    case = core.load_case("credit")
    with pytest.raises(InputError, match=r"Got 'amuont'. Did you mean 'amount'"):
        core.audit(case, sample_weight="amuont")
    with pytest.raises(InputError, match=r"for each of the 6,000 rows .* shape \(3,\)"):
        core.audit(case, sample_weight=[1.0, 2.0, 3.0])
    with pytest.raises(InputTypeError, match="must name a column"):
        core.audit(case, sample_weight=3)  # type: ignore[arg-type]
