"""Reasons add up to the model's score, column by raw column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from shap import TreeExplainer
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import core
from core.errors import InputError, NotSupportedError
from core.records import reasons
from tests.conftest import make_table
from tests.families.boosting.test_classes import make_case as make_graded_case

FEATURES = ("sex", "age", "income", "debt", "job")
NUMBERS = ["age", "income", "debt"]
TRAIN, TEST = make_table(600, 41), make_table(200, 42)
MODELS = {
    "linear": LogisticRegression(),
    "tree": DecisionTreeClassifier(max_depth=4, random_state=0),
    "forest": RandomForestClassifier(n_estimators=12, random_state=0),
    "extra trees": ExtraTreesClassifier(n_estimators=12, random_state=0),
    "hist": HistGradientBoostingClassifier(max_iter=20),
    "boosting": GradientBoostingClassifier(n_estimators=20, random_state=0),
}
LOG_ODDS = {"linear", "hist", "boosting"}


def make_case(model, pos_label=1, sparse=False):
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=sparse))
    columns = make_column_transformer((words, ["sex", "job"]), (numbers, NUMBERS), sparse_threshold=float(sparse))
    fitted = make_pipeline(columns, model).fit(TRAIN[list(FEATURES)], TRAIN["granted"])
    roles = core.Roles("granted", pos_label, 1, ["sex"], record_id="person")
    return core.Case(fitted, train=TRAIN, test=TEST, roles=roles)


def scores(case, positions):
    return case.model.predict_proba(case.X_train.iloc[positions])[:, case.pos_column]


@pytest.mark.parametrize("pos_label", [0, 1])
@pytest.mark.parametrize("name", MODELS)
def test_values_and_base_are_the_models_output(name, pos_label):
    case = make_case(MODELS[name], pos_label)
    positions = np.arange(5, 300, 7)
    table = core.reasons(case, case.record_ids[positions])
    assert table.columns.tolist() == list(FEATURES)
    assert table.index.equals(case.record_ids[positions])
    assert table.attrs["output"] == ("log-odds" if name in LOG_ODDS else "probability")
    truth = scores(case, positions)
    truth = logit(truth) if name in LOG_ODDS else truth
    np.testing.assert_allclose(table.sum(axis=1) + table.attrs["base_value"], truth, atol=1e-6)
    assert type(table.attrs["base_value"]) is float


@pytest.mark.parametrize("name", ["forest", "boosting"])
def test_trees_are_explained_a_few_records_at_a_time_and_can_be_stopped(name):
    case = make_case(MODELS[name])
    ids, seen = case.record_ids[:10], []
    table = core.reasons(case, ids, progress=lambda share, doing: seen.append((share, doing)))
    rows = case.model[:-1].transform(case.X_train.iloc[:10])
    whole = TreeExplainer(case.model[-1], feature_perturbation="tree_path_dependent").shap_values(rows)
    whole = whole[:, :, 1] if name == "forest" else whole
    np.testing.assert_allclose(table.sum(axis=1), whole.sum(axis=1), atol=1e-9)
    steps = 12 * 3 if name == "forest" else 3
    np.testing.assert_allclose([share for share, _ in seen][::3], np.arange(steps / 3) / (steps / 3))
    assert seen[-1][1] == ("Tree 12 of 12" if name == "forest" else "Record 9 of 10")

    def give_up(share, _):
        if share > 0:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        core.reasons(case, ids, progress=give_up)


def test_a_mean_over_records_takes_fewer_where_trees_are_deep(monkeypatch):
    case = make_case(MODELS["forest"])
    monkeypatch.setattr(reasons, "DEAR", 1.0)
    assert core.mean_reasons(case).attrs["n_records"] == reasons.FEWEST_RECORDS
    assert core.mean_reasons(case, n_records=12).attrs["n_records"] == 12


@pytest.mark.parametrize("sparse", [False, True])
def test_linear_values_by_hand(sparse):
    case = make_case(LogisticRegression(), sparse=sparse)
    steps, estimator = case.model[:-1], case.model[-1]
    rows = steps.transform(case.X_train)
    rows = np.asarray(rows.todense() if sparse else rows)
    parts = (rows - rows.mean(axis=0)) * estimator.coef_[0]
    names = steps.get_feature_names_out()
    table = core.reasons(case, case.record_ids[:4])
    for column in FEATURES:
        own = [column in name.split("__")[1] for name in names]
        np.testing.assert_allclose(table[column], parts[:4, own].sum(axis=1), atol=1e-9)


def test_base_is_the_mean_of_the_retained_records():
    case = make_case(LogisticRegression())
    kept = core.unlearn(case, case.record_ids[:200]).case
    table = core.reasons(kept, kept.record_ids[[3, 400]])
    margin = kept.model.decision_function(kept.X_train[kept.retained])
    assert table.attrs["base_value"] == pytest.approx(margin.mean())
    assert table.index[0] in kept.forgotten_ids


@pytest.mark.parametrize("kind", [GradientBoostingClassifier, HistGradientBoostingClassifier])
def test_bare_boosting_after_its_leaves_were_refitted(kind):
    train = TRAIN.assign(income=TRAIN["income"].fillna(25.0))
    test = TEST.assign(income=TEST["income"].fillna(25.0))
    options = {"max_depth": 6, "min_samples_leaf": 1}
    model = kind(**options).fit(train[NUMBERS], train["granted"])
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="person", features=NUMBERS)
    case = core.Case(model, train=train, test=test, roles=roles)
    removed = core.unlearn(case, case.record_ids[:250], method="leaf_refit").case
    table = core.reasons(removed, case.record_ids[200:300])
    truth = removed.model.decision_function(train[NUMBERS].iloc[200:300])
    np.testing.assert_allclose(table.sum(axis=1) + table.attrs["base_value"], truth, atol=1e-5)


@pytest.mark.parametrize("pos_label", ["granted", "late"])
@pytest.mark.parametrize("name", ["hist", "classic", "classic, from zero"])
def test_boosting_of_more_than_two_classes_explains_one(name, pos_label):
    case = make_graded_case(name, pos_label=pos_label)
    ids = case.record_ids[100:160]
    table = core.reasons(case, ids)
    assert (table.attrs["output"], table.attrs["explained"]) == ("centred log-ratio", pos_label)
    logs = pd.DataFrame(np.log(case.model.predict_proba(case.X_train.iloc[100:160])), columns=case.classes)
    truth = logs[pos_label] - logs.mean(axis=1)
    np.testing.assert_allclose(table.sum(axis=1) + table.attrs["base_value"], truth, atol=1e-6)
    assert type(table.attrs["base_value"]) is float
    assert table.to_numpy().std() > 0.1
    removed = core.unlearn(case, ids[:40], method="leaf_refit").case
    assert not np.allclose(core.reasons(removed, ids), table)
    assert core.mean_reasons(case, n_records=10).index.size == len(NUMBERS)


def test_one_split_by_hand():
    table = pd.DataFrame({"a": [0.0, 0.0, 1.0, 1.0] * 10, "b": np.arange(40.0), "sex": ["f", "m"] * 20})
    table["y"] = (table["a"] == 1).astype(int)
    model = DecisionTreeClassifier(max_depth=1).fit(table[["a", "b"]], table["y"])
    case = core.Case(model, train=table, test=table, roles=core.Roles("y", 1, 1, ["sex"], features=["a", "b"]))
    found = core.reasons(case, [0, 3])
    assert found.attrs["base_value"] == pytest.approx(0.5)
    np.testing.assert_allclose(found.to_numpy(), [[-0.5, 0.0], [0.5, 0.0]], atol=1e-12)


def test_refused_with_a_sentence():
    case = make_case(LogisticRegression())
    with pytest.raises(InputError, match="Unknown: 'nobody'"):
        core.reasons(case, ["nobody"])
    with pytest.raises(InputError, match="once"):
        core.reasons(case, ["p1", "p1"])
    with pytest.raises(InputError, match="at least one"):
        core.reasons(case, [])
    with pytest.raises(NotSupportedError, match="GaussianNB"):
        core.reasons(make_case(GaussianNB()), ["p1"])


def test_features_made_of_several_columns_are_refused_by_name():
    train = TRAIN.assign(income=TRAIN["income"].fillna(25.0))
    test = TEST.assign(income=TEST["income"].fillna(25.0))
    model = make_pipeline(PCA(2), LogisticRegression()).fit(train[NUMBERS], train["granted"])
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="person", features=NUMBERS)
    with pytest.raises(NotSupportedError, match="mixes"):
        core.reasons(core.Case(model, train=train, test=test, roles=roles), ["p1"])
