"""Profiles are read with a sentence for every fault, and lay out what fairlearn, scipy and a count by hand give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, equalized_odds_difference, selection_rate
from scipy.stats import false_discovery_control, fisher_exact

import core
from core.errors import InputError
from core.metrics.policies.held import held_against_profile
from core.metrics.policies.profile import SHIPPED, PolicyProfile, profile_of_text

RULE = '[[rule]]\ntitle = "T"\nkind = "impact_ratio"\nmetric = "selection_rate"\n'
HEAD = 'name = "N"\ndate = 2026-01-31\n'


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Applicants of two sexes and four origins, one of which is under 2% and has the highest rate."""
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {"sex": draw.choice(["f", "m"], 3000), "origin": draw.choice(["a", "b", "c"], 3000, p=[0.6, 0.3, 0.1])}
    )
    table.loc[:39, "origin"] = "few"
    rate = 0.5 - 0.16 * (table["origin"] == "b") - 0.03 * (table["sex"] == "f") - 0.15 * (table["origin"] == "c")
    table["hired"] = (draw.random(3000) < np.where(table["origin"] == "few", 0.95, rate)).astype(int)
    return table


def held(people: pd.DataFrame, profile: str) -> core.PolicyReport:
    chosen = core.policy_profile(profile)
    roles = core.Roles("", 1, 1, ["sex", "origin"])
    return held_against_profile(core.audit_decisions(people, roles, decisions="hired", metric=chosen.needs), chosen)


def test_four_fifths_is_fairlearns_ratio_with_fishers_test(people: pd.DataFrame) -> None:
    found = held(people, "four_fifths")
    assert [one.sensitive_feature for one in found] == ["sex", "origin"]
    table = found[1].table
    known = people[people["origin"] != "few"]
    frame = MetricFrame(
        metrics=selection_rate, y_true=known["hired"], y_pred=known["hired"], sensitive_features=known["origin"]
    )
    rates = frame.by_group
    assert table.loc[["a", "b", "c"], "ratio"].to_dict() == pytest.approx((rates / rates.max()).to_dict())
    assert table["ratio"].min() == pytest.approx(frame.ratio())
    assert table.loc["few", "mark"] == "under 2% of the rows"
    assert np.isnan(table.loc["few", "ratio"])
    assert table.loc["few", "rate"] > 0.8
    assert table.loc["a", "mark"] == "highest rate"
    cells = pd.crosstab(people["origin"], people["hired"])
    p = [fisher_exact(cells.loc[[one, "a"]].to_numpy()).pvalue for one in ("b", "c")]
    assert table.loc[["b", "c"], "p_value"].tolist() == pytest.approx(p)
    assert table.loc[["b", "c"], "q_value"].tolist() == pytest.approx(false_discovery_control(p).tolist())
    assert set(table.loc[["b", "c"], "mark"]) == {"below 0.8, beyond chance"}
    assert "2 of 3 groups below 0.8, 2 of them beyond chance" in found[1].sentence
    assert found[1].sentence.endswith("1 group marked.")
    assert (table["hits"] == cells[1].reindex(table.index)).all()


def test_impact_ratios_lay_out_intersections_and_mark_small_groups(people: pd.DataFrame) -> None:
    found = held(people, "impact_ratios")
    assert [one.sensitive_feature for one in found] == ["sex", "origin", "sex & origin"]
    crossed = found[2].table
    by_hand = people.groupby(["sex", "origin"])["hired"].agg(["size", "mean"])
    by_hand.index = [f"{sex}, {origin}" for sex, origin in by_hand.index]
    small = by_hand["size"] < 0.02 * len(people)
    assert small.sum() == 2
    expected = (by_hand["mean"] / by_hand["mean"][~small].max()).mask(small)
    assert crossed["ratio"].to_dict() == pytest.approx(expected.reindex(crossed.index).to_dict(), nan_ok=True)
    assert (crossed["mark"] == "under 2% of the rows").sum() == 2
    assert "p_value" not in crossed
    assert len(found.to_frame()) == sum(len(one.table) for one in found)


def test_equalized_odds_is_fairlearns_and_judged_by_the_whole_interval(small_case: core.Case) -> None:
    found = core.apply_policy(small_case, "equalized_odds", sensitive_feature="sex", n_resamples=200)
    y, decided = small_case.y("test"), small_case.decisions("test")
    truth = equalized_odds_difference(y, decided, sensitive_features=small_case.test["sex"])
    row = found[0].table.iloc[0]
    assert row["value"] == pytest.approx(truth)
    assert row["limit"] == 0.1
    assert row["mark"] == ("outside" if row["low"] > 0.1 else "inside" if row["high"] <= 0.1 else "open")
    assert "on 1,200 test rows" in found.heading
    older = core.apply_policy(small_case, "equalized_odds", where="age >= 40", n_resamples=50)
    assert older.where == "age >= 40"
    assert [one.sensitive_feature for one in older] == ["sex", "age"] * 3


def test_a_file_can_be_changed_and_every_shipped_profile_is_dated(small_case: core.Case, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(core.policy_profile("four_fifths").text.replace("at_least = 0.8", "at_least = 0.99"), "utf-8")
    strict, usual = (
        core.apply_policy(small_case, one, sensitive_feature="sex", n_resamples=50) for one in (path, "four_fifths")
    )
    assert "below 0.99" in strict[0].table["mark"].iloc[0]
    assert strict[0].table["ratio"].tolist() == usual[0].table["ratio"].tolist()
    for name in SHIPPED:
        profile = core.policy_profile(name)
        assert profile.date.year >= 2026
        assert profile.source
        assert profile_of_text(profile.text) == profile
        assert "legal" not in profile.text.lower()
    with pytest.raises(InputError, match="Got 'sexe' in 'T'"):
        core.apply_policy(small_case, profile_of_text(f'{HEAD}{RULE}sensitive_features = ["sexe"]'))


def test_a_ratio_that_meets_its_limit_by_rounding_is_not_below_it() -> None:
    table = pd.DataFrame({"sex": ["f"] * 100 + ["m"] * 100, "hired": [1] * 24 + [0] * 76 + [1] * 30 + [0] * 70})
    roles = core.Roles("", 1, 1, ["sex"])
    profile = core.policy_profile("four_fifths")
    found = held_against_profile(core.audit_decisions(table, roles, decisions="hired", metric=profile.needs), profile)
    assert found[0].table.loc["f", "mark"] == "0.8 or more, may be chance"
    weighted = core.audit_decisions(
        table.assign(w=2.5), roles, decisions="hired", metric=profile.needs, sample_weight="w"
    )
    left = held_against_profile(weighted, profile)
    assert left[0].table["p_value"].isna().all()
    assert "there is none where rows are weighted" in left.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "must be TOML. It is not"),
        ('date = 2026-01-31\n[[rule]]\ntitle = "T"', "`name` of a profile must be a text"),
        ('name = "N"\ndate = "2026"', "must have a date. Got '2026'"),
        ('name = "N"\ndate = 2026-01-31T10:00:00\n' + RULE, "must have a date"),
        (HEAD, "must have rules"),
        (HEAD + "rules = 1", "Got 'rules'. Did you mean 'rule'"),
        (HEAD + RULE + "at_leats = 0.8", "Did you mean 'at_least'"),
        (HEAD + RULE + "at_least = 80", "`at_least` of the rule 'T' must be a number from 0 to 1. Got 80"),
        (HEAD + RULE + 'at_least = "0.8"', "must be a number from 0 to 1"),
        (HEAD + RULE + "intersections = 1", "must be true or false"),
        (HEAD + RULE + 'test = "z"', 'must be "fisher"'),
        (HEAD + RULE + 'sensitive_features = "sex"', "must be a list of columns"),
        (HEAD + RULE.replace("impact_ratio", "impact"), "Did you mean 'impact_ratio'"),
        (HEAD + RULE.replace("selection_rate", "selection"), "Did you mean 'selection_rate'"),
        (HEAD + RULE.replace("selection_rate", "roc_auc"), "must be of a share of rows"),
        (HEAD + RULE.replace("impact_ratio", "gap"), "must be a difference or a ratio"),
        (HEAD + '[[rule]]\ntitle = "T"\nkind = "gap"\nmetric = "accuracy_score_difference"', "must have at_most"),
        ("x" * 200_000, "must be short"),
    ],
)
def test_faults_of_a_profile_are_said(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        profile_of_text(text)


def test_profiles_that_are_not_there_are_said(tmp_path: Path) -> None:
    for source, said in (
        ("four_fifth", "Did you mean 'four_fifths'"),
        (tmp_path / "no.toml", "can be read"),
        (tmp_path, "ends in .toml"),
    ):
        with pytest.raises(InputError, match=said):
            core.policy_profile(source)
    with pytest.raises(core.RedressError, match="by its name or as a path"):
        core.policy_profile(5)  # type: ignore[arg-type]
    assert isinstance(core.policy_profile("four_fifths"), PolicyProfile)
