"""The audit of a case."""

from __future__ import annotations

import fairlearn.metrics as flm
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.svm import LinearSVC

import core
from core.case.groups import Groups
from core.errors import InputError, NotSupportedError
from core.metrics.audit import audit, audit_arrays
from core.metrics.catalog import DEFAULT_METRICS, METRICS, metrics_of
from core.metrics.intervals import wilson
from core.metrics.samples import Sample


def test_report_agrees_with_fairlearn(small_case: core.Case) -> None:
    report = audit(small_case, on="explore")
    y, decision = small_case.y("explore").astype(int), small_case.decisions("explore").astype(int)
    parts = [np.array(g.names)[g.codes] for g in (small_case.groups(f, "explore") for f in ("sex", "age"))]
    for feature, values in {
        "sex": parts[0],
        "age": parts[1],
        "sex & age": np.char.add(np.char.add(parts[0], ", "), parts[1]),
    }.items():
        frame = flm.MetricFrame(metrics=flm.true_positive_rate, y_true=y, y_pred=decision, sensitive_features=values)
        ours = report.by_group.loc[feature, "true_positive_rate"].reindex(frame.by_group.index)
        np.testing.assert_allclose(ours, frame.by_group, atol=1e-12, rtol=0)
        for name in ("demographic_parity_difference", "equalized_odds_difference", "demographic_parity_ratio"):
            theirs = getattr(flm, name)(y, decision, sensitive_features=values)
            assert report.gaps.loc[(name, feature), "value"] == pytest.approx(theirs, abs=1e-12)
    assert report.overall["accuracy"] == pytest.approx((y == decision).mean(), abs=1e-12)
    assert report.n == len(y)


def test_report_has_the_promised_shape(small_case: core.Case) -> None:
    report = audit(small_case, on="explore")
    assert report.by_group.index.names == ["sensitive_feature", "group"]
    assert report.gaps.index.names == ["metric", "sensitive_feature"]
    assert list(report.gaps.columns[:7]) == ["value", "low", "high", "p_value", "worst_group", "best_group", "n_worst"]
    assert report.by_group.columns[0] == "n"
    for rate in ("selection_rate", "roc_auc", "brier_score", "balanced_accuracy"):
        block = report.by_group[[f"{rate}_low", rate, f"{rate}_high"]].dropna().to_numpy()
        assert (np.diff(block, axis=1) >= 0).all()
    assert set(report.gaps.index.get_level_values(0)) == {n for n in DEFAULT_METRICS if METRICS[n].compares_groups}
    kinds = report.gaps.index.get_level_values(0).map(lambda name: METRICS[name].kind)
    tests = report.gaps["p_value"][kinds.isin(["difference", "ratio"])]
    assert tests.between(0, 1).all()


def test_same_seed_same_report_and_features_do_not_disturb_each_other(small_case: core.Case) -> None:
    both = audit(small_case, seed=3, on="explore").gaps
    alone = audit(small_case, seed=3, sensitive_feature=["age"], on="explore").gaps
    pd.testing.assert_frame_equal(both.loc[alone.index], alone)
    assert not audit(small_case, seed=4, on="explore").gaps["p_value"].equals(both["p_value"])


def test_rates_have_wilson_intervals(small_case: core.Case) -> None:
    table = audit(small_case, "selection_rate", sensitive_feature="sex", on="explore").by_group
    low, high = wilson(table["selection_rate"].to_numpy(), table["n"].to_numpy(), 0.95)
    np.testing.assert_allclose(table[["selection_rate_low", "selection_rate_high"]].T, [low, high])


def test_intervals_widen_with_the_level(small_case: core.Case) -> None:
    widths = [
        np.ptp(audit(small_case, level=level, on="explore").gaps[["low", "high"]].to_numpy(), axis=1)
        for level in (0.8, 0.99)
    ]
    assert (widths[0] < widths[1]).all()


def test_small_groups_are_named_with_the_n_they_need() -> None:
    codes = np.repeat([0, 1, 2], [500, 500, 8]).astype(np.int32)
    rng = np.random.default_rng(0)
    label, decision = rng.random(1008) < 0.5, rng.random(1008) < 0.5
    groups = Groups("district", ("north", "south", "island"), codes)
    report = audit_arrays(
        Sample(label, decision), [groups], metrics_of(["demographic_parity_difference", "true_positive_rate"])
    )
    table = report.by_group.loc["district"]
    assert table["insufficient"].tolist() == [False, False, True]
    assert table.loc["island", "n_needed"] > 90
    assert any("island (n = 8)" in note for note in report.notes)
    gap = report.gaps.loc[("demographic_parity_difference", "district")]
    assert gap["insufficient"] == ("island" in (gap["worst_group"], gap["best_group"]))


def test_groups_without_the_rate_are_left_out_by_name() -> None:
    codes = np.repeat([0, 1, 2, 3], [100, 100, 30, 0]).astype(np.int32)
    label = np.arange(230) % 2 == 0
    label[200:] = False
    decision = np.arange(230) % 3 == 0
    report = audit_arrays(
        Sample(label, decision), [Groups("g", ("a", "b", "c", "d"), codes)], metrics_of("equal_opportunity_difference")
    )
    gap = report.gaps.iloc[0]
    assert gap["left_out"] == "c, d"
    assert np.isfinite(gap[["value", "low", "high", "p_value"]].astype(float)).all()
    assert report.by_group.loc[("g", "d"), "n"] == 0
    assert np.isnan(report.by_group.loc[("g", "c"), "true_positive_rate"])
    assert any("No value in g for c, d of true_positive_rate" in note for note in report.notes)


@pytest.mark.parametrize("metric", ["false_positive_rate_difference", "equalized_odds_ratio"])
def test_who_is_worst_off_depends_on_what_the_score_is_for(metric: str) -> None:
    label, codes = np.zeros(200, dtype=bool), np.repeat([0, 1], 100).astype(np.int32)
    label[::10] = True
    decision = label | (codes == 1) & (np.arange(200) % 3 == 0)
    groups = [Groups("g", ("few let through", "many let through"), codes)]
    for scored_is_good, worst in ((True, "few let through"), (False, "many let through")):
        sample = Sample(label, decision, pos_is_favorable=scored_is_good)
        gap = audit_arrays(sample, groups, metrics_of([metric])).gaps.iloc[0]
        assert (gap["worst_group"], gap["n_worst"]) == (worst, 100)


def test_one_group_has_no_gap() -> None:
    sample = Sample(np.array([True, False]), np.array([True, True]))
    groups = Groups("g", ("a", "b"), np.zeros(2, dtype=np.int32))
    gaps = audit_arrays(
        sample, [groups], metrics_of([name for name in DEFAULT_METRICS if METRICS[name].uses == "cells"])
    ).gaps
    assert gaps[["value", "low", "high", "p_value"]].isna().all(axis=None)


def test_a_rate_of_one_in_a_small_group_is_not_certain() -> None:
    codes = np.repeat([0, 1], [10, 400]).astype(np.int32)
    label = np.ones(410, dtype=bool)
    decision = np.append(np.ones(10, dtype=bool), np.arange(400) % 2 == 0)
    gap = audit_arrays(
        Sample(label, decision), [Groups("g", ("a", "b"), codes)], metrics_of("equal_opportunity_difference")
    ).gaps.iloc[0]
    assert gap["high"] - gap["low"] > 0.2


def test_unfavourable_positive_label_turns_rates_and_scores() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"amount": rng.normal(size=600), "sex": rng.choice(["f", "m"], 600)})
    table["fraud"] = (table["amount"] + rng.normal(size=600) > 0.8).astype(int)
    model = LogisticRegression().fit(table[["amount"]], table["fraud"])
    case = core.Case(model, table, table, core.Roles("fraud", 1, 0, ["sex"]), confirm=False)
    overall = audit(
        case,
        ["true_positive_rate", "recall", "roc_auc", "brier_score", "average_precision", "flagged_rate"],
        on="explore",
    ).overall
    flagged = case.decisions("explore")
    fraud, score = case.y("explore"), case.scores("explore")
    assert overall["recall"] == pytest.approx(flagged[fraud].mean())
    assert overall["true_positive_rate"] == pytest.approx((~flagged)[~fraud].mean())
    assert overall["flagged_rate"] == pytest.approx(flagged.mean())
    assert overall["brier_score"] == pytest.approx(np.mean((score - fraud) ** 2))
    assert overall["roc_auc"] == pytest.approx(roc_auc_score(fraud, score))
    assert overall["average_precision"] == pytest.approx(average_precision_score(fraud, score))


def test_a_model_without_probabilities_is_audited_without_them() -> None:
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"amount": rng.normal(size=300), "sex": rng.choice(["f", "m"], 300)})
    table["granted"] = (table["amount"] + rng.normal(size=300) > 0).astype(int)
    model = LinearSVC().fit(table[["amount"]], table["granted"])
    case = core.Case(model, table, table, core.Roles("granted", 1, 1, ["sex"]), confirm=False)
    report = audit(case, on="explore")
    assert "brier_score" not in report.by_group
    assert any("brier_score" in note for note in report.notes)
    with pytest.raises(NotSupportedError, match="predict_proba"):
        audit(case, ["brier_score"], on="explore")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"metric": ["accurcy"]}, "Did you mean 'accuracy'"),
        ({"sensitive_feature": ["sexx"]}, "sex"),
        ({"level": 1.5}, "level must be between 0 and 1"),
        ({"n_resamples": 0}, "`n_resamples` must be a whole number of at least 1"),
        ({"n_resamples": 10**10}, "at most 100,000"),
        ({"seed": -1}, "whole number, 0 or above"),
        ({"seed": "x"}, "whole number, 0 or above"),
        ({"on": "exlore"}, "explore"),
    ],
)
def test_bad_arguments_say_what_must_hold(small_case: core.Case, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        audit(small_case, **arguments)  # type: ignore[arg-type]


def test_an_intersection_of_too_many_groups_is_left_out_and_said() -> None:
    draw = np.random.default_rng(0)
    table = pd.DataFrame({f"town{number}": draw.choice([f"t{one}" for one in range(40)], 600) for number in range(4)})
    table["amount"], table["granted"] = draw.normal(size=600), draw.integers(0, 2, 600)
    model = LogisticRegression().fit(table[["amount"]], table["granted"])
    towns = [f"town{number}" for number in range(4)]
    case = core.Case(model, table, table, core.Roles("granted", 1, 1, towns))
    report = audit(case, "selection_rate", on="explore")
    assert list(report.by_group.index.levels[0]) == towns
    assert any("2,560,000 combinations" in note for note in report.notes)
    with pytest.raises(InputError, match="at most 200,000 combinations"):
        audit(case, "selection_rate", sensitive_feature=[tuple(towns)], on="explore")


def test_score_metrics_need_scores() -> None:
    sample = Sample(np.array([True, False]), np.array([True, True]))
    groups = Groups("g", ("a", "b"), np.array([0, 1], dtype=np.int32))
    with pytest.raises(InputError, match="roc_auc needs scores"):
        audit_arrays(sample, [groups], metrics_of("roc_auc"))


def test_what_a_gap_draws_does_not_depend_on_what_else_is_asked_for(small_case: core.Case) -> None:
    everything = audit(small_case, sensitive_feature=["sex"], on="explore").gaps
    for metric in everything.index.get_level_values(0):
        alone = audit(small_case, [metric], sensitive_feature=["sex"], on="explore").gaps.iloc[0]
        asked = everything.loc[(metric, "sex")]
        assert alone[["value", "low", "high", "p_value"]].equals(asked[["value", "low", "high", "p_value"]]), metric


def test_a_ratio_of_nothing_to_nothing_has_no_interval() -> None:
    sample = Sample(np.ones(40, dtype=bool), np.zeros(40, dtype=bool))
    sex = Groups("sex", ("f", "m"), np.resize(np.array([0, 1], dtype=np.int32), 40))
    gaps = audit_arrays(sample, [sex], metrics_of("demographic_parity_ratio")).gaps.iloc[0]
    assert gaps[["value", "low", "high", "p_value"]].isna().all()


def test_q_values_correct_over_the_tests_of_the_table(small_case: core.Case) -> None:
    """Benjamini & Hochberg written out: the smallest p_(j) m / j over all j at least as large in rank; metrics of the same rates are one test."""
    gaps = audit(small_case, on="explore").gaps
    tested = gaps["p_value"].dropna()
    tests = {(METRICS[metric].rates, feature): p for (metric, feature), p in tested.items()}
    assert len(tests) < len(tested)
    p = np.sort(list(tests.values()))
    steps = p * len(p) / np.arange(1, len(p) + 1)
    expected = [min(1.0, steps[p >= value - 1e-12].min()) for value in tested]
    np.testing.assert_allclose(gaps["q_value"].dropna(), expected)
    assert gaps["q_value"].isna().equals(gaps["p_value"].isna())
    alone = audit(small_case, "equal_opportunity_difference", on="explore", sensitive_feature="sex").gaps
    assert alone["q_value"].equals(alone["p_value"].rename("q_value"))


def test_of_many_gaps_that_are_chance_few_tables_call_any_a_discovery() -> None:
    """Each table has a dozen tests of nothing: p alone is below 0.05 in many a table, q in at most one of twenty or so."""
    draw, by_p, by_q = np.random.default_rng(5), 0, 0
    for _ in range(40):
        n = 300
        table = pd.DataFrame({"x": draw.normal(size=n), "y": draw.integers(0, 2, n)})
        for name in ("a", "b", "c"):
            table[name] = draw.choice(["u", "v"], n)
        model = LogisticRegression().fit(table[["x"]], table["y"])
        case = core.Case(model, table, table, core.Roles("y", 1, 1, ["a", "b", "c"]), confirm=False)
        gaps = audit(case, on="explore", n_resamples=400).gaps
        by_p += bool((gaps["p_value"] < 0.05).any())
        by_q += bool((gaps["q_value"] < 0.05).any())
    assert by_q / 40 <= 0.125 < 0.25 < by_p / 40
