"""Is a change fairer, and who pays for it?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

import core
from core.errors import InputError, InputTypeError, NotSupportedError
from core.metrics.catalog import metric_of
from core.metrics.compare import compare_groups, compared_cases
from core.metrics.guardrails import guard, guarded_features, judge
from core.metrics.guardrails.people import moved, people_counted, people_decided_otherwise
from core.metrics.samples import Sample
from core.words import percent

GAP = "equal_opportunity_difference"


def made(
    rates: dict[str, tuple[float, float]],
    n: int = 1000,
    *,
    age: dict[str, tuple[float, float]] | None = None,
    **roles: object,
) -> tuple[core.Case, core.Case]:
    """Return two cases on the same people, all of them deserving but the last, of whom each group has these shares served before and after.

    The model reads its decision off a column, so that every figure is known by hand.
    """
    parts = []
    for sex, (before, after) in rates.items():
        place = np.arange(n) / n
        parts.append(
            pd.DataFrame({"sex": sex, "before": place < before, "after": place < after, "place": np.arange(n)})
        )
    table = pd.concat(parts, ignore_index=True)
    table["half"] = np.where(table["place"] % 2, "odd", "even")
    table["granted"] = (table.index < len(table) - 1).astype(int)
    table[["before", "after"]] = table[["before", "after"]].astype(float)
    train = pd.DataFrame({"sex": ["f", "m"] * 40, "half": ["odd", "even"] * 40, "before": [0.0, 0.0, 1.0, 1.0] * 20})
    train["after"] = train["before"]
    train["granted"] = train["before"].astype(int)
    settings = {
        "target": "granted",
        "pos_label": 1,
        "favorable_label": 1,
        "sensitive_features": ["sex", "half"],
    } | roles
    both = [
        LogisticRegression(C=1e6).fit(train[["before", "after"]] * mask, train["granted"])
        for mask in ([1.0, 0.0], [0.0, 1.0])
    ]
    case = core.Case(both[0], train, table.drop(columns="place"), core.Roles(**settings), threshold=0.5, confirm=False)
    return case, case.replace(both[1], case.retained)


def judged(rates: dict[str, tuple[float, float]], **options: object) -> core.Guardrails:
    n = options.pop("n", 1000)
    return core.guardrails(*made(rates, n), metric="demographic_parity_difference", **options)


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        pytest.param({"f": (0.5, 0.65), "m": (0.7, 0.7)}, "fairer", id="the worst off rise"),
        pytest.param({"f": (0.5, 0.62), "m": (0.7, 0.62)}, "fairer", id="and the best off lose a little less"),
        pytest.param(
            {"f": (0.5, 0.52), "m": (0.7, 0.6)}, "fairer_by_levelling_down", id="mostly by the best off's fall"
        ),
        pytest.param({"f": (0.5, 0.45), "m": (0.7, 0.5)}, "fairer_by_levelling_down", id="everyone loses"),
        pytest.param({"f": (0.5, 0.4), "m": (0.7, 0.7)}, "less_fair", id="the gap grows"),
        pytest.param({"f": (0.5, 0.4), "m": (0.7, 0.6)}, "less_fair", id="the worst off fall, the gap stays"),
        pytest.param({"f": (0.5, 0.9), "m": (0.7, 0.6)}, "less_fair", id="the gap grows the other way round"),
        pytest.param({"f": (0.5, 0.6), "m": (0.7, 0.8)}, "no_clear_change", id="everyone gains alike"),
        pytest.param({"f": (0.5, 0.501), "m": (0.7, 0.699)}, "no_clear_change", id="next to nothing"),
        pytest.param({"f": (0.5, 0.5), "m": (0.7, 0.7)}, "no_clear_change", id="nothing"),
    ],
)
def test_the_verdict_on_rates_known_by_hand(rates: dict[str, tuple[float, float]], verdict: str) -> None:
    assert judged(rates).verdict == verdict


def test_a_gain_that_costs_too_much_accuracy_is_mixed() -> None:
    """Women who do not deserve it are served: the gap closes by them, and every such decision is wrong."""
    before, after = made({"f": (0.5, 0.68), "m": (0.7, 0.7)})
    table = before.test.copy()
    newly = (table["sex"] == "f") & (table["after"] > table["before"])
    table.loc[newly, "granted"] = 0
    case = core.Case(before.model, before.train, table, before.roles, threshold=0.5, confirm=False)
    options = {"metric": "demographic_parity_difference"}
    side = core.guardrails(case, case.replace(after.model, case.retained), **options)
    assert side.verdict == "mixed"
    assert "accuracy falls by more than the 0.01 allowed" in side.sentence
    assert (
        core.guardrails(case, case.replace(after.model, case.retained), max_utility_drop=0.2, **options).verdict
        == "fairer"
    )


def test_a_gap_that_opens_on_another_feature_makes_it_mixed() -> None:
    before, _ = made({"f": (0.5, 0.65), "m": (0.7, 0.7)})
    table = before.test.copy()
    odd = (table["half"] == "odd").to_numpy()
    place = np.arange(len(table)) % 1000
    table["after"] = np.where(
        table["sex"] == "f", place < np.where(odd, 900, 400), place < np.where(odd, 800, 600)
    ).astype(float)
    case = core.Case(before.model, before.train, table, before.roles, threshold=0.5, confirm=False)
    model = made({"f": (0.5, 0.65), "m": (0.7, 0.7)})[1].model
    side = core.guardrails(case, case.replace(model, case.retained), metric="demographic_parity_difference")
    assert side.verdict == "mixed"
    assert "the same gap by half widens" in side.sentence


def test_the_sentence_counts_people() -> None:
    side = judged({"f": (0.5, 0.45), "m": (0.7, 0.5)})
    assert side.sentence.startswith(
        "Fairer by levelling down: the gap in good outcomes by sex falls from 0.200 to 0.050, only because the best off lose"
    )
    assert "f 50.0% to 45.0%, m 70.0% to 50.0%" in side.sentence
    assert (
        "Of 2,000 test rows searched 250 are newly refused (m: 200, f: 50; granted = 1: 250) and nobody is newly served"
        in side.sentence
    )
    assert f"Accuracy {percent(1201 / 2000)} to {percent(951 / 2000)}." in side.sentence


def test_in_fraud_people_are_flagged_not_refused() -> None:
    side = core.guardrails(
        *made({"f": (0.5, 0.4), "m": (0.7, 0.7)}, favorable_label=0), metric="demographic_parity_difference"
    )
    assert "nobody is newly flagged and 100 are no longer flagged (f: 100; granted = 0: 0)" in side.sentence
    assert "gap in the share not flagged by sex" in side.sentence


def test_people_are_named_by_test_row_group_and_true_label() -> None:
    before, after = made({"f": (0.5, 0.52), "m": (0.7, 0.6)})
    side = core.guardrails(before, after, metric="demographic_parity_difference")
    change = before.test["after"].to_numpy() - before.test["before"].to_numpy()
    assert side.people.index.tolist() == before.test_ids[np.flatnonzero(change)].tolist()
    assert (side.people["decision"] == "newly refused").sum() == 100
    assert set(side.people.loc[side.people["decision"] == "newly served", "sex"]) == {"f"}
    assert side.people["label"].eq(1).all()
    assert side.counts.loc[("sex", "m", True)].tolist() == [999, 100, 0]
    assert side.counts.loc[("sex", "f", True)].tolist() == [1000, 0, 20]
    assert side.counts.loc["sex & half"]["newly_refused"].sum() == 100


def test_levels_are_the_audits_and_their_test_is_mcnemars(small_case: core.Case) -> None:
    after = core.unlearn(small_case, small_case.record_ids[:300]).case
    side = core.guardrails(small_case, after)
    audited = core.audit(after, metric=["selection_rate", "true_positive_rate", "accuracy"], on="explore").by_group
    for metric, feature, group in side.groups.index:
        if metric != "false_positive_rate":
            assert side.groups.loc[(metric, feature, group), "after"] == pytest.approx(
                audited.loc[(feature, group), metric], nan_ok=True
            )
    sex = small_case.groups("sex", "explore")
    label, old, new = small_case.y("explore"), small_case.decisions("explore"), after.decisions("explore")
    for code, name in enumerate(sex.names):
        rows = (sex.codes == code) & label
        up, down = int((~old & new & rows).sum()), int((old & ~new & rows).sum())
        assert side.groups.loc[("true_positive_rate", "sex", name), "p_value"] == pytest.approx(
            binomtest(up, up + down).pvalue
        )
        assert side.groups.loc[("true_positive_rate", "sex", name), "n"] == rows.sum()


def test_the_comparison_is_the_one_of_compare(small_case: core.Case) -> None:
    after = core.unlearn(small_case, small_case.record_ids[:300]).case
    side, shift = core.guardrails(small_case, after), core.compare(small_case, after)
    common = side.metrics.index.intersection(shift.index)
    assert len(common) >= 12
    pd.testing.assert_frame_equal(side.metrics.loc[common, shift.columns], shift.loc[common], check_like=True)
    groups = compare_groups(small_case, after, metric=["selection_rate", "accuracy"])
    both = side.groups.index.intersection(groups.index)
    pd.testing.assert_frame_equal(side.groups.loc[both, groups.columns], groups.loc[both])
    found = judge(small_case, after, GAP, "sex")
    assert found.side is not None
    assert found.side.sentence == side.sentence
    pd.testing.assert_frame_equal(found.table.loc[shift.index], shift, check_names=False)


def test_the_chosen_gap_is_tested_alone_and_all_else_together(small_case: core.Case) -> None:
    after = core.unlearn(small_case, small_case.record_ids[:300]).case
    side = core.guardrails(small_case, after)
    chosen = side.metrics.loc[(GAP, "sex")]
    assert chosen["q_value"] == chosen["p_value"]
    table = side.to_frame().set_index(["metric", "sensitive_feature", "group"])
    others = table.drop(index=(GAP, "sex", "(gap)"))
    tested = others["q_value"].notna()
    p_value = np.sort(others["p_value"][tested])
    assert side.n_tested == tested.sum() == len(p_value)
    adjusted = np.minimum.accumulate((p_value * len(p_value) / np.arange(1, len(p_value) + 1))[::-1])[::-1]
    np.testing.assert_allclose(np.sort(others["q_value"][tested]), np.minimum(adjusted, 1.0))


def test_small_groups_are_shown_or_left_out_but_never_tested() -> None:
    before, after = made({"f": (0.5, 0.8), "m": (0.7, 0.7), "x": (0.5, 0.9)}, n=58)
    side = core.guardrails(before, after, metric="demographic_parity_difference")
    assert side.groups.loc[("selection_rate", "sex", "f"), "q_value"] >= 0
    assert "sex & half" not in side.groups.index.get_level_values("sensitive_feature"), "29 rows each"
    before, after = made({"f": (0.5, 0.8), "m": (0.7, 0.7)}, n=29)
    side = core.guardrails(before, after, metric="demographic_parity_difference")
    assert np.isnan(side.groups.loc[("selection_rate", "sex", "f"), "q_value"])
    assert any("fewer than 30 rows" in note for note in side.notes)
    assert not side.groups["clear"].any()


def test_shares_of_groups_removed(small_case: core.Case) -> None:
    women = small_case.train.loc[small_case.train["sex"] == "f", "person"]
    side = core.guardrails(small_case, core.unlearn(small_case, women[:90]).case)
    assert side.removed.loc[("sex", "f")].tolist() == [len(women), 90, 90 / len(women)]
    assert side.removed.loc[("sex", "m"), "removed"] == 0
    assert side.removed.loc["sex & age", "removed"].sum() == 90


def test_a_preview_is_judged_as_what_it_predicts(small_case: core.Case) -> None:
    forget = small_case.record_ids[:200]
    after = core.unlearn(small_case, forget).case
    done = core.guardrails(small_case, after)
    previewed = core.guardrails(small_case, small_case, scores=after.scores("explore"), forget=forget)
    assert previewed.sentence == done.sentence
    pd.testing.assert_frame_equal(previewed.to_frame(), done.to_frame())
    pd.testing.assert_frame_equal(previewed.removed, done.removed)
    compared = compared_cases(small_case, after, guarded_features(small_case, "sex"), "explore")
    gone = small_case.retained & ~after.retained
    again = guard(small_case, compared, metric_of(GAP), "sex", on="explore", gone=gone, max_utility_drop=0.01)
    assert again.sentence == done.sentence


def test_decisions_drawn_at_random_count_by_their_chances() -> None:
    before, _ = made({"f": (0.5, 0.65), "m": (0.7, 0.7)})

    label = np.ones(len(before.test), dtype=bool)
    chance = np.where(before.test["sex"] == "f", 0.25, 0.5)
    change = moved(Sample(label, chance), Sample(label, chance + 0.5 * (before.test["sex"] == "f").to_numpy()))
    people = people_decided_otherwise(before, label, change, "explore")
    assert people["share"].eq(0.5).all()
    assert len(people) == 1000
    assert people_counted(before, label, change, ["sex"], "explore").loc[("sex", "f", True), "newly_served"] == 500.0


def test_ratios_and_score_gaps_have_verdicts_too(small_case: core.Case) -> None:
    after = core.unlearn(small_case, small_case.record_ids[:300]).case
    for metric in (
        "demographic_parity_ratio",
        "roc_auc_difference",
        "equalized_odds_difference",
        "precision_difference",
        "brier_score_difference",
    ):
        side = core.guardrails(small_case, after, metric=metric, sensitive_feature=("sex", "age"))
        assert side.metrics.loc[(metric, "sex & age"), "q_value"] >= 0
        assert METRIC_WORDS[metric] in side.sentence


METRIC_WORDS = {
    "demographic_parity_ratio": "ratio of good outcomes by sex & age",
    "roc_auc_difference": "gap in ROC AUC by sex & age",
    "equalized_odds_difference": "gap in equalized odds by sex & age",
    "precision_difference": "gap in precision by sex & age",
    "brier_score_difference": "gap in Brier score by sex & age",
}


def test_a_ratio_is_levelled_down_as_its_gap_is() -> None:
    before, after = made({"f": (0.5, 0.45), "m": (0.7, 0.5)})
    side = core.guardrails(before, after, metric="demographic_parity_ratio")
    assert side.verdict == "fairer_by_levelling_down"
    assert "rises from 0.714 to 0.900" in side.sentence


def test_worse_and_better_are_what_is_beyond_chance() -> None:
    side = judged({"f": (0.5, 0.45), "m": (0.7, 0.5)})
    assert ("accuracy", "(all)", "(all)") in side.worse.index
    assert ("selection_rate", "sex", "m") in side.worse.index
    assert ("demographic_parity_difference", "sex", "(gap)") in side.better.index
    assert (side.worse["q_value"] <= 0.05).all()
    assert not set(side.worse.index) & set(side.better.index)


def test_a_notebook_shows_the_sentence_with_names_escaped() -> None:
    side = core.guardrails(*made({"<b>f": (0.5, 0.45), "m": (0.7, 0.5)}), metric="demographic_parity_difference")
    shown = side._repr_html_()
    assert "Guardrails: fairer by levelling down, on 2,000 explore rows" in shown
    assert "&lt;b&gt;f" in shown
    assert "<b>f" not in shown
    assert repr(side).splitlines()[1:] == [f"  {part}" for part in side.said]
    table = side.to_frame()
    assert table["direction"][: len(side.worse)].eq("worse").all()
    assert table["clear"][: len(side.worse) + len(side.better)].all()


def test_bad_arguments_say_what_must_hold(small_case: core.Case) -> None:
    with pytest.raises(InputError, match="must be a gap or a ratio"):
        core.guardrails(small_case, small_case, metric="accuracy")
    with pytest.raises(InputError, match="share their test table"):
        core.guardrails(
            small_case, core.Case(small_case.model, small_case.train, small_case.test.iloc[:900], small_case.roles)
        )
    with pytest.raises(InputTypeError, match="max_utility_drop"):
        core.guardrails(small_case, small_case, max_utility_drop="much")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must not be negative"):
        core.guardrails(small_case, small_case, max_utility_drop=-0.1)
    with pytest.raises(InputError, match="Scores must be"):
        core.guardrails(small_case, small_case, scores=np.zeros(3))


def test_a_metric_without_a_verdict_still_has_its_table(small_case: core.Case) -> None:
    found = judge(small_case, small_case, "accuracy", "sex")
    assert found.side is None
    assert "must be a gap or a ratio" in found.why
    assert ("accuracy", "(all)") in found.table.index
    assert "selection_rate" in found.by("sex").index.get_level_values("metric")


def test_a_gap_without_groups_to_compare_is_refused_by_name() -> None:
    before, after = made({"f": (0.5, 0.6), "m": (0.7, 0.7)})
    with pytest.raises(InputError, match="'false_positive_rate_difference' of 'sex' is not"):
        core.guardrails(before, after, metric="false_positive_rate_difference")


def test_without_probabilities_calibration_is_left_out_and_refused(small_case: core.Case) -> None:
    features = ["age", "debt"]
    model = LinearSVC(random_state=0).fit(small_case.train[features], small_case.train["granted"])
    case = core.Case(model, small_case.train, small_case.test, small_case.roles, confirm=False)
    side = core.guardrails(case, case)
    assert "calibration_error" not in side.metrics.index.get_level_values(0)
    with pytest.raises(NotSupportedError, match="brier_score_difference"):
        core.guardrails(case, case, metric="brier_score_difference")


def test_a_look_at_the_confirm_rows_is_counted_once(small_case: core.Case) -> None:
    after = core.unlearn(small_case, small_case.record_ids[:10]).case
    for call in (
        lambda: core.guardrails(small_case, after, on="confirm"),
        lambda: judge(small_case, after, GAP, "sex", "confirm"),
    ):
        before = len(after.looks)
        call()
        assert len(after.looks) == before + 1
