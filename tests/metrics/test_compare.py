"""Two models on the same records."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

import core
from core.case.groups import Groups
from core.errors import InputError
from core.metrics.audit import audit
from core.metrics.catalog import DEFAULT_METRICS, METRICS
from core.metrics.compare import ALL_RECORDS, compare, compare_decisions, compare_groups


@pytest.fixture(scope="module")
def other_case(small_case: core.Case) -> core.Case:
    """The same case with a blunter model."""
    from sklearn.base import clone

    table = small_case.train.iloc[:300]
    model = clone(small_case.model).fit(table[list(small_case.features)], table["granted"])
    return small_case.replace(model, small_case.retained)


def test_every_metric_before_and_after_is_the_audits(small_case: core.Case, other_case: core.Case) -> None:
    shift = compare(small_case, other_case)
    for side, case in (("before", small_case), ("after", other_case)):
        report = audit(case, on="explore")
        for metric, feature in shift.index:
            expected = report.overall[metric] if feature == ALL_RECORDS else report.gaps.loc[(metric, feature), "value"]
            assert shift.loc[(metric, feature), side] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert {name for name, _ in shift.index} == set(DEFAULT_METRICS)
    np.testing.assert_allclose(shift["change"], shift["after"] - shift["before"])
    gaps = [METRICS[name].kind in ("difference", "ratio") for name, _ in shift.index]
    report = audit(other_case).gaps
    assert shift["ahead_after"][gaps].tolist() == report.loc[shift.index[gaps], "best_group"].tolist()
    assert (shift["low"] <= shift["change"]).all()
    assert (shift["change"] <= shift["high"]).all()


def test_nothing_changes_between_a_case_and_itself(small_case: core.Case) -> None:
    shift = compare(small_case, small_case)
    assert (shift["change"] == 0).all()
    assert (shift["low"] <= 0).all()
    assert (shift["high"] >= 0).all()
    assert (shift["p_value"] == 1).all()


def test_paired_intervals_are_narrower_than_two_audits(small_case: core.Case, other_case: core.Case) -> None:
    name = "equal_opportunity_difference"
    shift = compare(small_case, other_case, metric=name, sensitive_feature="sex").iloc[0]
    halves = [
        np.ptp(audit(c, name, sensitive_feature="sex", on="explore").gaps.iloc[0][["low", "high"]].astype(float)) / 2
        for c in (small_case, other_case)
    ]
    assert (shift["high"] - shift["low"]) / 2 < 0.8 * np.hypot(*halves)


def test_paired_score_intervals_use_the_covariance(small_case: core.Case, other_case: core.Case) -> None:
    shift = compare(small_case, other_case, metric=["roc_auc", "brier_score"])
    cases = [
        audit(case, ["roc_auc", "brier_score"], sensitive_feature="sex", on="explore").by_group
        for case in (small_case, other_case)
    ]
    for rate in ("roc_auc", "brier_score"):
        # Each of two groups holds about half of the records.
        alone = [(table[f"{rate}_high"] - table[f"{rate}_low"]).mean() / np.sqrt(2) for table in cases]
        paired = shift.loc[(rate, ALL_RECORDS), "high"] - shift.loc[(rate, ALL_RECORDS), "low"]
        assert paired < 0.7 * np.hypot(*alone)


def test_swapping_pairs_is_mcnemars_test() -> None:
    label = np.ones(300, dtype=bool)
    before, after = np.zeros(300, dtype=bool), np.zeros(300, dtype=bool)
    before[:100] = after[6:100] = True
    after[100:117] = True
    groups = [Groups("g", ("a", "b"), np.tile([0, 1], 150).astype(np.int32))]
    row = compare_decisions(label, before, after, groups, "selection_rate", n_resamples=20_000).iloc[0]
    assert row["p_value"] == pytest.approx(binomtest(6, 23).pvalue, abs=0.01)
    assert row["change"] == pytest.approx(11 / 300)


@pytest.mark.parametrize(
    "name", ["demographic_parity_difference", "demographic_parity_ratio", "accuracy_score_difference"]
)
def test_a_gap_that_was_none_opens_the_same_whichever_group_loses(name: str) -> None:
    sex = Groups("sex", ("f", "m"), np.tile(np.array([0, 1], dtype=np.int32), 500))
    place = np.arange(1000) // 2
    before = place % 2 == 0
    found = []
    for loses in (0, 1):
        after = before & ~((sex.codes == loses) & (place % 10 < 6))
        found.append(compare_decisions(np.ones(1000, dtype=bool), before, after, [sex], name).iloc[0])
    for shift in found:
        assert shift["change"] == pytest.approx(-0.6 if name.endswith("ratio") else 0.3)
        assert shift["low"] * shift["high"] > 0, "the interval lies on the side of the change"
        assert shift["low"] <= shift["change"] <= shift["high"]
    assert found[0]["low"] == pytest.approx(found[1]["low"], abs=0.02)
    assert found[0]["high"] == pytest.approx(found[1]["high"], abs=0.02)


def test_a_ratio_is_turned_by_its_rates_not_by_the_smoothed_ones() -> None:
    # One half of 4 and of 1,000 before; smoothed by half a record both stay one half, but 3 of 4 and 750 of 1,000 do not.
    codes = np.repeat(np.array([0, 1], dtype=np.int32), [40, 1000])
    share = np.concatenate([np.arange(40) % 4, np.arange(1000) % 4])
    before = share < 3
    after = before & ~((codes == 1) & (share < 2))
    both = [Groups("sex", ("f", "m"), code) for code in (codes, 1 - codes)]
    found = [
        compare_decisions(np.ones(1040, dtype=bool), before, after, [one], "demographic_parity_ratio").iloc[0]
        for one in both
    ]
    for shift in found:
        assert shift["high"] < 0, "the interval lies on the side of the change"


def test_two_groups_of_which_one_has_no_favourable_label_are_compared_on_the_other_rate() -> None:
    draw = np.random.default_rng(0)
    sex = Groups("sex", ("f", "m"), np.repeat(np.array([0, 1], dtype=np.int32), 200))
    label = (sex.codes == 1) & (draw.random(400) < 0.5)
    before = draw.random(400) < np.where(sex.codes == 1, 0.5, 0.2)
    after = before & (draw.random(400) < 0.9)
    odds, wrongly = (
        compare_decisions(label, before, after, [sex], name).iloc[0]
        for name in ("equalized_odds_difference", "false_positive_rate_difference")
    )
    assert odds["change"] == pytest.approx(wrongly["change"])
    assert odds["low"] == pytest.approx(wrongly["low"], abs=0.02)
    assert odds["high"] == pytest.approx(wrongly["high"], abs=0.02)
    assert odds["p_value"] == pytest.approx(wrongly["p_value"], abs=0.05)


def test_groups_that_change_places_are_marked() -> None:
    codes = np.tile([0, 1], 500).astype(np.int32)
    label = np.ones(1000, dtype=bool)
    rank = np.arange(1000) // 2 % 100
    before, after = rank < np.where(codes == 0, 60, 50), rank < np.where(codes == 0, 50, 53)
    row = compare_decisions(
        label, before, after, [Groups("g", ("a", "b"), codes)], "equal_opportunity_difference"
    ).iloc[0]
    assert row["reversed"]
    assert (row["ahead_before"], row["ahead_after"]) == ("a", "b")
    assert (row["before"], row["after"], row["change"]) == pytest.approx((0.10, 0.03, -0.07))
    assert row["direction"] == "better"
    assert row["signed_change"] == pytest.approx(-0.13)
    assert row["signed_low"] < -0.13 < row["signed_high"] < 0


def test_a_gap_that_grew_the_other_way_round_is_worse_by_its_size() -> None:
    codes = np.tile([0, 1], 5000).astype(np.int32)
    rank = np.arange(10_000) // 2 % 1000
    before, after = rank < np.where(codes == 0, 800, 793), rank < np.where(codes == 0, 700, 797)
    groups = [Groups("sex", ("f", "m"), codes)]
    row = compare_decisions(np.ones(10_000, dtype=bool), before, after, groups, "accuracy_score_difference").iloc[0]
    assert (row["before"], row["after"], row["change"]) == pytest.approx((0.007, 0.097, 0.09))
    assert (row["direction"], row["ahead_before"], row["ahead_after"]) == ("worse", "f", "m")
    assert 0.05 < row["low"] < 0.09 < row["high"] < 0.13
    assert row["p_value"] < 0.001
    assert row["signed_change"] == pytest.approx(-0.104)


def test_a_gap_that_is_only_turned_round_has_not_changed_its_size() -> None:
    codes = np.tile([0, 1], 2000).astype(np.int32)
    rank = np.arange(4000) // 2 % 100
    before, after = rank < np.where(codes == 0, 60, 50), rank < np.where(codes == 0, 50, 60)
    row = compare_decisions(
        np.ones(4000, dtype=bool), before, after, [Groups("g", ("a", "b"), codes)], "selection_rate_difference"
    ).iloc[0]
    assert row["reversed"]
    assert row["change"] == pytest.approx(0.0, abs=1e-12)
    assert row["direction"] in ("", "better", "worse")
    assert row["low"] < 0 < row["high"]
    assert row["p_value"] > 0.9
    assert row["signed_high"] < -0.15


@pytest.mark.parametrize("name", ["roc_auc_difference", "brier_score_difference", "roc_auc_ratio", "average_precision"])
def test_score_changes_have_paired_intervals(small_case: core.Case, other_case: core.Case, name: str) -> None:
    row = compare(small_case, other_case, metric=name, sensitive_feature="age").iloc[0]
    assert row["low"] <= row["change"] <= row["high"]
    assert 0 <= row["p_value"] <= 1
    assert METRICS[name].uses == "scores"


def test_scores_at_hand_take_the_place_of_the_second_models(small_case: core.Case, other_case: core.Case) -> None:
    done = compare(small_case, other_case)
    previewed = compare(small_case, small_case, scores=other_case.scores("explore"))
    pd.testing.assert_frame_equal(done, previewed)


def test_every_groups_own_rates(small_case: core.Case, other_case: core.Case) -> None:
    table = compare_groups(small_case, other_case, metric=["selection_rate", "equal_opportunity_difference"])
    audited = audit(other_case, ["selection_rate", "true_positive_rate"], on="explore").by_group
    for rate, feature, group in table.index:
        assert table.loc[(rate, feature, group), "after"] == pytest.approx(
            audited.loc[(feature, group), rate], nan_ok=True
        )
    assert set(table.index.get_level_values(0)) == {"selection_rate", "true_positive_rate"}


@pytest.mark.parametrize("arguments", [{"level": 2.0}, {"n_resamples": 0}, {"seed": -1}])
def test_bad_arguments_say_what_must_hold(small_case: core.Case, arguments: dict[str, float]) -> None:
    for call in (compare, compare_groups):
        with pytest.raises(InputError):
            call(small_case, small_case, **arguments)  # type: ignore[arg-type]


def test_cases_with_other_rows_are_refused(small_case: core.Case) -> None:
    cut = core.Case(small_case.model, small_case.train, small_case.test.iloc[:900], small_case.roles)
    with pytest.raises(InputError, match="share their test table"):
        compare(small_case, cut)


def test_decisions_alone_do_not_make_score_metrics() -> None:
    yes = np.ones(4, dtype=bool)
    with pytest.raises(InputError, match="roc_auc"):
        compare_decisions(yes, yes, yes, [], "roc_auc")
