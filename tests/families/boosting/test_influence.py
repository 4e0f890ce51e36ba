"""Influence through the stages, against leaf refits without each record and against real refits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.attribution.outcome import Outcome
from core.attribution.smooth import SmoothMetric, predictors
from core.families.boosting.influence import StageInfluence
from core.families.boosting.unlearner import LeafRefit
from core.unlearning.refit import fit_again
from tests.conftest import ids_of, make_table

NUMBERS = ["age", "income", "debt"]
TRAIN = make_table(700, 31).assign(weight=lambda table: 1.0 + (table.index % 3))
TEST = make_table(600, 32)
for part in (TRAIN, TEST):
    part["income"] = part["income"].fillna(25.0)

MODELS = {
    "hist": HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8),
    "short": HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4),
    "balanced": HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, class_weight="balanced"),
    "stopped": HistGradientBoostingClassifier(max_iter=100, early_stopping=True, random_state=2, n_iter_no_change=3),
    "classic": GradientBoostingClassifier(n_estimators=30, random_state=0, min_samples_leaf=10),
    "from zero": GradientBoostingClassifier(n_estimators=30, init="zero", random_state=0, min_samples_leaf=10),
    "drawn rows": GradientBoostingClassifier(n_estimators=30, subsample=0.6, random_state=1, min_samples_leaf=15),
    "monotonic": HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, monotonic_cst=[1, 0, -1]),
}


def make_case(name, pos_label=1, weighted=False):
    weight = TRAIN["weight"].to_numpy() if weighted else None
    model = MODELS[name].fit(TRAIN[NUMBERS], TRAIN["granted"], sample_weight=weight)
    roles = core.Roles("granted", pos_label, 1, ["sex"], record_id="person", features=NUMBERS)
    roles = roles.with_(sample_weight="weight" if weighted else None)
    return core.prepare(core.Case(model, train=TRAIN, test=TEST, roles=roles), method="leaf_refit")


@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_leaf_refits_without_each_record(name):
    case = make_case(name, weighted=name != "classic")
    rows = np.random.default_rng(0).choice(len(TRAIN), 60, replace=False)
    without = [LeafRefit().remove(case, np.array([row]), 1e-6).case.scores("explore") for row in rows]
    for metric in ("demographic_parity_difference", "log_loss"):
        effects = core.influence(case, metric).to_numpy()[rows]
        smooth = SmoothMetric.of(case, metric, "sex", "explore")
        before = smooth.value(predictors(case.scores("explore")))
        true = [smooth.value(predictors(scores)) - before for scores in without]
        assert np.corrcoef(effects, true)[0, 1] > 0.97
        assert np.polyfit(true, effects, 1)[0] == pytest.approx(1.0, abs=0.1)


def test_the_other_class_as_positive_gives_the_same_effect_on_its_loss():
    one, other = (core.influence(make_case("hist", pos_label), "log_loss") for pos_label in (1, 0))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_held_out_records_have_no_effect():
    case = make_case("stopped")
    effects = core.influence(case, "log_loss").to_numpy()
    fitted = LeafRefit().prepare(case).rows.fitted
    assert (effects[~fitted] == 0.0).all()
    assert (effects[fitted] != 0.0).all()


@pytest.mark.parametrize("soon", [0.0, 1.0])
def test_preview_is_what_removing_gives(soon, monkeypatch):
    monkeypatch.setattr("core.families.boosting.unlearner.SOON", soon)
    case = make_case("hist")
    table = core.preview(case, case.record_ids[:30], metric=["selection_rate"])
    done = core.unlearn(case, case.record_ids[:30]).case
    assert any("was really trained again" in note for note in table.attrs["notes"]) is bool(soon)
    assert table["after"].iloc[0] == core.compare(case, done, metric=["selection_rate"])["after"].iloc[0]


def test_groups_removed_by_rule_follow_their_summed_influence():
    case = make_case("hist")
    effects = core.influence(case, "log_loss")
    smooth = SmoothMetric.of(case, "log_loss", "sex", "explore")
    before = smooth.value(predictors(case.scores("explore")))
    age, income = TRAIN["age"].to_numpy(), TRAIN["income"].to_numpy()
    rules = [
        np.flatnonzero((age >= low) & (age < low + 8) & (income > cut) & (TRAIN["granted"] == label))
        for low in range(18, 74, 8)
        for cut in (15, 25, 35)
        for label in (0, 1)
    ]
    rules = [rule for rule in rules if 3 <= len(rule) <= 40]
    true = [
        smooth.value(predictors(LeafRefit().remove(case, rule, 1e-6).case.scores("explore"))) - before for rule in rules
    ]
    predicted = [effects.to_numpy()[rule].sum() for rule in rules]
    assert len(rules) > 20
    assert spearmanr(predicted, true).statistic > 0.9


@pytest.mark.parametrize("pos_label", [0, 1])
@pytest.mark.parametrize("name", ["balanced", "stopped", "from zero"])
def test_scores_of_groups_are_those_of_leaf_refits(name, pos_label):
    case = make_case(name, pos_label, weighted=True)
    case = LeafRefit().remove(case, np.arange(9), 1e-6).case
    groups = [
        np.arange(10, 60),
        np.array([], dtype=np.intp),
        np.flatnonzero(case.y_train & case.retained),
        np.arange(300, 330),
    ]
    found = StageInfluence().group_scores(case, groups, "explore")
    np.testing.assert_array_equal(found[1], case.scores("explore"))
    assert np.isnan(found[2]).all()
    for index in (0, 3):
        done = LeafRefit().remove(case, groups[index], 1e-6).case
        np.testing.assert_allclose(found[index], done.scores("explore"), rtol=1e-10, atol=1e-13)
        assert np.abs(found[index] - case.scores("explore")).max() > 1e-3


def test_changes_of_groups_are_the_metrics_own_under_leaf_refits():
    case = make_case("hist")
    groups = [np.flatnonzero(TRAIN["age"] < 25), np.flatnonzero(TRAIN["debt"] > 12)]
    found = core.group_changes(case, ids_of(case, groups), metric="demographic_parity_difference")
    for group, change in zip(groups, found, strict=True):
        done = core.unlearn(case, case.record_ids[group], method="leaf_refit").case
        table = core.compare(case, done, metric=["demographic_parity_difference"])
        assert change == pytest.approx(table["change"].iloc[0], abs=1e-12)
    assert np.abs(found).max() > 0.01


def test_steps_that_would_change_are_kept_for_prediction_with_a_note(leaves_first):
    model = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=10))
    model.fit(TRAIN[NUMBERS], TRAIN["granted"])
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="person", features=NUMBERS)
    case = core.Case(model, train=TRAIN, test=TEST, roles=roles)
    ids = case.record_ids[(TRAIN["age"] < 30).to_numpy()]
    table = core.preview(case, ids, metric=["selection_rate"])
    assert any("predicted with these steps as they are" in note for note in table.attrs["notes"])
    truth = core.compare(case, core.unlearn(case, ids, method="refit").case, metric=["selection_rate"])
    assert table["after"].iloc[0] == pytest.approx(truth["after"].iloc[0], abs=0.05)


def test_changes_of_groups_follow_refits_without_them_where_sums_of_single_effects_do_not():
    train, test = (
        table.assign(
            income=np.floor(table["income"].fillna(25.0) / 5),
            debt=np.floor(table["debt"] / 5),
            male=(table["sex"] == "m").astype(float),
        )
        for table in (make_table(3000, 41), make_table(3000, 42))
    )
    columns = ["income", "debt", "male"]
    model = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=3).fit(train[columns], train["granted"])
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="person", features=columns)
    case = core.prepare(core.Case(model, train=train, test=test, roles=roles), method="leaf_refit")
    groups = [
        train["income"].between(low, low + 1).to_numpy() & (train["granted"] == label) & (train["sex"] == sex)
        for low in range(2, 9)
        for label in (0, 1)
        for sex in "fm"
    ]
    groups = [group.to_numpy() for group in groups]
    rows = case.X_test.iloc[case.rows("explore")]
    scores = np.array([fit_again(case, ~group)[0].predict_proba(rows)[:, 1] for group in groups])
    for metric, least in (("brier_score", 0.8), ("log_loss", 0.75), ("selection_rate", 0.7)):
        outcome = Outcome.of(case, metric, "sex", "explore")
        truth = outcome.values(scores) - outcome.value()
        assert np.corrcoef(core.group_changes(case, ids_of(case, groups), metric=metric), truth)[0, 1] > least
        if metric != "selection_rate":
            effects = core.influence(case, metric).to_numpy()
            assert np.corrcoef([effects[group].sum() for group in groups], truth)[0, 1] < 0.5
