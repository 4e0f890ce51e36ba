"""Extra-trees, missing values and limits that follow the number of rows: forests forget exactly through the public calls."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

import core
from core.families.forest.points import state_of
from core.families.forest.unlearner import Forest
from core.verification import check_unlearner
from tests.families.forest.test_unlearner import NUMBERS, TEST, TRAIN, assert_equals_from_scratch, make_case


def with_gaps(table, columns, seed):
    draw = np.random.default_rng(seed)
    return table.assign(**{name: table[name].where(draw.random(len(table)) > 0.15) for name in columns})


GAPS = with_gaps(TRAIN, NUMBERS, 1)
MODELS = {
    "extra-trees": ExtraTreesClassifier(5, random_state=3),
    "extra-trees, bootstrap": ExtraTreesClassifier(5, random_state=3, bootstrap=True, max_samples=0.6),
    "extra-trees, limits": ExtraTreesClassifier(
        5, random_state=3, max_depth=6, min_samples_leaf=4, criterion="entropy", max_features=None
    ),
    "extra-tree": ExtraTreeClassifier(random_state=3),
    "random splitter": DecisionTreeClassifier(splitter="random", random_state=3),
    "forest": RandomForestClassifier(5, random_state=3),
    "tree": DecisionTreeClassifier(random_state=3, criterion="entropy", min_samples_leaf=2),
}


@pytest.mark.parametrize("train", [TRAIN, GAPS], ids=["complete", "gaps"])
@pytest.mark.parametrize("name", MODELS)
def test_removal_equals_building_from_scratch(name, train):
    case = make_case(MODELS[name], train=train)
    draw = np.random.default_rng(0)
    for count in (1, 1, 5, 60):
        case = core.unlearn(case, draw.choice(case.retained_ids, count, replace=False), method="forest").case
        assert_equals_from_scratch(case)
    assert case.n_retained == len(TRAIN) - 67


@pytest.mark.parametrize("name", ["extra-trees", "forest"])
def test_conforms(name):
    report = check_unlearner(Forest(), make_case(MODELS[name], train=GAPS))
    assert report["passed"].all(), report


def test_missing_values_pass_through_a_pipeline():
    columns = make_column_transformer((OneHotEncoder(), ["sex", "job"]), remainder="passthrough")
    model = make_pipeline(columns, ExtraTreesClassifier(4, random_state=0))
    case = make_case(model, features=["sex", "job", "age", "debt"], train=GAPS)
    result = core.unlearn(case, case.retained_ids[:9], method="forest")
    assert_equals_from_scratch(result.case)
    assert result.case.n_retained == len(GAPS) - 9


SHARES = {
    "min_samples_leaf": {"min_samples_leaf": 0.02},
    "min_samples_split": {"min_samples_split": 0.05},
    "min_impurity_decrease": {"min_impurity_decrease": 0.002},
}


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_limits_that_follow_the_number_of_rows(kind, name):
    case = core.prepare(make_case(kind(4, random_state=0, bootstrap=False, **SHARES[name])), method="forest")
    before = [tree.estimator.tree_.node_count for tree in state_of(case).trees]
    for count in (1, 2, 120):
        case = core.unlearn(case, case.retained_ids[:count], method="forest").case
        assert_equals_from_scratch(case)
    assert [tree.estimator.tree_.node_count for tree in state_of(case).trees] != before


@pytest.mark.parametrize("name", SHARES)
def test_shares_of_the_rows_equal_fitting_on_the_rest(name):
    # With one feature there are no equal gains to choose from at random.
    case = make_case(DecisionTreeClassifier(random_state=0, **SHARES[name]), features=["debt"])
    result = core.unlearn(case, case.retained_ids[:150], method="forest")
    rest = TRAIN.iloc[150:]
    again = DecisionTreeClassifier(random_state=0, **SHARES[name]).fit(rest[["debt"]], rest["granted"])
    ours = result.case.model
    assert ours.tree_.node_count == again.tree_.node_count
    assert np.array_equal(ours.tree_.threshold, again.tree_.threshold)
    assert np.array_equal(ours.tree_.value, again.tree_.value)


def test_a_tree_that_draws_thresholds_needs_its_seed():
    assert "random_state" in Forest().fits(make_case(ExtraTreeClassifier(max_features=None)))


def test_influence_and_reasons_of_extra_trees(tmp_path):
    case = core.prepare(make_case(ExtraTreesClassifier(10, random_state=0), train=GAPS), method="forest")
    found = core.influence(case, metric="demographic_parity_difference")
    assert len(found) == case.n_retained
    assert core.reasons(case, case.retained_ids[:20]).notna().all(axis=None)
    assert found.abs().max() > 0
    path = tmp_path / "model.skops"
    core.save_model(case.model, path)
    again = core.load_model(path)
    assert np.array_equal(again.predict_proba(TEST[NUMBERS]), case.model.predict_proba(TEST[NUMBERS]))
    result = core.unlearn(core.Case(again, train=GAPS, test=TEST, roles=case.roles), case.retained_ids[:3])
    assert result.method == "forest"
