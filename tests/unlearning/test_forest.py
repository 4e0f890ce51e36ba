"""Fitted forests forget exactly: against scikit-learn, against building from scratch, and through the public calls."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import core
from core.unlearning.forest import Forest
from core.unlearning.forest_tree import first_difference
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
    oracle = case.state.from_scratch(case.retained)
    for tree, other in zip(case.state.trees, oracle.trees, strict=True):
        assert first_difference(tree.grown, other.grown) == -1
        assert np.array_equal(tree.origin, other.origin)
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
