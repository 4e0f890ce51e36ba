"""Boosters in files of every kind: they score as in their library, or say in a sentence why not."""

from __future__ import annotations

import importlib.util
import io
import json
import pickle
import re

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.errors import InputError, NotSupportedError, RedressError
from core.files.models.boosters import sound
from core.files.models.inspect import inspect_here
from core.files.models.models import read_model
from core.files.tables.limits import ModelLimits
from tests.families.libraries import FEATURES, LIBRARIES, TEST, TRAIN, case_of, fitted, piped, unfitted

MODELS = pytest.mark.parametrize("library", LIBRARIES)


def joblibbed(model, **how) -> bytes:
    file = io.BytesIO()
    joblib.dump(model, file, **how)
    return file.getvalue()


def alone(model, form: str, tmp_path) -> bytes:
    """Return a model in its library's own format."""
    path = tmp_path / f"model.{form}"
    (model.booster_ if form == "txt" else model).save_model(path)
    return path.read_bytes()


def agree(opened, model, table: pd.DataFrame = TEST) -> None:
    np.testing.assert_array_equal(opened.predict_proba(table[FEATURES]), model.predict_proba(table[FEATURES]))
    np.testing.assert_array_equal(opened.predict(table[FEATURES]), model.predict(table[FEATURES]))


@MODELS
@pytest.mark.parametrize("make", [fitted, piped])
@pytest.mark.parametrize("write", [pickle.dumps, joblibbed, lambda model: joblibbed(model, compress=3)])
def test_pickled_classifiers_open_score_forget_and_are_saved(library, make, write, tmp_path):
    model = make(library)
    opened = core.load_model(write(model))
    agree(opened, model)
    case = case_of(opened)
    assert case.key == case_of(model).key
    after = core.unlearn(case, [2, 4]).case
    again = clone(model).fit(TRAIN[FEATURES].drop([2, 4]), TRAIN["granted"].drop([2, 4]))
    agree(after.model, again)
    assert core.check_provenance(case).status == "verified"
    for one in (case, after):
        back = core.load_case(one.save(tmp_path / "case"))
        assert back.key == one.key
        np.testing.assert_array_equal(back.scores("test"), one.scores("test"))
        assert core.unlearn(back, [7]).case.key == core.unlearn(one, [7]).case.key
    assert core.reasons(case, [1]).attrs["output"] == "log-odds"


@pytest.mark.parametrize(
    ("library", "form"), [("xgboost", "json"), ("xgboost", "ubj"), ("lightgbm", "txt"), ("catboost", "cbm")]
)
def test_a_librarys_own_files_open_and_say_whether_records_can_go(library, form, tmp_path):
    model = fitted(library)
    found = read_model(alone(model, form, tmp_path))
    agree(found.model, model)
    case = case_of(found.model)
    assert case.features == tuple(FEATURES)
    assert core.audit(case).gaps.shape == core.audit(case_of(model)).gaps.shape
    if library == "xgboost":
        assert "records neither the parameters" in found.notes[0]
        assert core.check_provenance(case).status == "unverifiable"
        with pytest.raises(NotSupportedError, match="holds no parameters"):
            core.unlearn(case, [1])
    else:
        assert core.check_provenance(case).status == "verified"
        assert core.unlearn(case, [1]).guarantee.value == "exact"
    back = core.load_case(case.save(tmp_path / "case"))
    assert back.key == case.key
    assert [one.fits for one in core.unlearners_for(back)] == [one.fits for one in core.unlearners_for(case)]


VARIANTS = [
    ("xgboost", {"booster": "dart", "rate_drop": 0.3}),
    ("xgboost", {"booster": "gblinear", "max_depth": None, "n_jobs": 1}),
    ("xgboost", {"num_parallel_tree": 3, "subsample": 0.7}),
    ("xgboost", {"tree_method": "exact", "gamma": 5.0}),
    ("xgboost", {"scale_pos_weight": 2.5, "base_score": 0.2}),
    ("xgboost", {"monotone_constraints": (1, 0, 0)}),
    ("lightgbm", {"boosting_type": "dart"}),
    ("lightgbm", {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1}),
    ("lightgbm", {"min_child_samples": 2000}),
    ("lightgbm", {"class_weight": "balanced", "max_bin": 31, "extra_trees": True}),
    ("catboost", {"grow_policy": "Lossguide", "max_leaves": 6}),
    ("catboost", {"auto_class_weights": "Balanced", "bootstrap_type": "Bernoulli", "subsample": 0.6}),
]


@pytest.mark.parametrize(("library", "params"), VARIANTS)
def test_parameters_of_every_kind_are_kept(library, params):
    model = unfitted(library).set_params(**params).fit(TRAIN[FEATURES], TRAIN["granted"])
    opened = core.load_model(pickle.dumps(model))
    agree(opened, model)
    again, theirs = (clone(one).fit(TRAIN[FEATURES][5:], TRAIN["granted"][5:]) for one in (opened, model))
    agree(again, theirs)


def test_a_stopped_model_scores_by_its_best_round_and_is_not_trained_again():
    model = unfitted("xgboost").set_params(n_estimators=200, early_stopping_rounds=3)
    model.fit(TRAIN[FEATURES], TRAIN["granted"], eval_set=[(TEST[FEATURES], TEST["granted"])], verbose=False)
    opened = core.load_model(pickle.dumps(model))
    assert opened.best_iteration == model.best_iteration
    agree(opened, model)
    with pytest.raises(NotSupportedError, match="stopped early by rows that its file does not hold"):
        core.unlearn(case_of(opened), [1])


def test_labels_of_words_are_kept_where_the_library_keeps_them():
    words = TRAIN["granted"].map({0: "no", 1: "yes"})
    model = unfitted("lightgbm").fit(TRAIN[FEATURES], words)
    opened = core.load_model(pickle.dumps(model))
    assert opened.classes_.tolist() == ["no", "yes"]
    agree(opened, model)


def test_categories_of_catboost_open():
    catboost = pytest.importorskip("catboost")
    train = TRAIN.assign(town=np.where(TRAIN["debt"] > 0, "a", "b"))
    test = TEST.assign(town=np.where(TEST["debt"] > 0, "a", "c"))
    model = catboost.CatBoostClassifier(iterations=9, cat_features=["town"], verbose=False, allow_writing_files=False)
    model.fit(train[[*FEATURES, "town"]], train["granted"])
    opened = core.load_model(pickle.dumps(model))
    case = core.Case(opened, train, test, core.Roles("granted", 1, 1, ["sex"]))
    np.testing.assert_array_equal(case.scores("test"), model.predict_proba(test[[*FEATURES, "town"]])[:, 1])
    with pytest.raises(NotSupportedError, match="columns of numbers"):
        core.reasons(case, [1])
    assert core.unlearn(case, [1]).case.n_retained == len(train) - 1


@MODELS
def test_ensembles_of_boosters_open(library):
    model = VotingClassifier([("a", unfitted(library)), ("b", GaussianNB())], voting="soft")
    table = TRAIN.fillna(0.0)
    model.fit(table[FEATURES], table["granted"])
    agree(core.load_model(pickle.dumps(model)), model, TEST.fillna(0.0))
    with pytest.raises(InputError, match=r"must be fitted|not fitted"):
        core.load_model(pickle.dumps(unfitted(library)))


def test_parameters_of_earlier_releases_are_passed_over():
    model = unfitted("xgboost").set_params(use_label_encoder=False, eval_metric="logloss")
    opened = core.load_model(pickle.dumps(model.fit(TRAIN[FEATURES], TRAIN["granted"])))
    assert not hasattr(opened, "unknown_training")
    agree(opened, model)


# -- what is refused, in a sentence each


def regressor(library: str):
    module = pytest.importorskip(library)
    kind = {"xgboost": "XGBRegressor", "lightgbm": "LGBMRegressor", "catboost": "CatBoostRegressor"}[library]
    few = {"verbose": -1} if library == "lightgbm" else {}
    few = {"verbose": False, "allow_writing_files": False} if library == "catboost" else few
    return getattr(module, kind)(n_estimators=4, **few).fit(TRAIN[FEATURES], TRAIN["debt"])


FORMS = {"xgboost": "json", "lightgbm": "txt", "catboost": "cbm"}


@MODELS
def test_another_objective_is_named(library, tmp_path):
    with pytest.raises(InputError, match=r"must be trained for the probability of one of two classes.*trained for '"):
        core.load_model(alone(regressor(library), FORMS[library], tmp_path))
    with pytest.raises(RedressError, match=r"Regressor.*predicts numbers"):
        core.load_model(pickle.dumps(regressor(library)))
    many = unfitted(library).fit(TRAIN[FEATURES], np.arange(len(TRAIN)) % 3)
    for data in (pickle.dumps(many), alone(many, FORMS[library], tmp_path)):
        with pytest.raises(InputError, match="must be trained for the probability of one of two classes"):
            core.load_model(data)


def test_a_ranker_ranks():
    xgboost = pytest.importorskip("xgboost")
    ranker = xgboost.XGBRanker(n_estimators=3).fit(
        TRAIN[FEATURES], TRAIN["granted"], qid=np.zeros(len(TRAIN), dtype=int)
    )
    with pytest.raises(InputError, match="an XGBRanker, which ranks rows"):
        core.load_model(pickle.dumps(ranker))


def test_a_mark_of_its_own_for_missing_cells_is_named():
    table = TRAIN.fillna(-999.0)
    model = unfitted("xgboost").set_params(missing=-999.0).fit(table[FEATURES], table["granted"])
    with pytest.raises(
        InputError, match=r"must take NaN alone for missing cells. Got one trained with missing=-999\.0"
    ):
        core.load_model(pickle.dumps(model))


@MODELS
def test_what_is_cut_off_is_damaged(library, tmp_path):
    whole = alone(fitted(library), FORMS[library], tmp_path)
    for share in (0.2, 0.5, 0.97):
        with pytest.raises(InputError, match=r"must be whole|as XGBoost trained it"):
            core.load_model(whole[: int(share * len(whole))])


def test_a_version_from_the_future_is_named(tmp_path):
    model = json.loads(alone(fitted("xgboost"), "json", tmp_path))
    model["version"] = [9, 0, 1]
    with pytest.raises(InputError, match=r"made with XGBoost 3\.\d+\.\d+ or before. Got one made with 9\.0\.1"):
        core.load_model(json.dumps(model).encode())
    text = alone(fitted("lightgbm"), "txt", tmp_path).decode().replace("version=v4", "version=v7")
    with pytest.raises(InputError, match="Got one made with text v7"):
        core.load_model(text.encode())


def test_formats_that_were_given_up_are_named():
    for data in (b"binf\x00\x00\x00?", b"bs64\tabcd"):
        with pytest.raises(InputError, match="binary format that XGBoost gave up"):
            core.load_model(data)


def test_columns_that_the_table_lacks_are_named():
    opened = core.load_model(pickle.dumps(fitted("xgboost")))
    with pytest.raises(InputError, match="It lacks 'debt'"):
        core.Case(opened, TRAIN.drop(columns="debt"), TEST, core.Roles("granted", 1, 1, ["sex"]))


@MODELS
def test_threads_are_not_the_files_to_choose(library):
    name = {"xgboost": "n_jobs", "lightgbm": "n_jobs", "catboost": "thread_count"}[library]
    model = unfitted(library).set_params(**{name: 64}).fit(TRAIN[FEATURES], TRAIN["granted"])
    assert core.load_model(pickle.dumps(model)).get_params().get(name) is None


@MODELS
def test_a_library_that_is_not_installed_is_named(library, monkeypatch):
    data = pickle.dumps(fitted(library))
    spec = importlib.util.find_spec
    monkeypatch.setattr(sound, "find_spec", lambda name: None if name == library else spec(name))
    with pytest.raises(InputError, match=re.escape("must be installed to open its models. It is not; install it")):
        core.load_model(data)
    assert not inspect_here(data, ModelLimits()).loads


@MODELS
def test_inspection_tells_columns_without_building(library, tmp_path):
    found = core.inspect_model(pickle.dumps(fitted(library)))
    assert (found.loads, found.classes) == (True, (0, 1))
    assert found.class_name.endswith("Classifier")
    if library != "catboost":
        assert found.columns == tuple(FEATURES)
    alone_too = core.inspect_model(alone(fitted(library), FORMS[library], tmp_path))
    assert (alone_too.loads, alone_too.recipe == "") == (True, library != "catboost")
    if library != "catboost":
        assert not core.inspect_model(alone(regressor(library), FORMS[library], tmp_path)).loads


def test_a_scaler_beside_a_booster_makes_a_pipeline():
    scaler = StandardScaler().fit(TRAIN[FEATURES])
    model = unfitted("xgboost").fit(scaler.transform(TRAIN[FEATURES]), TRAIN["granted"])
    files = {"model.pkl": pickle.dumps(model), "scaler.pkl": pickle.dumps(scaler)}
    opened = core.load_model(files, train=TRAIN)
    agree(opened, make_pipeline(scaler, model))
