"""Fitted forests forget exactly: against scikit-learn, against building from scratch, and through the public calls."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import core
from core.errors import InputError, NotSupportedError
from core.families.forest.points import state_of
from core.families.forest.tree import first_difference
from core.families.forest.unlearner import Forest
from core.verification import check_unlearner
from tests.conftest import make_table

NUMBERS = ["age", "income", "debt"]
TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((500, 31), (300, 32)))
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")


def make_case(model, *, features=NUMBERS, train=TRAIN, roles=ROLES, **options):
    return core.Case(
        model.fit(train[list(features)], train[roles.target], **options), train=train, test=TEST, roles=roles
    )


def assert_equals_from_scratch(case):
    oracle = state_of(case).from_scratch(case.retained)
    for tree, other in zip(state_of(case).trees, oracle.trees, strict=True):
        assert first_difference(tree.grown, other.grown) == -1
        assert np.array_equal(tree.marks.origin, other.marks.origin)
        assert tree.estimator.tree_.max_depth == other.estimator.tree_.max_depth


SETTINGS = {
    "default": {},
    "depth": {"max_depth": 4},
    "leaf": {"min_samples_leaf": 5},
    "split": {"min_samples_split": 15, "criterion": "entropy"},
    "every feature": {"max_features": None},
    "one feature": {"max_features": 1, "criterion": "log_loss"},
    "no bootstrap": {"bootstrap": False},
    "half the rows": {"max_samples": 0.5},
    "class weights": {"class_weight": {0: 1, 1: 3}, "bootstrap": False},
    "weighted bootstrap": {"class_weight": {0: 1, 1: 2.5}},
}


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_removal_equals_building_from_scratch(options):
    case = make_case(RandomForestClassifier(6, random_state=3, **options))
    draw = np.random.default_rng(0)
    for count in (1, 1, 2, 5, 20, 60):
        ids = draw.choice(case.retained_ids, count, replace=False)
        result = core.unlearn(case, ids, method="forest")
        case = result.case
        assert_equals_from_scratch(case)
    assert case.n_retained == len(TRAIN) - 89


def test_columns_of_two_values_are_searched_again_when_another_may_win():
    train = make_table(400, 51).dropna().reset_index(drop=True)
    columns = make_column_transformer((OneHotEncoder(), ["sex", "job"]), remainder="passthrough")
    model = make_pipeline(columns, RandomForestClassifier(3, random_state=0))
    case = make_case(model, features=["sex", "job", "income", "debt"], train=train)
    draw = np.random.default_rng(0)
    for count in (40, 60):
        case = core.unlearn(case, draw.choice(case.retained_ids, count, replace=False), method="forest").case
        assert_equals_from_scratch(case)


@pytest.mark.parametrize("name", ["default", "leaf", "no bootstrap"])
def test_conforms(name):
    report = check_unlearner(Forest(), make_case(RandomForestClassifier(5, random_state=1, **SETTINGS[name])))
    assert report["passed"].all(), report


def test_one_hot_pipelines_conform():
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["sex", "job"]),
        (OneHotEncoder(handle_unknown="ignore"), ["age"]),
        remainder="passthrough",
    )
    case = make_case(
        make_pipeline(columns, RandomForestClassifier(4, random_state=0)), features=["sex", "job", "age", "debt"]
    )
    result = core.unlearn(case, case.retained_ids[TRAIN["age"].isin([33])][:1])
    assert result.method in ("forest", "refit")
    check_unlearner(
        Forest(),
        make_case(
            make_pipeline(
                make_column_transformer(
                    (OneHotEncoder(handle_unknown="ignore"), ["sex", "job"]), remainder="passthrough"
                ),
                RandomForestClassifier(4, random_state=0),
            ),
            features=["sex", "job", "age", "debt"],
        ),
    )


NOT_SERVED = {
    "min_weight_fraction_leaf": {"min_weight_fraction_leaf": 0.01},
    "max_leaf_nodes": {"max_leaf_nodes": 20},
    "class_weight": {"class_weight": "balanced", "bootstrap": False},
    "balanced_subsample": {"class_weight": "balanced_subsample"},
    "ccp_alpha": {"ccp_alpha": 0.001},
    "monotonic_cst": {"monotonic_cst": [1, 0, 0]},
}


@pytest.mark.parametrize("name", NOT_SERVED)
def test_what_depends_on_all_rows_goes_to_refit_with_the_reason(name):
    case = make_case(RandomForestClassifier(3, random_state=0, **NOT_SERVED[name]))
    option = next(one for one in core.unlearners_for(case) if one.name == "forest")
    assert not option.fits
    assert name in option.reason
    result = core.unlearn(case, case.retained_ids[:1])
    assert result.method == "refit"
    assert any(name in note for note in result.notes)


@pytest.mark.parametrize("flipped", [1, 50])
def test_flipped_labels_are_named_by_tree_and_node(flipped):
    case = make_case(RandomForestClassifier(3, random_state=0, bootstrap=False))
    wrong = TRAIN.copy()
    wrong.loc[:flipped, "granted"] = 1 - wrong.loc[:flipped, "granted"]
    other = core.Case(case.model, train=wrong, test=TEST, roles=ROLES)
    with pytest.raises(NotSupportedError, match="tree 0 differs first at node 0"):
        core.unlearn(other, other.retained_ids[:1], method="forest")


def test_rows_in_another_order_and_an_edited_tree_are_noticed():
    model = RandomForestClassifier(3, random_state=0)
    case = make_case(model)
    shuffled = TRAIN.sample(frac=1, random_state=0).reset_index(drop=True)
    with pytest.raises(NotSupportedError, match="differs first"):
        core.prepare(core.Case(model, train=shuffled, test=TEST, roles=ROLES), method="forest")
    tree = model.estimators_[1].tree_
    node = int(np.flatnonzero(tree.feature >= 0)[-1])
    tree.threshold[node] = np.nextafter(tree.threshold[node], np.inf)
    with pytest.raises(NotSupportedError, match=f"tree 1 differs first at node {node} "):
        Forest().prepare(case)
    with pytest.raises(InputError, match="was changed in place since"):
        core.prepare(case, method="forest")


def test_fractional_weights_go_to_refit_with_the_reason():
    train = TRAIN.assign(weight=np.linspace(0.5, 1.5, len(TRAIN)))
    model = DecisionTreeClassifier(random_state=0)
    case = make_case(model, train=train, roles=ROLES.with_(sample_weight="weight"), sample_weight=train["weight"])
    result = core.unlearn(case, case.retained_ids[:1])
    assert result.method == "refit"
    assert any("whole numbers" in note for note in result.notes)


def test_a_tree_without_a_seed_is_served_where_all_features_are_candidates():
    case = make_case(DecisionTreeClassifier())
    result = core.unlearn(case, case.retained_ids[:30], method="forest")
    assert_equals_from_scratch(result.case)
    assert any("without a seed" in note for note in result.notes)
    assert "random_state" in Forest().fits(make_case(DecisionTreeClassifier(max_features=1)))


def test_three_classes():
    train = TRAIN.assign(granted=np.where(TRAIN["age"] > 60, 2, TRAIN["granted"]))
    test = TEST.assign(granted=np.where(TEST["age"] > 60, 2, TEST["granted"]))
    model = RandomForestClassifier(4, random_state=0).fit(train[["income", "debt"]], train["granted"])
    case = core.Case(model, train=train, test=test, roles=ROLES)
    result = core.unlearn(case, case.retained_ids[:40], method="forest")
    assert_equals_from_scratch(result.case)


def test_the_result_is_a_plain_forest_that_tells_no_rows(tmp_path):
    case = make_case(RandomForestClassifier(5, random_state=0, oob_score=True))
    result = core.unlearn(case, case.retained_ids[10:20], method="forest")
    model = result.case.model
    assert type(model) is RandomForestClassifier
    assert not {"_sample_weight", "oob_decision_function_", "_n_samples"} & set(vars(model))
    path = tmp_path / "model.skops"
    core.save_model(model, path)
    again = core.load_model(path)
    assert np.array_equal(again.predict_proba(TEST[NUMBERS]), model.predict_proba(TEST[NUMBERS]))
    assert "bootstrap" in Forest().fits(core.Case(again, train=TRAIN, test=TEST, roles=ROLES))


def test_forgetting_until_a_tree_is_one_leaf():
    train = TRAIN.iloc[:40].reset_index(drop=True)
    case = make_case(RandomForestClassifier(3, random_state=0), train=train)
    keep = {int(np.flatnonzero(train["granted"] == label)[0]) for label in (0, 1)}
    smallest = len(train)
    for row in (row for row in range(len(train)) if row not in keep):
        before = state_of(case).trees if "forest" in case.prepared else ()
        if any(len(tree.samples) == 1 and tree.samples[0] == row for tree in before):
            with pytest.raises(NotSupportedError, match="no rows left"):
                core.unlearn(case, [train.loc[row, "person"]], method="forest")
            break
        case = core.unlearn(case, [train.loc[row, "person"]], method="forest").case
        assert_equals_from_scratch(case)
        smallest = min(tree.estimator.tree_.node_count for tree in state_of(case).trees)
    assert smallest == 1


def test_records_in_no_tree_change_nothing():
    case = core.prepare(make_case(RandomForestClassifier(2, random_state=0, max_samples=0.2)))
    known = np.unique(np.concatenate([tree.samples for tree in state_of(case).trees]))
    stranger = np.setdiff1d(np.arange(len(TRAIN)), known)[:1]
    after = core.unlearn(case, case.record_ids[stranger], method="forest").case
    assert all(one is other for one, other in zip(state_of(case).trees, state_of(after).trees, strict=True))
    assert after.n_retained == case.n_retained - 1
