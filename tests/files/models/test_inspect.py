import io
import os
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.errors import InputError
from tests.files.models.test_releases import PARTLY, RELEASES, files, is_refused, kinds


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_said_to_open_opens(release: int) -> None:
    for number, (kind, about) in enumerate(kinds(release).items()):
        if release in PARTLY and number % 3 != release % 3:
            continue
        found = core.inspect_model(files(release)[f"{kind}.joblib"])
        assert found.loads is not is_refused(kind, release), kind
        assert found.loads is not bool(found.missing)
        assert all(one.startswith(f"1.{release}.") for one in found.made_with)
        assert len(found.classes) == about["classes"]
        assert (f"from scikit-learn 1.{release}." in found.after) is (found.loads and release < 9)
        if kind == "dummy" and release < 5:
            continue  # which stored nothing of its columns
        assert found.n_columns == len(about["columns"])
        assert (found.columns == ()) if kind.endswith("_unnamed") else (list(found.columns) == about["columns"])


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("scaler", "A StandardScaler, not a model: add the model it belongs to."),
        ("encoder", "A OneHotEncoder, not a model: add the model it belongs to."),
        ("label_encoder", "A LabelEncoder, not a model: add the model it belongs to."),
        (
            "encoders",
            "A dictionary of 2 LabelEncoders, for 'branch', 'job', not a model: add the model they belong to.",
        ),
        ("feature_list", "A list of 4 names, not a model: add the model whose columns they are."),
        ("unfitted", "A RandomForestClassifier that is not fitted: call fit and save it again."),
    ],
)
def test_what_is_no_model_is_told_with_what_is_missing(name: str, missing: str) -> None:
    for release in RELEASES:
        for form in ("pickle", "joblib", "skops"):
            if (file := f"{name}.{form}") in files(release):
                found = core.inspect_model(files(release)[file])
                assert (found.loads, found.missing) == (False, missing)


def test_a_chain_is_told_with_its_recipe() -> None:
    found = core.inspect_model(files(3)["forest_prepared.pickle"])
    assert found.steps == ("ColumnTransformer", "RandomForestClassifier")
    assert found.recipe.endswith("RandomForestClassifier(n_estimators=4, max_depth=4, random_state=0))])")
    assert "SimpleImputer(strategy='median')" in found.recipe
    assert "dtype" not in found.recipe
    search = core.inspect_model(files(3)["search.pickle"])
    assert (search.class_name, search.steps) == ("GridSearchCV", ("RandomForestClassifier",))
    assert search.after.startswith("its best_estimator_ alone, brought from")


def test_recipes_make_the_model_they_tell_of() -> None:
    model = LogisticRegression(C=0.25, solver="newton-cholesky", class_weight={0: 1.0, 1: 3.5}).fit(
        [[0.0], [1.0]], [0, 1]
    )
    found = core.inspect_model(pickle.dumps(model))
    again = eval(found.recipe, {"LogisticRegression": LogisticRegression})  # noqa: S307
    assert again.get_params() == model.get_params()


def test_a_model_in_a_dictionary_is_told_with_what_stands_beside_it() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    bundle = {"model": model, "scaler": StandardScaler().fit([[0.0], [1.0]]), "columns": ["a"]}
    found = core.inspect_model(pickle.dumps(bundle))
    assert (found.loads, found.steps, found.after) == (
        True,
        ("LogisticRegression",),
        "put together with 'scaler' and 'columns'",
    )
    assert core.load_model(pickle.dumps(bundle)).feature_names_in_.tolist() == ["a"]
    two = core.inspect_model(pickle.dumps({"a": model, "b": model, "c": 1}))
    assert two.missing == (
        "A dict with a LogisticRegression under 'a' and a LogisticRegression under 'b': save the one to look at in a file of its own."
    )


def test_models_without_an_outcome_are_told_so_by_both() -> None:
    rows = np.arange(12.0)[:, None]
    for model, what in ((IsolationForest(n_estimators=2), "finds outliers"), (KMeans(2, n_init=1), "groups rows")):
        file = pickle.dumps(model.fit(rows))
        said = f"which {what} without an outcome; fit a classifier of the outcome."
        assert core.inspect_model(file).missing.endswith(said)
        with pytest.raises(InputError, match=f"{type(model).__name__}, {said}"):
            core.load_model(file)


class Pipeline(BaseEstimator):
    def __init__(self, steps: object) -> None:
        self.steps = steps


def test_a_pipeline_of_another_library_is_told_the_way_out() -> None:
    steps = [("scale", StandardScaler()), ("model", LogisticRegression().fit([[0.0], [1.0]], [0, 1]))]
    file = pickle.dumps(Pipeline(steps))
    found = core.inspect_model(file)
    assert found.steps == ("StandardScaler", "LogisticRegression")
    assert "steps other than resampling in a sklearn.pipeline.Pipeline" in found.missing
    with pytest.raises(InputError, match=r"resampling in a sklearn\.pipeline\.Pipeline"):
        core.load_model(file)


def test_boosting_with_categories_of_its_own_is_refused_by_both() -> None:
    rows = np.arange(80.0).reshape(40, 2) % 7
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(rows, np.arange(40) % 2)
    for file in (pickle.dumps(model), pickle.dumps(make_pipeline(StandardScaler(), model))):
        found = core.inspect_model(file)
        assert not found.loads
        assert "categories in a pipeline before HistGradientBoostingClassifier" in found.missing
        with pytest.raises(InputError, match="encode categories in a pipeline"):
            core.load_model(file)


class HeldClassifier:
    def __init__(self) -> None:
        self.weight, self.missing = np.float64(2.5), float("nan")


def test_recipes_of_other_classes_are_code_and_calls_have_none() -> None:
    assert core.inspect_model(pickle.dumps(HeldClassifier())).recipe == (
        'HeldClassifier(weight=2.5, missing=float("nan"))'
    )
    said = core.inspect_model(pickle.dumps({"model": HeldClassifier()})).missing
    assert said.startswith("A HeldClassifier under 'model': A model file may contain only")
    assert core.inspect_model(pickle.dumps(pd.Index(["a", "b"]))).recipe == ""


class Own:
    pass


def test_other_things_are_told_and_nothing_of_them_is_run(tmp_path: object) -> None:
    class Runs:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, ("exit 3",)

    said = core.inspect_model(pickle.dumps({"a": 1})).missing
    assert said == "A dict, not a model: add the fitted classifier."
    assert "predicts numbers" in core.inspect_model(pickle.dumps(LinearRegression().fit([[0.0]], [0.0]))).missing
    assert core.inspect_model(pickle.dumps(Runs())).foreign == (f"{os.system.__module__}.system",)
    assert "print" in core.inspect_model(pickle.dumps(print)).foreign[0]
    assert core.inspect_model(pickle.dumps(np.arange(3))).missing == "An array, not a model: add the fitted classifier."
    frame = core.inspect_model(pickle.dumps(pd.DataFrame({"a": [1]})))
    assert not frame.loads
    with pytest.raises(InputError, match="skops, pickle or joblib file"):
        core.inspect_model(b"a,b\n1,2\n")


def test_results_show_themselves_with_names_escaped() -> None:
    model = LogisticRegression().fit(pd.DataFrame({"<b>\x1b[31m": [0.0, 1.0]}), ["<i>", "n"])
    out = io.BytesIO()
    joblib.dump(model, out)
    found = core.inspect_model(out.getvalue())
    assert repr(found).startswith("A LogisticRegression of scikit-learn 1.9")
    assert "\x1b" not in repr(found)
    assert "<b>\\x1b" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()
    assert found.to_frame()["built"].all()
