"""Fitting a preprocessing again on its own rows never says that they are others, whatever transformers it is made of."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils.discovery import all_estimators

import core
from tests.conftest import make_pipeline_for, make_table

COLUMNS = ["age", "income", "debt", "months"]
LR = LogisticRegression(solver="newton-cholesky", tol=1e-12, C=0.5)
ARGUMENTS = {
    "ColumnTransformer": {"transformers": [("scaled", StandardScaler(), [0, 1]), ("kept", "passthrough", [2, 3])]},
    "FeatureUnion": {"transformer_list": [("scaled", StandardScaler()), ("best", SelectKBest(k=2))]},
    "RFE": {"estimator": LR},
    "RFECV": {"estimator": LR},
    "SelectFromModel": {"estimator": ExtraTreesClassifier(5)},
    "SequentialFeatureSelector": {"estimator": LR},
    "SparseCoder": {"dictionary": np.eye(4)},
    "StackingClassifier": {"estimators": [("tree", ExtraTreesClassifier(3, max_depth=2)), ("lr", LR)]},
    "VotingClassifier": {"estimators": [("tree", ExtraTreesClassifier(3, max_depth=2)), ("lr", LR)]},
    "StackingRegressor": {"estimators": [("lr", LinearRegression())]},
    "VotingRegressor": {"estimators": [("lr", LinearRegression())]},
    "SelectKBest": {"k": 2},
    "GenericUnivariateSelect": {"mode": "k_best", "param": 2},
    "QuantileTransformer": {"subsample": 60, "n_quantiles": 20},
    "KBinsDiscretizer": {"subsample": 60, "strategy": "kmeans"},
    "RandomTreesEmbedding": {"n_estimators": 3},
    "FastICA": {"whiten_solver": "eigh"},
    "DictionaryLearning": {"max_iter": 3},
    "MiniBatchDictionaryLearning": {"max_iter": 3},
    "LatentDirichletAllocation": {"max_iter": 2},
    "MissingIndicator": {"features": "all"},
    "GaussianRandomProjection": {"n_components": 2},
    "SparseRandomProjection": {"n_components": 2},
}
NOT_OF_TABLES = {
    "CCA",
    "DictVectorizer",
    "FeatureHasher",
    "HashingVectorizer",
    "IsotonicRegression",
    "KernelCenterer",
    "LabelBinarizer",
    "LabelEncoder",
    "MultiLabelBinarizer",
    "PLSCanonical",
    "PLSRegression",
    "PLSSVD",
    "PatchExtractor",
    "TSNE",
}
TRANSFORMERS = dict(all_estimators(type_filter="transformer"))


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def make_rows(n=140, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n) / 10,
            "income": rng.gamma(2, 2, n),
            "debt": rng.random(n),
            "months": rng.integers(0, 9, n),
        }
    ).astype(float)
    table["town"] = rng.choice(list("abcde"), n)
    table["sex"] = rng.choice(["f", "m"], n)
    table["granted"] = (table.income - 2 * table.debt + rng.logistic(size=n) > 3).astype(int)
    return table


ROWS = make_rows()


def verdict_of(model, columns=COLUMNS, rows=ROWS, fitted_on=ROWS):
    model.fit(fitted_on[list(columns)], fitted_on["granted"])
    case = core.Case(model, rows, rows, core.Roles("granted", 1, 1, ["sex"], features=list(columns)), confirm=False)
    return core.check_provenance(case)


def transformer(name, **seeds):
    one = TRANSFORMERS[name](**ARGUMENTS.get(name, {}))
    known = [key for key in one.get_params() if key.endswith("random_state")]
    return one.set_params(**dict.fromkeys(known, seeds["seed"])) if seeds else one


@pytest.mark.parametrize("name", sorted(set(TRANSFORMERS) - NOT_OF_TABLES))
@pytest.mark.parametrize("last", [LR, RandomForestClassifier(3, random_state=0)], ids=["logistic", "forest"])
def test_every_transformer_with_its_seed_is_verified_on_its_own_rows(name, last):
    found = verdict_of(make_pipeline(transformer(name, seed=0), last))
    assert found.status == "verified", found.evidence


@pytest.mark.parametrize("name", sorted(set(TRANSFORMERS) - NOT_OF_TABLES))
def test_no_transformer_without_a_seed_calls_its_own_rows_others(name):
    found = verdict_of(make_pipeline(transformer(name), LR))
    assert found.status in ("verified", "unverifiable"), found.evidence
    if found.status == "unverifiable":
        assert "random" in found.evidence
        assert any(key.endswith("random_state") for key in transformer(name).get_params())


@pytest.mark.parametrize("name", sorted(set(TRANSFORMERS) - NOT_OF_TABLES))
def test_one_record_more_is_never_verified(name):
    more = pd.concat([ROWS, make_rows(1, seed=5)], ignore_index=True)
    found = verdict_of(make_pipeline(transformer(name, seed=0), LR), rows=ROWS, fitted_on=more)
    assert found.status in ("mismatch", "unverifiable"), found.evidence


def test_what_cannot_stand_in_a_pipeline_on_a_table_is_left_out_for_that_reason():
    for name in NOT_OF_TABLES:
        with pytest.raises(Exception):  # noqa: B017, PT011
            make_pipeline(TRANSFORMERS[name](), LR).fit(ROWS[COLUMNS], ROWS["granted"])


def test_a_target_encoder_with_its_own_seeded_folds_is_verified():
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = make_pipeline(make_column_transformer((TargetEncoder(cv=folds), ["town"]), remainder=StandardScaler()), LR)
    assert verdict_of(model, ["town", "age", "income"]).status == "verified"


def test_a_target_encoder_without_a_seed_says_that_it_draws():
    model = make_pipeline(make_column_transformer((TargetEncoder(), ["town"]), remainder=StandardScaler()), LR)
    found = verdict_of(model, ["town", "age", "income"])
    assert found.status == "unverifiable"
    assert "TargetEncoder draws at random without a recorded seed" in found.evidence


def test_beside_a_branch_that_draws_another_that_does_not_still_tells_other_rows():
    draws = QuantileTransformer(n_quantiles=20, subsample=60)
    model = make_pipeline(make_column_transformer((draws, ["age"]), remainder=StandardScaler()), LR)
    assert verdict_of(model, ["age", "income"]).status == "unverifiable"
    changed = ROWS.copy()
    changed.loc[0, "income"] += 1.0
    found = verdict_of(model, ["age", "income"], rows=changed)
    assert (found.status, found.refit) == ("mismatch", True)
    assert "StandardScaler" in found.evidence


def test_a_seed_that_is_a_generator_counts_as_none():
    draws = QuantileTransformer(n_quantiles=20, subsample=60, random_state=np.random.RandomState(0))
    found = verdict_of(make_pipeline(draws, LR))
    assert found.status == "unverifiable"
    assert "QuantileTransformer draws at random" in found.evidence


def test_other_labels_behind_a_supervised_step_are_other_rows():
    flipped = ROWS.copy()
    flipped.loc[0, "granted"] = 1 - flipped.loc[0, "granted"]
    found = verdict_of(make_pipeline(SelectKBest(k=3), LR), rows=flipped)
    assert found.status == "mismatch"
    assert "SelectKBest.scores_" in found.evidence


def test_bins_of_other_rows_are_named_with_both_edges():
    changed = ROWS.copy()
    changed.loc[changed["income"].idxmax(), "income"] += 1.0
    found = verdict_of(make_pipeline(KBinsDiscretizer(3), LR), rows=changed)
    assert found.status == "mismatch"
    assert "bin_edges_" in found.evidence


class Moody(TransformerMixin, BaseEstimator):
    """Cannot be fitted twice."""

    def fit(self, X, y=None):  # noqa: ARG002
        if hasattr(type(self), "spent"):
            raise RuntimeError("fitted before")
        type(self).spent = True
        self.n_columns_ = X.shape[1]
        return self

    def transform(self, X):
        return np.asarray(X)


def test_what_cannot_be_fitted_again_is_said_and_raises_nothing():
    found = verdict_of(make_pipeline(Moody(), LR))
    assert found.status == "unverifiable"
    assert "fitted before" in found.evidence


NULLABLE = ROWS.assign(
    children=pd.array(np.where(np.arange(len(ROWS)) % 9 == 0, None, np.arange(len(ROWS)) % 4), dtype="Int64"),
    owner=pd.array(np.where(np.arange(len(ROWS)) % 7 == 0, None, np.arange(len(ROWS)) % 2 == 0), dtype="boolean"),
)


@pytest.mark.parametrize(
    "encoder", [SimpleImputer(), OneHotEncoder(), make_pipeline(OrdinalEncoder(), SimpleImputer())], ids=str
)
def test_nullable_columns_with_missing_values_are_verified(encoder):
    columns = ["children", "owner", "age"]
    whole = make_column_transformer((encoder, ["children"]), (OneHotEncoder(), ["owner"]), remainder="passthrough")
    found = verdict_of(make_pipeline(whole, LR), columns, NULLABLE, NULLABLE)
    assert found.status == "verified", found.evidence


def test_other_rows_change_what_steps_store():
    train, roles = make_table(2000, 21), core.Roles("granted", 1, 1, ["sex"], record_id="person")
    swapped = train.copy()
    swapped.loc[:19, "debt"] = train["debt"].iloc[::-1].to_numpy()[:20]
    found = core.check_provenance(core.Case(make_pipeline_for(train), swapped, make_table(400, 22), roles))
    assert found.status == "mismatch"
    assert "statistics_" in found.evidence
