"""Scores after a removal are those of the model itself, bit for bit, whichever rows had to be routed again."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

import core
from core.families.forest.points import state_of
from core.families.forest.scores import bring_along
from tests.conftest import make_table

TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((700, 71), (500, 72)))
NUMBERS, ALL = ["age", "income", "debt"], ["sex", "job", "income", "debt"]


def piped(encoder):
    columns = make_column_transformer((encoder, ["sex", "job"]), remainder="passthrough")
    return make_pipeline(columns, RandomForestClassifier(6, random_state=0))


MODELS = {
    "forest": (RandomForestClassifier(8, random_state=0), NUMBERS),
    "tree": (DecisionTreeClassifier(random_state=0, max_features=1), NUMBERS),
    "pipeline": (piped(OneHotEncoder()), ALL),
}


def make_case(model, features, train=TRAIN, label="sex"):
    roles = core.Roles("granted", 1, 0, [label], record_id="person")
    return core.Case(model.fit(train[features], train["granted"]), train=train, test=TEST, roles=roles)


def assert_own_scores(case):
    assert case.prepared.scores is not None
    for on in ("explore", "confirm", "test"):
        scores = case.model.predict_proba(case.X_test.iloc[case.rows(on)])[:, 1]
        assert np.array_equal(case.scores(on), scores)


@pytest.mark.parametrize("name", MODELS)
def test_scores_after_removals_are_the_models_own(name):
    case = core.prepare(make_case(*MODELS[name]))
    draw = np.random.default_rng(0)
    for count in (1, 1, 30, 2, 200):
        before, asked = case, draw.choice(case.retained_ids, count, replace=False)
        case = core.unlearn(before, asked, method="forest").case
        if count != 2:
            assert_own_scores(case)
        sibling = core.unlearn(before, draw.choice(before.retained_ids, 3, replace=False), method="forest").case
        assert_own_scores(sibling)


def test_only_rows_whose_path_changed_are_routed():
    before = core.prepare(make_case(*MODELS["forest"]))
    after = core.unlearn(before, before.record_ids[:1], method="forest").case
    assert_own_scores(after)
    routed = rows = 0
    X, leaves = next(iter(state_of(before).scorer.found.values()))
    for old, new, leaf in zip(state_of(before).trees, state_of(after).trees, leaves, strict=True):
        routed += bring_along(old, new, X, leaf.copy())
        rows += len(leaf)
    assert 0 < routed < 0.5 * rows


def test_no_more_than_one_earlier_case_is_held():
    case = core.prepare(make_case(*MODELS["forest"]))
    for person in case.record_ids[:5]:
        case = core.unlearn(case, [person], method="forest").case
    base = state_of(case).scorer.base
    assert base is not None
    assert base.base is None
    case.scores("explore")
    assert state_of(case).scorer.base is None


def test_test_rows_that_preprocessing_sees_otherwise_are_routed_anew():
    train = TRAIN.assign(job=TRAIN["job"].where(TRAIN.index != 5, "a pilot"))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    case = core.prepare(make_case(piped(encoder), ALL, train), method="forest")
    gone = case.record_ids[:1]
    after = core.unlearn(case, gone, method="forest").case
    assert_own_scores(after)
    X, leaves = next(iter(state_of(after).scorer.found.values()))
    state_of(after).scorer.found.clear()
    other = core.unlearn(after, case.record_ids[10:11], method="forest").case
    state_of(other).scorer.base.found = {
        key: (X + 1, leaves[:, ::-1].copy()) for key in [hash(other.rows("explore").tobytes())]
    }
    state_of(other).scorer.base.base = None
    assert_own_scores(other)
