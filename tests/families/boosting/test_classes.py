"""Gradient boosting of more than two classes: a tree for each class and stage, refitted as scikit-learn would and differentiated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

import core
from core.attribution.smooth import SmoothMetric, predictors
from core.errors import InputError
from core.families.boosting.influence import StageInfluence
from core.families.boosting.unlearner import LeafRefit
from core.records.self_influence import self_influence
from core.unlearning.refit import fit_again
from core.verification import check_unlearner
from tests.conftest import make_table
from tests.families.boosting.test_unlearner import NUMBERS, assert_same_numbers


def graded(rows, seed):
    """Return the lending table with refusals parted into two kinds, no missing values, and weights."""
    table = make_table(rows, seed)
    late = (table["debt"] + np.random.default_rng(seed).normal(0, 2, rows) > 10).to_numpy()
    label = np.where(table["granted"] == 1, "granted", np.where(late, "late", "refused"))
    return table.assign(granted=label, weight=0.5 + np.arange(rows) % 3, income=table["income"].fillna(25.0))


TRAIN, TEST = graded(600, 51), graded(400, 52)
MODELS = {
    "hist": HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=8),
    "hist, penalised": HistGradientBoostingClassifier(max_iter=8, l2_regularization=3.0, max_leaf_nodes=8),
    "hist, balanced": HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=8, class_weight="balanced"),
    "hist, stopped": HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=8, early_stopping=True, random_state=3, n_iter_no_change=2
    ),
    "classic": GradientBoostingClassifier(n_estimators=12, random_state=0, min_samples_leaf=10),
    "classic, from zero": GradientBoostingClassifier(n_estimators=8, init="zero", random_state=0, min_samples_leaf=10),
    "classic, drawn rows": GradientBoostingClassifier(
        n_estimators=12, subsample=0.6, random_state=2, min_samples_leaf=25
    ),
    "classic, stopped": GradientBoostingClassifier(n_estimators=60, n_iter_no_change=2, random_state=7),
}


def make_case(name, *, weighted=True, train=TRAIN, pos_label="granted"):
    weight = train["weight"].to_numpy() if weighted else None
    model = MODELS[name].fit(train[NUMBERS], train["granted"], sample_weight=weight)
    roles = core.Roles("granted", pos_label, pos_label, ["sex"], record_id="person", features=NUMBERS)
    roles = roles.with_(sample_weight="weight" if weighted else None)
    return core.prepare(core.Case(model, train=train, test=TEST, roles=roles), method="leaf_refit")


@pytest.mark.parametrize("name", MODELS)
def test_removing_nothing_gives_every_stored_number_back(name):
    case = make_case(name)
    state = LeafRefit().prepare(case)
    assert_same_numbers(state.booster.with_leaves(state.forest, state.leaves(case, case.retained)), case)
    assert core.check_provenance(case).status == "verified"


@pytest.mark.parametrize("name", MODELS)
def test_values_are_those_of_scikit_learns_own_formula_stage_by_stage(name):
    case = make_case(name)
    removed = LeafRefit().remove(case, np.arange(100), 1e-6).case
    state = LeafRefit().prepare(case)
    booster, rows = state.booster, state.rows
    keep = rows.fitted & removed.retained
    weight = np.zeros(len(keep))
    weight[removed.retained] = booster.weights(case.train_codes[removed.retained], case.train_weight[removed.retained])
    weight, y = weight[keep], np.eye(3)[case.train_codes[keep]]
    prior = np.average(y, weights=weight, axis=0)
    start = np.zeros(3) if "zero" in name else np.log(prior / np.exp(np.log(prior).mean()))
    raw, factor = np.tile(start, (keep.sum(), 1)), 2 / 3 if "classic" in name else 1.0
    ridge = booster.model.get_params().get("l2_regularization", 0.0)
    for stage, trees in enumerate(rows.nodes[:, keep].reshape(-1, 3, keep.sum())):
        p, given = softmax(raw, axis=1), weight * rows.given(stage)[keep]
        for k, nodes in enumerate(trees):
            gradient = np.bincount(nodes, given * (p - y)[:, k])
            hessian = np.bincount(nodes, given * (p * (1 - p))[:, k])
            with np.errstate(invalid="ignore"):
                raw[:, k] += case.model.learning_rate * factor * (-gradient / (hessian + ridge))[nodes]
    found = removed.model.decision_function(case.X_train[keep])
    np.testing.assert_allclose(found, raw, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["hist, balanced", "classic, drawn rows"])
def test_conforms(name):
    assert check_unlearner(LeafRefit(), make_case(name))["passed"].all()


def test_nearer_to_the_refit_than_the_untouched_model():
    case = make_case("hist", train=graded(2000, 53))
    gone = np.flatnonzero((case.train["granted"] == "late") & (case.train["debt"] < 11))
    removed = core.unlearn(case, case.record_ids[gone], method="leaf_refit")
    truth = fit_again(case, removed.case.retained)[0].predict_proba(case.X_test)
    before, after = (np.abs(one.model.predict_proba(case.X_test) - truth).mean() for one in (case, removed.case))
    assert removed.method == "leaf_refit"
    assert after < 0.75 * before


@pytest.mark.parametrize("metric", ["demographic_parity_difference", "log_loss"])
@pytest.mark.parametrize("name", MODELS)
def test_influence_agrees_with_leaf_refits_without_each_record(name, metric):
    case = make_case(name, pos_label="late" if metric == "log_loss" else "granted")
    effects = core.influence(case, metric).to_numpy()
    smooth = SmoothMetric.of(case, metric, "sex", "explore")
    before = smooth.value(predictors(case.scores("explore")))
    rows = np.random.default_rng(0).choice(len(TRAIN), 50, replace=False)
    groups = [np.array([row]) for row in rows]
    found = StageInfluence().group_scores(case, groups, "explore")
    true = [smooth.value(predictors(scores)) - before for scores in found]
    assert np.corrcoef(effects[rows], true)[0, 1] > 0.97
    assert np.polyfit(true, effects[rows], 1)[0] == pytest.approx(1.0, abs=0.1)
    done = LeafRefit().remove(case, groups[0], 1e-6).case
    np.testing.assert_allclose(found[0], done.scores("explore"), rtol=1e-10, atol=1e-13)


def test_splits_of_an_untouched_model_are_the_best_and_some_are_no_longer_after_a_removal():
    for name in ("hist", "classic"):
        case = make_case(name)
        check = core.check_splits(case, n_stages=4)
        assert (check.n_changed, check.n_stages, check.of_stages) == (0, 4, 12)
        ids = case.record_ids[(TRAIN["age"] < 35).to_numpy()]
        assert core.check_splits(core.unlearn(case, ids, method="leaf_refit").case).n_changed > 0


@pytest.mark.parametrize("name", ["hist, penalised", "classic, drawn rows"])
def test_self_influence_follows_the_rise_of_the_own_loss_under_leaf_refits(name):
    case = make_case(name)
    own, rise = self_influence(case), []
    rows = np.argsort(own)[::30]
    for row in rows:
        done, X = LeafRefit().remove(case, np.array([row]), 1e-6).case, case.X_train.iloc[[row]]
        p, q = (one.model.predict_proba(X)[0, case.train_codes[row]] for one in (case, done))
        rise.append(np.log(p) - np.log(q))
    assert np.corrcoef(own[rows], rise)[0, 1] > 0.9


def test_result_is_saved_and_loaded_and_a_class_may_not_vanish(tmp_path):
    case = make_case("classic")
    removed = core.unlearn(case, case.record_ids[:60]).case
    core.save_model(removed.model, tmp_path / "model.skops")
    loaded = core.load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_proba(case.X_test), removed.model.predict_proba(case.X_test))
    with pytest.raises(InputError, match="class"):
        core.unlearn(case, case.record_ids[(TRAIN["granted"] == "late").to_numpy()])
