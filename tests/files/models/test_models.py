import dataclasses
import io
import json
import operator
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from core.errors import InputError, InputTypeError, LimitError
from core.files.models.models import load_model, read_model, save_model
from core.files.tables.limits import ModelLimits

HTML = "<img src=x onerror=alert(1)> ![x](http://x)"


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.Series]:
    generator = np.random.default_rng(0)
    n = 200
    frame = pd.DataFrame(
        {
            "income": np.where(generator.random(n) < 0.1, np.nan, generator.normal(3000, 500, n)),
            "age": generator.integers(18, 80, n),
            HTML: generator.choice(["north", "south", None], n),
        }
    )
    return frame, pd.Series((generator.random(n) < 0.4).astype(int))


def pipeline(last: Any, numeric: Any = ("income", "age")) -> Pipeline:
    columns = list(numeric) if isinstance(numeric, tuple) else numeric
    return Pipeline(
        [
            (
                "prepare",
                ColumnTransformer(
                    [
                        ("number", make_pipeline(SimpleImputer(), StandardScaler()), columns),
                        ("scaled", MinMaxScaler(), ["age"]),
                        ("log", FunctionTransformer(np.log1p), ["age"]),
                        (
                            "text",
                            make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
                            [HTML],
                        ),
                    ],
                    sparse_threshold=0,
                ),
            ),
            ("model", last),
        ]
    )


def fit(model: Any, table: tuple[pd.DataFrame, pd.Series]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*table)


def edited(model: Any, change: Callable[[dict[str, Any]], None], members: dict[str, bytes] | None = None) -> bytes:
    """Return the skops file of `model` with its schema changed in place and members replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as old, zipfile.ZipFile(out, "w") as new:
        schema = json.loads(old.read("schema.json"))
        change(schema)
        for name in old.namelist():
            if name != "schema.json" and name not in (members or {}):
                new.writestr(name, old.read(name))
        for name, data in (members or {}).items():
            new.writestr(name, data)
        new.writestr("schema.json", json.dumps(schema))
    return out.getvalue()


def array(values: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, values, allow_pickle=False)
    return out.getvalue()


def attributes(schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = schema["content"]["content"]
    return content


@pytest.mark.parametrize(
    "last",
    [
        LogisticRegression(),
        LogisticRegression(solver="newton-cholesky", class_weight={0: 1, 1: 2.5}),
        LogisticRegressionCV(cv=2),
        RidgeClassifier(),
        SGDClassifier(loss="log_loss", random_state=0),
        GaussianNB(),
        LinearDiscriminantAnalysis(),
        DecisionTreeClassifier(max_depth=3, random_state=0),
        RandomForestClassifier(5, random_state=0),
        ExtraTreesClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        GradientBoostingClassifier(loss="exponential", n_estimators=3, subsample=0.5, init="zero"),
        AdaBoostClassifier(n_estimators=3, random_state=0),
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
    ],
    ids=lambda last: type(last).__name__,
)
def test_fitted_pipelines_come_back_the_same(last: Any, table: tuple[pd.DataFrame, pd.Series], tmp_path: Path) -> None:
    model = fit(pipeline(last), table)
    save_model(model, tmp_path / "model.skops")
    loaded = load_model(tmp_path / "model.skops")
    assert np.array_equal(loaded.predict(table[0]), model.predict(table[0]))
    score = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    assert np.array_equal(getattr(loaded, score)(table[0]), getattr(model, score)(table[0]))
    assert loaded.feature_names_in_.tolist() == ["income", "age", HTML]


def test_column_selectors_by_type_come_back(table: tuple[pd.DataFrame, pd.Series]) -> None:
    model = fit(pipeline(LogisticRegression(), make_column_selector(dtype_include=np.number)), table)
    assert load_model(skops.io.dumps(model)).predict(table[0]).tolist() == model.predict(table[0]).tolist()


def test_column_selectors_by_pattern_are_refused(table: tuple[pd.DataFrame, pd.Series]) -> None:
    model = fit(pipeline(LogisticRegression(), make_column_selector("^(income|age)$")), table)
    with pytest.raises(InputError, match="choose columns by type"):
        load_model(skops.io.dumps(model))


class Loud(ClassifierMixin, BaseEstimator):
    """A class of the user's own."""

    classes_ = (0, 1)

    def predict(self, X: Any) -> Any:
        return X


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (Loud(), "Loud"),
        (
            make_pipeline(FunctionTransformer(operator.methodcaller("to_pickle", "x")), LogisticRegression()),
            "operator.methodcaller",
        ),
        (make_pipeline(FunctionTransformer(partial(np.power, 2)), LogisticRegression()), "functools.partial"),
        (make_pipeline(FunctionTransformer(np.save), LogisticRegression()), "numpy.save"),
        (make_pipeline(FunctionTransformer(np.loadtxt), LogisticRegression()), "numpy"),
        (make_pipeline(FunctionTransformer([1].append), LogisticRegression()), "builtins.append|list"),
        (make_pipeline(CountVectorizer(input="filename"), LogisticRegression()), "CountVectorizer"),
        (LogisticRegression(random_state=np.random.RandomState(0)), "RandomState.*whole number"),
        (GridSearchCV(LogisticRegression(), {}), "GridSearchCV.*best_estimator_"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_foreign_types_are_named_and_refused(model: Any, named: str) -> None:
    with pytest.raises(InputError, match=f"allow-list.*{named}"):
        load_model(skops.io.dumps(model))


def test_a_type_is_not_called_with_what_the_file_says(table: tuple[pd.DataFrame, pd.Series]) -> None:
    model = fit(pipeline(LogisticRegression()), table)

    def change(schema: dict[str, Any]) -> None:
        attributes(schema)["verbose"] = {
            "__class__": "dtype", "__module__": "numpy", "__loader__": "ConstructorFromReduceNode", "__id__": 1,
            "content": {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [], "__id__": 2},
        }  # fmt: skip

    with pytest.raises(InputError, match="part is missing or of another kind"):
        load_model(edited(model, change))


def test_one_id_cannot_stand_for_two_objects() -> None:
    def change(schema: dict[str, Any]) -> None:
        attributes(schema)["verbose"]["__id__"] = attributes(schema)["C"]["__id__"]

    with pytest.raises(InputError, match="an id of its own"):
        load_model(edited(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), change))


def test_an_old_protocol_is_refused() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(InputError, match=r"protocol 1 or 2. Got 0"):
        load_model(edited(model, lambda schema: schema.update(protocol=0)))


def test_a_cache_folder_in_a_pipeline_is_refused(table: tuple[pd.DataFrame, pd.Series], tmp_path: Path) -> None:
    model = fit(pipeline(LogisticRegression()), table).set_params(memory=str(tmp_path))
    with pytest.raises(InputError, match="memory=None"):
        load_model(skops.io.dumps(model))


@pytest.mark.parametrize(("asked", "opened"), [(10**6, None), (np.int64(64), None), (-1, None), (1, 1), (None, None)])
def test_a_model_does_not_say_how_many_processes_start(
    asked: Any, opened: Any, table: tuple[pd.DataFrame, pd.Series]
) -> None:
    model = fit(pipeline(RandomForestClassifier(2)), table).set_params(model__n_jobs=asked)
    assert load_model(skops.io.dumps(model)).steps[-1][1].n_jobs is opened


def tree_members(schema: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = attributes(schema)["tree_"]["content"]["content"]
    return members


@pytest.mark.parametrize("count", ["-5", "0"])
def test_a_tree_with_an_impossible_number_of_nodes_is_refused(count: str) -> None:
    model = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])

    def change(schema: dict[str, Any]) -> None:
        tree_members(schema)["node_count"].update(content=count, __id__=7)

    with pytest.raises(InputError, match="number of nodes"):
        load_model(edited(model, change))


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("left_child", 10**6, "points outside itself"),
        ("right_child", 0, "points outside itself"),
        ("feature", 10**6, "column that does not exist"),
        ("feature", -5, "column that does not exist"),
    ],
)
def test_a_tree_that_points_outside_itself_is_refused(field: str, value: int, why: str) -> None:
    model = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    nodes = model.tree_.__getstate__()["nodes"].copy()
    nodes[field][0] = value

    def change(schema: dict[str, Any]) -> None:
        tree_members(schema)["nodes"].update(file="new.npy", __id__=7)

    with pytest.raises(InputError, match=why):
        load_model(edited(model, change, {"new.npy": array(nodes)}))


def test_a_forest_whose_trees_expect_more_columns_is_refused() -> None:
    model = RandomForestClassifier(2).fit(np.eye(4)[:, :2], [0, 1, 0, 1])
    model.estimators_[1] = DecisionTreeClassifier().fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(InputError, match="another number of columns"):
        load_model(skops.io.dumps(model))


@pytest.mark.parametrize(
    ("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 10**6), ("is_categorical", 1)]
)
def test_boosted_trees_that_point_outside_are_refused(field: str, value: int) -> None:
    rows = np.arange(100.0).reshape(-1, 1)
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2).fit(rows, rows[:, 0] > 40)
    model._predictors[1][0].nodes[field][0] = value
    with pytest.raises(InputError, match="In this one a tree"):
        load_model(skops.io.dumps(model))


def classic(**options: Any) -> GradientBoostingClassifier:
    return GradientBoostingClassifier(n_estimators=2, **options).fit(np.arange(12.0).reshape(-1, 1), np.arange(12) % 2)


def test_gradient_boosting_of_three_classes_comes_back() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    model = GradientBoostingClassifier(n_estimators=3).fit(rows, np.arange(60) % 3)
    np.testing.assert_array_equal(load_model(skops.io.dumps(model)).predict_proba(rows), model.predict_proba(rows))


def widen_stages(model: Any) -> None:
    model.estimators_ = np.repeat(model.estimators_, 3, axis=1)


def widen_tree(model: Any) -> None:
    rows = np.arange(8.0).reshape(-1, 2)
    model.estimators_[1, 0] = DecisionTreeRegressor().fit(rows, [0, 1, 0, 1])


def two_values(model: Any) -> None:
    model.estimators_[1, 0] = DecisionTreeRegressor().fit(np.arange(4.0).reshape(-1, 1), np.eye(4)[:, :2])


def three_shares(model: Any) -> None:
    model.init_.class_prior_ = np.full(3, 1 / 3)


def two_scores(model: Any) -> None:
    model.n_trees_per_iteration_ = 2


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (widen_stages, "number of trees"),
        (widen_tree, "number of columns"),
        (two_values, "more than one value"),
        (three_shares, "shares of another number"),
        (two_scores, "another number of classes"),
    ],
)
def test_gradient_boosting_that_writes_outside_its_scores_is_refused(spoil: Callable[[Any], None], why: str) -> None:
    model = classic()
    spoil(model)
    with pytest.raises(InputError, match=why):
        load_model(skops.io.dumps(model))


def test_gradient_boosting_that_starts_from_another_model_is_refused() -> None:
    with pytest.raises(InputError, match="must start from the classes' shares"):
        load_model(skops.io.dumps(classic(init=LogisticRegression())))


@pytest.mark.parametrize(("field", "value"), [("left_child", 10**6), ("feature", 7)])
def test_a_tree_of_gradient_boosting_that_points_outside_is_refused(field: str, value: int) -> None:
    model = classic()
    state = model.estimators_[1, 0].tree_.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"][field][0] = value
    model.estimators_[1, 0].tree_.__setstate__(state)
    with pytest.raises(InputError, match="In this one a tree"):
        load_model(skops.io.dumps(model))


def test_a_random_state_outside_its_table_is_refused() -> None:
    model = classic(random_state=0)
    state = model._rng.get_state(legacy=False)
    state["state"]["pos"] = 10**6
    model._rng.set_state(state)
    with pytest.raises(InputError, match="outside its table"):
        load_model(skops.io.dumps(model))


def test_boosting_with_categories_of_its_own_is_refused() -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"] * 50), "b": np.arange(100.0)})
    model = HistGradientBoostingClassifier(max_iter=2).fit(frame, frame["b"] > 40)
    with pytest.raises(InputError, match="encode categories in a pipeline"):
        load_model(skops.io.dumps(model))
    plain = HistGradientBoostingClassifier(max_iter=2).fit(frame[["b"]], frame["b"] > 40)
    plain._preprocessor = StandardScaler()
    with pytest.raises(InputError, match="categories itself"):
        load_model(skops.io.dumps(plain))


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95, 0.999])
def test_truncated_files_are_refused(keep: float, table: tuple[pd.DataFrame, pd.Series]) -> None:
    data = skops.io.dumps(fit(pipeline(LogisticRegression()), table))
    with pytest.raises(InputError, match="cut off, damaged"):
        load_model(data[: int(len(data) * keep)])


def test_a_missing_array_is_named() -> None:
    def change(schema: dict[str, Any]) -> None:
        attributes(schema)["coef_"]["file"] = "elsewhere.npy"

    with pytest.raises(InputError, match=r"'elsewhere.npy' is missing"):
        load_model(edited(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), change))


def test_an_array_that_says_more_than_it_holds_is_refused() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    lie = array(np.zeros((1, 10**6)))[:200]

    def change(schema: dict[str, Any]) -> None:
        attributes(schema)["coef_"].update(file="new.npy", __id__=7)

    with pytest.raises(InputError, match=r"says 7.63 MB and holds 72 bytes"):
        load_model(edited(model, change, {"new.npy": lie}))


def test_one_array_named_many_times_counts_many_times() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])

    def change(schema: dict[str, Any]) -> None:
        one = {
            "__class__": "ndarray",
            "__module__": "numpy",
            "__loader__": "NdArrayNode",
            "type": "numpy",
            "file": "new.npy",
        }
        attributes(schema)["classes_"] = {
            "__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "__id__": 5,
            "content": [{**one, "__id__": 10 + i} for i in range(2000)],
        }  # fmt: skip

    data = edited(model, change, {"new.npy": array(np.zeros(2**17))})
    assert len(data) < 3 * 2**20
    with pytest.raises(LimitError, match=r"unzip to at most 512 MB. Got"):
        load_model(data)


def test_other_kinds_of_file_are_told_apart() -> None:
    with pytest.raises(InputError, match="Got an empty file"):
        load_model(b"")
    with pytest.raises(InputError, match="a whole pickle, joblib or skops file"):
        load_model(b"\x80\x04\x95something")
    with pytest.raises(InputError, match=r"skops\.io\.dump"):
        load_model(b"a,b\n1,2\n")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InputError, match=r"zip archive without schema\.json"):
        load_model(out.getvalue())


def test_paths_that_are_no_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Got nothing at"):
        load_model(tmp_path / "model.skops")
    with pytest.raises(InputTypeError, match="Got int"):
        load_model(3)  # type: ignore[arg-type]


def zipped(schema: bytes, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", schema)
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        ({"max_bytes": 1000}, "at most 1000 bytes"),
        ({"max_unzipped": 2000}, "unzip to at most"),
        ({"max_members": 3}, "at most 3 members"),
        ({"max_schema": 500}, r"schema\.json .* at most 500 bytes"),
        ({"max_nodes": 20}, "at most 20 objects"),
        ({"max_depth": 4}, "nest at most 4 levels"),
    ],
)
def test_each_limit_has_its_own_sentence(limits: dict[str, int], match: str) -> None:
    data = skops.io.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    with pytest.raises(LimitError, match=match):
        load_model(data, limits=dataclasses.replace(ModelLimits(), **limits))


def test_a_zip_bomb_is_refused_by_its_size_unzipped() -> None:
    bomb = zipped(b"{}", **{"a.npy": bytes(600 << 20)})
    assert len(bomb) < 2 << 20
    with pytest.raises(LimitError, match=r"unzip to at most 512 MB. Got 600 MB"):
        load_model(bomb)


def test_deep_nesting_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(LimitError, match=r"nest at most 100 levels. Got 200,000"):
        load_model(zipped(b"[" * 200_000))


def test_brackets_inside_strings_do_not_nest() -> None:
    model = LogisticRegression().fit(pd.DataFrame({"[" * 500 + '"\\{': [0.0, 1.0]}), [0, 1])
    assert load_model(skops.io.dumps(model)).feature_names_in_[0].startswith("[[")


def test_a_random_generator_is_of_the_usual_kind() -> None:
    rows = np.arange(100.0).reshape(-1, 1)
    model = HistGradientBoostingClassifier(max_iter=1).fit(rows, rows[:, 0] > 40)

    def change(schema: dict[str, Any]) -> None:
        state = attributes(schema)["_feature_subsample_rng"]["content"]["bit_generator"]["content"]
        state["bit_generator"].update(content='"seed"', __id__=7)

    with pytest.raises(InputError, match="not of the usual kind"):
        load_model(edited(model, change))
    was, now = model._feature_subsample_rng, load_model(skops.io.dumps(model))._feature_subsample_rng
    assert now.bit_generator.state == was.bit_generator.state


def test_a_model_must_be_fitted() -> None:
    with pytest.raises(InputError, match="Got LogisticRegression without"):
        load_model(skops.io.dumps(LogisticRegression()))
    with pytest.raises(InputError, match="Got Pipeline without"):
        load_model(skops.io.dumps(make_pipeline(StandardScaler(), LogisticRegression())))


def test_a_model_must_be_a_classifier() -> None:
    with pytest.raises(InputTypeError, match="A LinearRegression predicts numbers"):
        load_model(skops.io.dumps(LinearRegression().fit([[0.0], [1.0]], [0, 1])))
    with pytest.raises(InputTypeError, match="A dict, not a model"):
        load_model(skops.io.dumps({"a": 1}))


def test_another_version_of_scikit_learn_is_noted() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])

    def change(schema: dict[str, Any]) -> None:
        attributes(schema)["_sklearn_version"].update(content='"1.2.0"', __id__=7)

    (note,) = read_model(edited(model, change)).notes
    assert "made with scikit-learn 1.2.0" in note
    assert read_model(skops.io.dumps(model)).notes == ()


def test_a_model_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"allow-list.*Loud"):
        save_model(Loud(), tmp_path / "model.skops")
    assert list(tmp_path.iterdir()) == []
