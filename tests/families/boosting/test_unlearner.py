"""Refitting leaf values: scikit-learn's own formula, on the retained rows, in an ordinary scikit-learn model."""

from __future__ import annotations

import re

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from core.errors import InputError, NotSupportedError
from core.families.boosting.unlearner import BOOSTER_OF, LeafRefit
from core.unlearning.refit import fit_again
from core.verification import check_unlearner
from tests.conftest import make_table

NUMBERS = ["age", "income", "debt"]
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")
TRAIN = make_table(900, 21).assign(weight=lambda table: 0.5 + (table.index % 4), row=np.arange(900.0))
COMPLETE = TRAIN.assign(income=TRAIN["income"].fillna(25.0))
TEST = make_table(500, 22).assign(weight=1.0, row=0.0)
TEST["income"] = TEST["income"].fillna(25.0)

HIST = {
    "plain": {"max_iter": 30},
    "penalised": {"max_iter": 20, "l2_regularization": 3.0, "learning_rate": 0.3, "max_leaf_nodes": 9},
    "stopped": {"max_iter": 200, "early_stopping": True, "random_state": 3, "n_iter_no_change": 3},
    "stopped on training loss": {"max_iter": 20, "early_stopping": True, "validation_fraction": None},
    "balanced": {"max_iter": 20, "class_weight": "balanced"},
    "weighted classes": {"max_iter": 20, "class_weight": {0: 1.0, 1: 3.0}},
    "drawn features": {"max_iter": 20, "max_features": 0.5, "random_state": 5},
    "constrained": {"max_iter": 10, "interaction_cst": "no_interactions"},
    "categories": {"max_iter": 10, "categorical_features": [0]},
    "monotonic": {"max_iter": 15, "monotonic_cst": [1, -1, 0], "l2_regularization": 1.0},
}
CLASSIC = {
    "plain": {"n_estimators": 30, "random_state": 0},
    "deep": {"n_estimators": 8, "max_depth": 7, "learning_rate": 0.5, "random_state": 0},
    "best first": {"n_estimators": 20, "max_leaf_nodes": 6, "max_depth": None, "random_state": 0},
    "stopped": {"n_estimators": 200, "n_iter_no_change": 3, "random_state": 7},
    "from zero": {"n_estimators": 20, "init": "zero", "random_state": 0},
    "drawn features": {"n_estimators": 10, "max_features": 1, "random_state": 0},
    "drawn rows": {"n_estimators": 20, "subsample": 0.5, "min_samples_leaf": 20, "random_state": 4},
    "drawn rows, stopped": {"n_estimators": 60, "subsample": 0.7, "n_iter_no_change": 2, "random_state": 6},
}
MODELS = {("hist", name): (HistGradientBoostingClassifier, options) for name, options in HIST.items()} | {
    ("classic", name): (GradientBoostingClassifier, options) for name, options in CLASSIC.items()
}
FREE = [name for name in MODELS if name[1] != "monotonic"]
ALL_ROWS = [name for name in MODELS if name[1] != "monotonic" and "drawn rows" not in name[1]]


def make_case(kind, options, *, weighted=False, train=None, features=NUMBERS):
    missing = kind is HistGradientBoostingClassifier
    train = (TRAIN if missing else COMPLETE) if train is None else train
    model = kind(**options).fit(
        train[features], train["granted"], sample_weight=train["weight"].to_numpy() if weighted else None
    )
    roles = ROLES.with_(features=tuple(features), sample_weight="weight" if weighted else None)
    return core.Case(model, train=train, test=TEST, roles=roles)


def some(case, n, seed=0):
    return np.random.default_rng(seed).choice(len(case.retained), n, replace=False)


def nodes_of(model):
    if isinstance(model, GradientBoostingClassifier):
        return [
            np.column_stack([tree.n_node_samples, tree.impurity, tree.weighted_n_node_samples, tree.value[:, 0, 0]])
            for tree in (one.tree_ for one in model.estimators_.ravel())
        ]
    return [
        np.column_stack([nodes["count"], np.where(nodes["is_leaf"], -1.0, nodes["gain"]), nodes["value"]])
        for nodes in (one.nodes for stage in model._predictors for one in stage)
    ]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", MODELS, ids="-".join)
def test_removing_nothing_gives_every_stored_number_back(name, weighted):
    case = core.prepare(make_case(*MODELS[name], weighted=weighted), method="leaf_refit")
    state = LeafRefit().prepare(case)
    again = state.booster.with_leaves(state.forest, state.leaves(case, case.retained))
    assert_same_numbers(again, case)


def assert_same_numbers(again, case):
    for stored, refitted in zip(nodes_of(case.model), nodes_of(again), strict=True):
        np.testing.assert_allclose(refitted, stored, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(again.predict_proba(case.X_test), case.model.predict_proba(case.X_test), atol=1e-12)


@pytest.mark.parametrize("name", ALL_ROWS, ids="-".join)
def test_single_stage_without_splits_chosen_anew_equals_refit(name):
    """One tree on one split column: when its splits stay the same, refitted values are those of a refit."""
    kind, options = MODELS[name]
    size = {"max_iter": 1} if kind is HistGradientBoostingClassifier else {"n_estimators": 1}
    train = COMPLETE.assign(age=(COMPLETE["age"] > 50).astype(float))
    options = {**options, **size, "early_stopping": False} if "max_iter" in size else {**options, **size}
    options.pop("n_iter_no_change", None)
    case = make_case(kind, options, train=train, features=["age"], weighted=True)
    positions = some(case, 120)
    removed = core.unlearn(case, case.record_ids[positions], method="leaf_refit").case
    refitted, _ = fit_again(case, removed.retained)
    np.testing.assert_allclose(removed.model.predict_proba(case.X_test), refitted.predict_proba(case.X_test), rtol=1e-6)


@pytest.mark.parametrize("name", FREE, ids="-".join)
def test_values_are_those_of_scikit_learns_own_formula_stage_by_stage(name):
    """An independent, slow refit: route the retained rows, take each leaf's Newton step in double precision."""
    case = core.prepare(make_case(*MODELS[name], weighted=True), method="leaf_refit")
    positions = some(case, 200, 1)
    removed = LeafRefit().remove(case, positions, 1e-6).case
    state = LeafRefit().prepare(case)
    booster, rows = state.booster, state.rows
    keep = rows.fitted & removed.retained
    weight = np.zeros(len(keep))
    weight[removed.retained] = booster.weights(case.train_codes[removed.retained], case.train_weight[removed.retained])
    y = rows.y[keep]
    prior = np.average(y, weights=weight[keep])
    raw = np.full(keep.sum(), 0.0 if booster.model.get_params().get("init") == "zero" else np.log(prior / (1 - prior)))
    ridge = booster.model.get_params().get("l2_regularization", 0.0)
    for stage, nodes in enumerate(rows.nodes[:, keep]):
        p, given = 1 / (1 + np.exp(-raw)), weight[keep] * rows.given(stage)[keep]
        gradient = np.bincount(nodes, given * (p - y))
        hessian = np.bincount(nodes, given * p * (1 - p))
        with np.errstate(invalid="ignore"):
            raw = raw + case.model.learning_rate * (-gradient / (hessian + ridge))[nodes]
    found = removed.model.decision_function(case.X_train[keep])
    np.testing.assert_allclose(found, raw, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MODELS, ids="-".join)
def test_conforms(name):
    kind, options = MODELS[name]
    train = (TRAIN if kind is HistGradientBoostingClassifier else COMPLETE).iloc[:400]
    assert check_unlearner(LeafRefit(), make_case(kind, options, train=train))["passed"].all()


def test_nearer_to_the_refit_than_the_untouched_model():
    train = make_table(4000, 23)
    case = make_case(HistGradientBoostingClassifier, {"max_iter": 60, "max_leaf_nodes": 5}, train=train)
    deserved = np.flatnonzero(case.y_train & (train["debt"] < 9).to_numpy())[:500]
    removed = core.unlearn(case, case.record_ids[deserved], method="leaf_refit").case
    refitted, _ = fit_again(case, removed.retained)
    truth = refitted.predict_proba(case.X_test)[:, 1]
    assert np.abs(removed.scores("test") - truth).mean() < 0.5 * np.abs(case.scores("test") - truth).mean()


def test_gives_way_where_training_again_costs_hardly_more_and_says_so():
    case = make_case(HistGradientBoostingClassifier, {"max_iter": 10})
    options = [option for option in core.unlearners_for(case) if option.fits]
    assert [option.name for option in options] == ["refit", "leaf_refit"]
    assert re.fullmatch(r"training again takes only about 0\.0\d s of an idle processor .*", options[1].note)
    assert options[0].note == ""
    for asked in ("auto", "refit"):
        result = core.unlearn(case, case.record_ids[:3], method=asked)
        assert (result.method, result.guarantee) == ("refit", core.Guarantee.EXACT)
        assert any("leaf_refit: training again takes only" in note for note in result.notes)
    assert core.edit(case, relabel={case.record_ids[0]: 1 - int(case.train_codes[0])}).method == "refit"


@pytest.mark.parametrize("name", [("hist", "plain"), ("classic", "drawn features")], ids="-".join)
def test_the_estimate_of_a_fit_grows_with_its_trees(name):
    kind, options = MODELS[name]
    size = "max_iter" if "max_iter" in options else "n_estimators"
    seconds = []
    for n in (5, 50):
        booster = BOOSTER_OF[kind](make_case(kind, {**options, size: n}).model)
        seconds.append(booster.fit_seconds(booster.forest()))
    assert 5 < seconds[1] / seconds[0] < 12
    assert 0.001 < seconds[0] < 0.1


def test_chosen_before_refit_and_says_what_it_kept(leaves_first):
    case = make_case(HistGradientBoostingClassifier, {"max_iter": 10})
    result = core.unlearn(case, case.record_ids[:3])
    assert (result.method, result.guarantee) == ("leaf_refit", core.Guarantee.APPROXIMATE)
    assert any("keep the splits" in note for note in result.notes)
    assert [option.name for option in core.unlearners_for(case) if option.fits] == ["leaf_refit", "refit"]


def test_chain_equals_at_once_bit_for_bit_and_leaves_the_first_model_alone():
    case = core.prepare(make_case(GradientBoostingClassifier, CLASSIC["plain"]), method="leaf_refit")
    before = joblib.hash(case.model)
    once = LeafRefit().remove(case, np.arange(60), 1e-6).case
    steps = LeafRefit().remove(LeafRefit().remove(case, np.arange(20), 1e-6).case, np.arange(20, 60), 1e-6).case
    assert joblib.hash(case.model) == before
    for one, other in zip(nodes_of(once.model), nodes_of(steps.model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_emptied_leaves_take_the_value_above_and_are_counted():
    case = core.prepare(make_case(GradientBoostingClassifier, CLASSIC["deep"]), method="leaf_refit")
    nodes = LeafRefit().prepare(case).rows.nodes[0]
    counts = np.bincount(nodes)
    leaf = int(np.flatnonzero((counts > 0) & (counts < 9))[0])
    removal = LeafRefit().remove(case, np.flatnonzero(nodes == leaf), 1e-6)
    tree = removal.case.model.estimators_[0, 0].tree_
    above = int(np.flatnonzero((tree.children_left == leaf) | (tree.children_right == leaf))[0])
    other = tree.children_left[above] + tree.children_right[above] - leaf
    assert tree.n_node_samples[leaf] == 0
    assert tree.n_node_samples[above] == tree.n_node_samples[other]
    assert np.isfinite(tree.value).all()
    assert any("hold no record any more" in note for note in removal.notes)


def test_held_out_records_leave_the_trees_as_they_were():
    case = core.prepare(make_case(HistGradientBoostingClassifier, HIST["stopped"]), method="leaf_refit")
    held = np.flatnonzero(~LeafRefit().prepare(case).rows.fitted)
    assert len(held) == 90
    removal = LeafRefit().remove(case, held[:10], 1e-6)
    np.testing.assert_allclose(removal.case.scores("test"), case.scores("test"), atol=1e-12)
    assert any("10 of the removed records were held out" in note for note in removal.notes)


@pytest.mark.parametrize("name", [("hist", "plain"), ("classic", "plain")], ids="-".join)
def test_result_is_saved_loaded_and_unlearned_from_again(name, tmp_path, leaves_first):
    case = make_case(*MODELS[name])
    removed = core.unlearn(case, case.record_ids[:100]).case
    core.save_model(removed.model, tmp_path / "model.skops")
    loaded = core.load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_proba(case.X_test), removed.model.predict_proba(case.X_test))
    train = case.train.iloc[100:].reset_index(drop=True)
    again = core.Case(loaded, train=train, test=TEST, roles=case.roles)
    assert core.unlearn(again, again.record_ids[:5]).method == "leaf_refit"


def pipeline_case(encoder, kind=HistGradientBoostingClassifier, features=("job", "row", *NUMBERS)):
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="none"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    steps = make_column_transformer((words, ["job"]), (encoder, ["row"]), remainder="passthrough")
    model = make_pipeline(steps, kind(random_state=0)).fit(TRAIN[list(features)], TRAIN["granted"])
    return core.Case(model, train=TRAIN, test=TEST, roles=ROLES)


def test_last_in_a_pipeline_whose_steps_stay_the_same(leaves_first):
    case = pipeline_case("passthrough")
    result = core.unlearn(case, case.record_ids[:50])
    assert result.method == "leaf_refit"
    assert result.case.model is not case.model
    assert check_unlearner(LeafRefit(), case)["passed"].all()


def test_pipeline_whose_steps_change_goes_to_refit_with_the_reason(leaves_first):
    case = pipeline_case(StandardScaler())
    result = core.unlearn(case, case.record_ids[:50])
    assert result.method == "refit"
    assert any("change how retained records look" in note for note in result.notes)
    with pytest.raises(NotSupportedError, match="change how retained records look"):
        core.unlearn(case, case.record_ids[:50], method="leaf_refit")


def test_vanished_category_goes_to_refit(leaves_first):
    case = pipeline_case("passthrough")
    nurses = case.record_ids[(TRAIN["job"] == "nurse").to_numpy()]
    assert core.unlearn(case, nurses).method == "refit"


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        (GradientBoostingClassifier, {"subsample": 0.5}, "subsample"),
        (GradientBoostingClassifier, {"loss": "exponential"}, "exponential"),
        (GradientBoostingClassifier, {"init": DummyClassifier(strategy="uniform")}, "init"),
        (GradientBoostingClassifier, {"n_iter_no_change": 3, "n_estimators": 5}, "random_state"),
    ],
)
def test_refused_with_the_reason(kind, options, reason):
    assert reason in LeafRefit().fits(make_case(kind, options))


def test_other_models_are_refused():
    linear = LogisticRegression().fit(COMPLETE[NUMBERS], COMPLETE["granted"])
    assert "not gradient boosting" in LeafRefit().fits(
        core.Case(linear, train=COMPLETE, test=TEST, roles=ROLES.with_(features=tuple(NUMBERS)))
    )


@pytest.mark.parametrize("kind", [HistGradientBoostingClassifier, GradientBoostingClassifier])
def test_warm_started_models_are_served_unless_the_rows_changed_in_between(kind, leaves_first):
    size = "max_iter" if kind is HistGradientBoostingClassifier else "n_estimators"
    model = kind(**{size: 5}, warm_start=True, random_state=0)
    for n, rows in ((5, COMPLETE), (12, COMPLETE)):
        model.set_params(**{size: n}).fit(rows[NUMBERS], rows["granted"])
    case = core.Case(model, train=COMPLETE, test=TEST, roles=ROLES.with_(features=tuple(NUMBERS)))
    assert core.unlearn(case, case.record_ids[:20]).method == "leaf_refit"
    model.set_params(**{size: 15}).fit(COMPLETE[NUMBERS][:700], COMPLETE["granted"][:700])
    other = core.Case(model, train=COMPLETE, test=TEST, roles=case.roles)
    result = core.unlearn(other, case.record_ids[:20])
    assert result.method == "refit"
    assert any("first in tree 12:" in note for note in result.notes)


def test_categories_of_its_own_keep_their_sides(leaves_first):
    train = TRAIN.assign(job=TRAIN["job"].astype("category"))
    test = TEST.assign(job=pd.Categorical(TEST["job"], categories=train["job"].cat.categories))
    columns = ["job", *NUMBERS]
    model = HistGradientBoostingClassifier(max_iter=15).fit(train[columns], train["granted"])
    case = core.Case(model, train=train, test=test, roles=ROLES.with_(features=tuple(columns)))
    nurses = case.record_ids[(train["job"] == "nurse").to_numpy()]
    result = core.unlearn(case, nurses)
    assert result.method == "leaf_refit"
    again = core.Case(result.case.model, train=train[train["job"] != "nurse"], test=test, roles=case.roles)
    LeafRefit().prepare(again)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda table: table.iloc[::-1].reset_index(drop=True).assign(granted=table["granted"]), "differ|fill"),
        (
            lambda table: table.assign(granted=np.where(table.index == 17, 1 - table["granted"], table["granted"])),
            "labels",
        ),
        (lambda table: table.iloc[1:].reset_index(drop=True), "fill the leaves"),
        (lambda table: pd.concat([table, table.iloc[:1].assign(person="new")], ignore_index=True), "fill the leaves"),
    ],
)
@pytest.mark.parametrize("name", [("hist", "plain"), ("classic", "plain")])
def test_another_table_than_it_was_fitted_on_is_noticed(name, spoil, reason):
    case = make_case(*MODELS[name])
    other = core.Case(case.model, train=spoil(case.train), test=TEST, roles=case.roles)
    with pytest.raises(NotSupportedError, match=reason):
        core.unlearn(other, other.record_ids[:3], method="leaf_refit")


def test_weights_that_the_model_was_not_fitted_with_are_noticed():
    case = make_case(HistGradientBoostingClassifier, HIST["plain"], weighted=False)
    other = core.Case(case.model, train=TRAIN, test=TEST, roles=case.roles.with_(sample_weight="weight"))
    with pytest.raises(NotSupportedError, match="weights"):
        core.unlearn(other, other.record_ids[:3], method="leaf_refit")


def test_a_class_may_not_vanish():
    case = make_case(HistGradientBoostingClassifier, HIST["plain"])
    with pytest.raises(InputError, match="class"):
        core.unlearn(case, case.record_ids[case.y_train])
