"""Files of a model and of what prepares its rows, put together: predictions are those of the parts composed by hand."""

import pickle
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    LabelEncoder,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

import core
from core.errors import InputError, LimitError
from core.files.models.chain.compose import ComposedModel, compose_model
from core.files.models.models import load_model, save_model

NUMBERS = ["age", "income", "debt"]
WORDS = ["job", "branch"]
COLUMNS = ["job", "age", "income", "branch", "debt"]


def table(n: int = 240, seed: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "job": random.choice(["cook", "clerk", "driver"], n),
            "age": random.integers(18, 80, n),
            "income": random.normal(3000, 600, n).round(2),
            "branch": random.choice(["north", "south"], n),
            "debt": random.exponential(2.0, n).round(3),
        }
    )
    score = (frame["income"] - 3000) / 500 - frame["debt"] / 2 + (frame["branch"] == "north") + random.normal(0, 0.7, n)
    frame["granted"] = np.where(score > 0, "yes", "no")
    return frame


FRAME = table()
Y = (FRAME["granted"] == "yes").astype(int)
NEW = table(60, 4)


def files(**parts: Any) -> dict[str, bytes]:
    return {f"{name}.pkl": pickle.dumps(part) for name, part in parts.items()}


def encoded(frame: pd.DataFrame, encoders: dict[str, LabelEncoder]) -> pd.DataFrame:
    frame = frame[COLUMNS].copy()
    for name in WORDS:
        frame[name] = encoders[name].transform(frame[name])
    return frame


def label_encoders() -> dict[str, LabelEncoder]:
    return {name: LabelEncoder().fit(FRAME[name]) for name in WORDS}


def check(parts: dict[str, bytes], given: Any, expected: Any, *, train: pd.DataFrame | None = None) -> ComposedModel:
    """Load the files in every order; scores equal those composed by hand, now and after saving."""
    for order in list(permutations(parts))[:6]:
        found = compose_model({name: parts[name] for name in order}, train=train)
        np.testing.assert_allclose(found.model.predict_proba(given), expected, rtol=1e-12, atol=0)
    return found


def test_a_scaler_and_a_model() -> None:
    scaler = StandardScaler().fit(FRAME[NUMBERS])
    model = LogisticRegression().fit(scaler.transform(FRAME[NUMBERS]), Y)
    expected = model.predict_proba(scaler.transform(NEW[NUMBERS]))
    found = check(files(model=model, scaler=scaler), NEW[NUMBERS], expected)
    assert found.columns == tuple(NUMBERS)
    assert found.steps == ("StandardScaler (scaler.pkl)", "LogisticRegression (model.pkl)")
    assert isinstance(load_model(list(files(model=model, scaler=scaler).values())), Pipeline)


def test_a_scaler_without_names_gets_those_of_the_model() -> None:
    scaler = StandardScaler().fit(FRAME[NUMBERS].to_numpy())
    rows = pd.DataFrame(scaler.transform(FRAME[NUMBERS].to_numpy()), columns=NUMBERS)
    model = RandomForestClassifier(5, random_state=0).fit(rows, Y)
    given = pd.DataFrame(scaler.transform(NEW[NUMBERS].to_numpy()), columns=NUMBERS)
    found = check(files(model=model, scaler=scaler), NEW[NUMBERS], model.predict_proba(given))
    assert found.columns == tuple(NUMBERS)


def test_a_list_of_names_gives_an_unnamed_model_its_columns() -> None:
    scaler = StandardScaler().fit(FRAME[NUMBERS].to_numpy())
    model = LogisticRegression().fit(scaler.transform(FRAME[NUMBERS].to_numpy()), Y)
    expected = model.predict_proba(scaler.transform(NEW[NUMBERS].to_numpy()))
    for names in (NUMBERS, tuple(NUMBERS), np.array(NUMBERS), np.array(NUMBERS, dtype=object)):
        found = check(files(model=model, scaler=scaler, features=names), NEW[NUMBERS], expected)
        assert found.columns == tuple(NUMBERS)
        assert "features.pkl names the 3 columns." in found.notes
    unnamed = compose_model(files(model=model, scaler=scaler))
    assert unnamed.columns == ()
    np.testing.assert_allclose(unnamed.model.predict_proba(NEW[NUMBERS].to_numpy()), expected, rtol=1e-12)


def test_a_dictionary_of_label_encoders_becomes_encoders_of_its_columns() -> None:
    encoders = label_encoders()
    model = RandomForestClassifier(7, random_state=0).fit(encoded(FRAME, encoders), Y)
    expected = model.predict_proba(encoded(NEW, encoders))
    found = check(files(model=model, encoders=encoders), NEW[COLUMNS], expected)
    assert found.columns == tuple(COLUMNS)
    assert "OrdinalEncoder of 'job', 'branch'; 3 other columns pass by." in found.notes
    assert len(found.model.steps) == 2


def test_encoders_and_a_scaler_of_all_columns_and_of_some() -> None:
    encoders = label_encoders()
    for chosen in (COLUMNS, NUMBERS):
        rows, given = encoded(FRAME, encoders).astype(float), encoded(NEW, encoders).astype(float)
        scaler = StandardScaler().fit(rows[chosen])
        rows[chosen], given[chosen] = scaler.transform(rows[chosen]), scaler.transform(given[chosen])
        model = LogisticRegression().fit(rows, Y)
        found = check(files(model=model, scaler=scaler, encoders=encoders), NEW[COLUMNS], model.predict_proba(given))
        assert found.columns == tuple(COLUMNS)


def test_encoders_of_an_unnamed_model_take_names_from_a_list_or_from_the_table() -> None:
    encoders = label_encoders()
    model = DecisionTreeClassifier(max_depth=4, random_state=0).fit(encoded(FRAME, encoders).to_numpy(), Y)
    expected = model.predict_proba(encoded(NEW, encoders).to_numpy())
    parts = files(model=model, encoders=encoders)
    check({**parts, **files(features=COLUMNS)}, NEW[COLUMNS], expected)
    check(parts, NEW[COLUMNS], expected, train=FRAME.assign(granted=Y))
    with pytest.raises(InputError, match="add the list of its columns, or the training table"):
        compose_model(parts)


def test_what_is_not_fitted_or_belongs_to_no_column_is_left_out_by_name() -> None:
    encoders = {**label_encoders(), "town": LabelEncoder(), "street": LabelEncoder().fit(["a", "b", "c"])}
    model = RandomForestClassifier(3, random_state=0).fit(encoded(FRAME, encoders), Y)
    parts = files(model=model, encoders=encoders, scaler=StandardScaler())
    found = check(parts, NEW[COLUMNS], model.predict_proba(encoded(NEW, encoders)))
    assert "scaler.pkl: a StandardScaler that is not fitted was left out." in found.notes
    assert "'town' in encoders.pkl: a LabelEncoder that is not fitted was left out." in found.notes
    assert "'street' in encoders.pkl: an encoder of no column that the model takes was left out." in found.notes


def test_missing_values_are_encoded_as_they_were() -> None:
    gaps = FRAME.assign(job=FRAME["job"].where(FRAME["age"] > 30), branch=FRAME["branch"].where(FRAME["age"] < 70))
    as_objects = gaps["job"].astype(object).where(gaps["job"].notna(), np.nan)
    as_text = gaps["branch"].astype(object).where(gaps["branch"].notna(), np.nan).map(str)
    job, branch = LabelEncoder().fit(as_objects), LabelEncoder().fit(as_text)
    rows = gaps[COLUMNS].assign(job=job.transform(as_objects), branch=branch.transform(as_text))
    model = RandomForestClassifier(5, random_state=0).fit(rows, Y)
    found = compose_model(files(model=model, encoders={"job": job, "branch": branch}))
    np.testing.assert_array_equal(found.model.predict_proba(gaps[COLUMNS]), model.predict_proba(rows))


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(class_weight={0: 1.0, 1: 3.0}),
        RidgeClassifier(),
        SGDClassifier(random_state=0),
        GaussianNB(),
        LinearDiscriminantAnalysis(),
        KNeighborsClassifier(),
        DecisionTreeClassifier(max_depth=3, random_state=0),
        RandomForestClassifier(5, random_state=0),
        ExtraTreesClassifier(5, random_state=0),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5),
        AdaBoostClassifier(n_estimators=4, random_state=0),
        CalibratedClassifierCV(GaussianNB(), cv=3),
        CalibratedClassifierCV(make_pipeline(StandardScaler(), RidgeClassifier()), cv=3),
        VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression(max_iter=500))], voting="soft"),
        VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(max_depth=3, random_state=0))]),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("three", [False, True])
def test_an_encoder_of_the_outcome_gives_the_model_its_labels_back(model: Any, three: bool) -> None:
    if three and isinstance(model, LogisticRegression):
        model = LogisticRegression()
    scaler = StandardScaler().fit(FRAME[NUMBERS])
    rows, given = (pd.DataFrame(scaler.transform(frame[NUMBERS]), columns=NUMBERS) for frame in (FRAME, NEW))
    words = FRAME["granted"].astype(object).where(~three | (FRAME["age"] < 60), "unsure")
    target = LabelEncoder().fit(words)
    model = clone(model).fit(rows, target.transform(words))
    found = compose_model(files(model=model, scaler=scaler, label_encoder=target))
    assert found.model.classes_.tolist() == target.classes_.tolist()
    expected = target.inverse_transform(model.predict(given))
    assert found.model.predict(NEW[NUMBERS]).tolist() == expected.tolist()
    response = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    if hasattr(model, response):
        ours, theirs = getattr(found.model, response)(NEW[NUMBERS]), getattr(model, response)(given)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    again = clone(found.model).fit(FRAME[NUMBERS], words)
    assert again.classes_.tolist() == target.classes_.tolist()
    assert (again.predict(NEW[NUMBERS]) == expected).mean() > 0.95


def test_the_outcome_stays_as_numbers_where_the_table_has_numbers() -> None:
    target = LabelEncoder().fit(FRAME["granted"])
    model = GaussianNB().fit(FRAME[NUMBERS], target.transform(FRAME["granted"]))
    parts = files(model=model, label_encoder=target)
    assert compose_model(parts, train=FRAME).model.classes_.tolist() == ["no", "yes"]
    found = compose_model(parts, train=FRAME.assign(granted=Y))
    assert found.model.classes_.tolist() == [0, 1]
    assert "label_encoder.pkl was left out: the table holds the outcome as numbers already." in found.notes


def test_an_outcome_among_the_encoders_of_columns() -> None:
    encoders = {**label_encoders(), "granted": LabelEncoder().fit(FRAME["granted"])}
    model = RandomForestClassifier(5, random_state=0).fit(encoded(FRAME, encoders), Y)
    found = compose_model(files(model=model, encoders=encoders))
    assert found.model.classes_.tolist() == ["no", "yes"]
    assert (
        found.model.predict(NEW[COLUMNS]).tolist()
        == np.array(["no", "yes"])[model.predict(encoded(NEW, encoders))].tolist()
    )


def test_encoders_in_files_of_their_own_are_told_by_name_or_by_values() -> None:
    encoders = label_encoders()
    model = RandomForestClassifier(5, random_state=0).fit(encoded(FRAME, encoders), Y)
    expected = model.predict_proba(encoded(NEW, encoders))
    check(files(model=model, le_job=encoders["job"], branch_encoder=encoders["branch"]), NEW[COLUMNS], expected)
    some = files(model=model, le_job=encoders["job"], le=LabelEncoder().fit(["east", "north", "south"]))
    found = check(some, NEW[COLUMNS], expected_with(model, encoders), train=FRAME)
    assert "le.pkl encodes 'branch', whose values it knows." in found.notes
    untold = compose_model(some)
    assert any("was left out, since nothing tells its column" in note for note in untold.notes)


def expected_with(model: Any, encoders: dict[str, LabelEncoder]) -> Any:
    wider = LabelEncoder().fit(["east", "north", "south"])
    return model.predict_proba(encoded(NEW, {**encoders, "branch": wider}))


@pytest.mark.parametrize("scaled_first", [False, True])
def test_rows_decide_between_two_orders(scaled_first: bool) -> None:
    power, scaler = PowerTransformer(standardize=False), StandardScaler()
    first, second = (scaler, power) if scaled_first else (power, scaler)
    rows = first.fit_transform(FRAME[NUMBERS].to_numpy())
    model = LogisticRegression().fit(second.fit_transform(rows), Y)
    expected = model.predict_proba(second.transform(first.transform(NEW[NUMBERS].to_numpy())))
    parts = files(model=model, power=power, scaler=scaler, features=NUMBERS)
    found = check(parts, NEW[NUMBERS], expected, train=FRAME)
    assert any(
        "was chosen among 2 orders that fit: only so each equals what the training rows give" in n for n in found.notes
    )
    alone = compose_model(parts)
    assert any(
        note.startswith("2 orders fit; PowerTransformer before StandardScaler, the usual one") for note in alone.notes
    )


def test_an_imputer_comes_first_where_nothing_tells() -> None:
    imputer = SimpleImputer().fit(FRAME[NUMBERS].to_numpy())
    scaler = MinMaxScaler().fit(FRAME[NUMBERS].to_numpy())
    model = GaussianNB().fit(scaler.transform(FRAME[NUMBERS].to_numpy()), Y)
    found = compose_model(files(a_model=model, b_scaler=scaler, c_imputer=imputer))
    assert [step.split(" ")[0] for step in found.steps] == ["SimpleImputer", "MinMaxScaler", "GaussianNB"]


def test_widths_tell_the_order() -> None:
    products, scaler = PolynomialFeatures(2, include_bias=False), StandardScaler()
    rows = scaler.fit_transform(products.fit_transform(FRAME[NUMBERS]))
    model = LogisticRegression().fit(rows, Y)
    expected = model.predict_proba(scaler.transform(products.transform(NEW[NUMBERS])))
    found = check(files(model=model, scaler=scaler, products=products), NEW[NUMBERS], expected)
    assert not [note for note in found.notes if "orders" in note]


def test_a_column_transformer_and_a_model() -> None:
    prepare = ColumnTransformer(
        [("n", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), ("w", OneHotEncoder(), WORDS)]
    ).fit(FRAME[COLUMNS])
    model = LogisticRegression().fit(prepare.transform(FRAME[COLUMNS]), Y)
    expected = model.predict_proba(prepare.transform(NEW[COLUMNS]))
    check(files(model=model, preprocessor=prepare), NEW[COLUMNS], expected)
    check(files(bundle={"model": model, "prep": prepare, "threshold": 0.4}), NEW[COLUMNS], expected)


def test_a_column_transformer_of_names_after_encoders() -> None:
    encoders = label_encoders()
    prepare = ColumnTransformer([("n", StandardScaler(), NUMBERS)], remainder="passthrough")
    rows = prepare.fit_transform(encoded(FRAME, encoders))
    model = LogisticRegression().fit(rows, Y)
    expected = model.predict_proba(prepare.transform(encoded(NEW, encoders)))
    check(files(model=model, prepare=prepare, encoders=encoders), NEW[COLUMNS], expected)


def test_scaled_numbers_beside_encoded_words() -> None:
    scaler, encoder = StandardScaler().fit(FRAME[NUMBERS]), OneHotEncoder(sparse_output=False).fit(FRAME[WORDS])

    def prepared(frame: pd.DataFrame) -> Any:
        return np.hstack([encoder.transform(frame[WORDS]), scaler.transform(frame[NUMBERS])])

    model = LogisticRegression().fit(prepared(FRAME), Y)
    forest = RandomForestClassifier(5, random_state=0).fit(
        pd.DataFrame(prepared(FRAME), columns=[*encoder.get_feature_names_out(), *NUMBERS]), Y
    )
    found = check(
        files(model=forest, scaler=scaler, encoder=encoder),
        NEW[COLUMNS],
        forest.predict_proba(pd.DataFrame(prepared(NEW), columns=forest.feature_names_in_)),
    )
    assert set(found.columns) == set(COLUMNS)
    unnamed = compose_model(files(model=model, encoder=encoder, scaler=scaler))
    np.testing.assert_allclose(
        unnamed.model.predict_proba(NEW[list(unnamed.columns)]), model.predict_proba(prepared(NEW)), rtol=1e-12
    )
    assert any(note.startswith("2 orders fit") for note in unnamed.notes)


def test_one_column_encoded_wide_among_others() -> None:
    encoder = OneHotEncoder(sparse_output=False).fit(FRAME[["job"]])

    def prepared(frame: pd.DataFrame) -> pd.DataFrame:
        wide = pd.DataFrame(encoder.transform(frame[["job"]]), columns=encoder.get_feature_names_out())
        return pd.concat([frame[NUMBERS].reset_index(drop=True), wide], axis=1)

    scaler = StandardScaler().fit(prepared(FRAME))
    model = LogisticRegression().fit(scaler.transform(prepared(FRAME)), Y)
    expected = model.predict_proba(scaler.transform(prepared(NEW)))
    found = check(files(model=model, scaler=scaler, encoder=encoder), NEW[COLUMNS], expected)
    assert set(found.columns) == {"job", *NUMBERS}


def test_searches_and_calibrators_stand_last_as_they_do_alone() -> None:
    scaler = StandardScaler().fit(FRAME[NUMBERS])
    rows = pd.DataFrame(scaler.transform(FRAME[NUMBERS]), columns=NUMBERS)
    given = pd.DataFrame(scaler.transform(NEW[NUMBERS]), columns=NUMBERS)
    forest = RandomForestClassifier(3, random_state=0)
    for search in (
        GridSearchCV(forest, {"max_depth": [2, 3]}, cv=2),
        RandomizedSearchCV(forest, {"max_depth": [2, 3]}, n_iter=2, cv=2, random_state=0),
    ):
        model = search.fit(rows, Y)
        found = check(files(model=model, scaler=scaler), NEW[NUMBERS], model.predict_proba(given))
        assert any("the model it found best, its best_estimator_, is opened" in note for note in found.notes)
    calibrated = CalibratedClassifierCV(GaussianNB(), cv=3).fit(rows, Y)
    check(files(model=calibrated, scaler=scaler), NEW[NUMBERS], calibrated.predict_proba(given))


def test_a_dictionary_holds_all() -> None:
    encoders = label_encoders()
    rows = encoded(FRAME, encoders)
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression().fit(scaler.transform(rows), Y)
    bundle = {
        "model": model,
        "scaler": scaler,
        "label_encoders": encoders,
        "feature_names": COLUMNS,
        "target_encoder": LabelEncoder().fit(FRAME["granted"]),
        "metrics": {"accuracy": 0.8, "kept": [1, 2]},
        "version": "2.1",
    }
    found = load_model(pickle.dumps(bundle))
    given = scaler.transform(encoded(NEW, encoders))
    np.testing.assert_allclose(found.predict_proba(NEW[COLUMNS]), model.predict_proba(given), rtol=1e-12)
    assert found.classes_.tolist() == ["no", "yes"]
    pair = load_model(pickle.dumps((StandardScaler().fit(rows), model)))
    np.testing.assert_allclose(pair.predict_proba(rows), model.predict_proba(scaler.transform(rows)), rtol=1e-12)


def test_a_pipeline_beside_encoders_is_one_pipeline() -> None:
    encoders = label_encoders()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(encoded(FRAME, encoders), Y)
    found = check(files(model=model, encoders=encoders), NEW[COLUMNS], model.predict_proba(encoded(NEW, encoders)))
    assert [type(step).__name__ for _, step in found.model.steps] == [
        "ColumnTransformer",
        "StandardScaler",
        "LogisticRegression",
    ]


def test_a_case_is_made_checked_unlearned_and_saved(tmp_path: Any) -> None:
    encoders = label_encoders()
    rows = encoded(FRAME, encoders).astype(float)
    scaler = StandardScaler().fit(rows[NUMBERS])
    rows[NUMBERS] = scaler.transform(rows[NUMBERS])
    target = LabelEncoder().fit(FRAME["granted"])
    for last in (LogisticRegression(tol=1e-10), DecisionTreeClassifier(max_depth=5, random_state=0)):
        model = last.fit(rows, target.transform(FRAME["granted"]))
        parts = files(model=model, scaler=scaler, encoders=encoders, target_encoder=target)
        case = core.Case(
            load_model(parts, train=FRAME), train=FRAME, test=NEW, roles=core.Roles("granted", "yes", "yes", ["branch"])
        )
        assert core.check_provenance(case).status == "verified", core.check_provenance(case)
        after = core.unlearn(case, [3, 4]).case
        kept = FRAME.drop(index=[3, 4])
        again = clone(case.model).fit(kept[COLUMNS], kept["granted"])
        np.testing.assert_allclose(
            after.model.predict_proba(NEW[COLUMNS]), again.predict_proba(NEW[COLUMNS]), rtol=1e-4
        )
        save_model(after.model, tmp_path / "after.skops")
        saved = load_model(tmp_path / "after.skops")
        np.testing.assert_array_equal(saved.predict_proba(NEW[COLUMNS]), after.model.predict_proba(NEW[COLUMNS]))


def test_the_script_makes_the_same_pipeline() -> None:
    encoders = label_encoders()
    rows = encoded(FRAME, encoders)
    scaler = StandardScaler().fit(rows)
    model = RandomForestClassifier(5, max_depth=4, random_state=1).fit(
        pd.DataFrame(scaler.transform(rows), columns=COLUMNS), Y
    )
    found = compose_model(files(model=model, scaler=scaler, encoders=encoders))
    space: dict[str, Any] = {}
    exec(found.script, space)  # noqa: S102
    again = space["train"](FRAME.assign(granted=Y), "granted")
    np.testing.assert_allclose(again.predict_proba(NEW[COLUMNS]), found.model.predict_proba(NEW[COLUMNS]), rtol=1e-12)
    assert "RandomForestClassifier(n_estimators=5, max_depth=4, random_state=1)" in found.script


def fitted(n: int = 3, model: Any = None) -> Any:
    return (model or LogisticRegression()).fit(FRAME[NUMBERS].to_numpy()[:, :n], Y)


SCALER = StandardScaler().fit(FRAME[NUMBERS])


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (
            {"scaler": SCALER, "features": NUMBERS},
            r"must be the fitted classifier\. Got a StandardScaler \(scaler\.pkl\) and names of 3 columns \(features\.pkl\); add the model",
        ),
        (
            {"a": fitted(), "b": fitted(model=GaussianNB())},
            r"hold one model\. Got 2: a LogisticRegression \(a\.pkl\) and a GaussianNB \(b\.pkl\); add the files of one alone",
        ),
        (
            {"model": fitted(2), "scaler": SCALER},
            r"The StandardScaler \(scaler\.pkl\) gives 3 columns \('age', 'income', 'debt'\), and the LogisticRegression \(model\.pkl\) takes 2 columns",
        ),
        (
            {"model": GaussianNB().fit(FRAME[["income", "debt"]], Y), "scaler": StandardScaler().fit(FRAME[["age"]])},
            r"gives 1 column \('age'\), and the GaussianNB \(model\.pkl\) takes 2 columns \('income', 'debt'\); add the files that were saved together",
        ),
        (
            {
                "model": fitted(2),
                "a": StandardScaler().fit([[1.0, 2.0]]),
                "b": PolynomialFeatures(2).fit([[1.0]]),
            },
            r"gives 3 columns, and the LogisticRegression \(model\.pkl\) takes 2 columns",
        ),
        (
            {"model": LogisticRegression(), "scaler": SCALER},
            r"must be fitted\. Got a LogisticRegression \(model\.pkl\)",
        ),
        ({"model": fitted(), "other": print}, r"other\.pkl|'other'"),
    ],
)
def test_files_that_are_not_one_model_are_one_sentence(parts: dict[str, Any], says: str) -> None:
    if "other" in parts:
        assert "Left out" in " ".join(compose_model(files(**parts)).notes)
        return
    with pytest.raises(InputError, match=says):
        load_model(files(**parts))


def test_more_than_six_files_a_lone_part_and_a_file_that_is_none() -> None:
    with pytest.raises(LimitError, match=r"at most 6 files\. Got 7"):
        load_model([pickle.dumps(SCALER)] * 7)
    for lone in (pickle.dumps(SCALER), [pickle.dumps(SCALER)]):
        with pytest.raises(core.RedressError, match="A StandardScaler, not a model: add the model it belongs to"):
            load_model(lone)
    with pytest.raises(core.RedressError, match="A dictionary of 2 LabelEncoders"):
        load_model(pickle.dumps(label_encoders()))
    with pytest.raises(InputError, match=r"table\.csv: A model must be a skops, pickle or joblib file"):
        load_model({"model.pkl": pickle.dumps(fitted()), "table.csv": b"a,b\n1,2\n"})
    with pytest.raises(InputError, match="Got none"):
        load_model([])


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=6, random_state=0),
        RandomForestClassifier(5, random_state=0),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        GaussianNB(),
        KNeighborsClassifier(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_scaler_that_was_saved_and_not_used_is_said(model: Any, scaled: bool) -> None:
    scaler = StandardScaler().fit(FRAME[NUMBERS])
    rows = pd.DataFrame(scaler.transform(FRAME[NUMBERS]), columns=NUMBERS) if scaled else FRAME[NUMBERS]
    found = compose_model(files(model=clone(model).fit(rows, Y), scaler=scaler), train=FRAME)
    said = [note for note in found.notes if "lie outside what its columns hold after StandardScaler" in note]
    assert bool(said) is not scaled


def test_words_are_encoded_before_numbers_are_computed() -> None:
    encoders = label_encoders()
    rows = encoded(FRAME, encoders)
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression().fit(pd.DataFrame(scaler.transform(rows), columns=COLUMNS), Y)
    found = compose_model(files(model=model, scaler=scaler, encoders=encoders))
    assert not [note for note in found.notes if "orders fit" in note]


def test_prefixes_of_encoders_and_nested_settings() -> None:
    encoders = label_encoders()
    model = RandomForestClassifier(5, random_state=0).fit(encoded(FRAME, encoders), Y)
    renamed = {"le_job": encoders["job"], "le_branch": encoders["branch"]}
    config = {"low": 1, "high": 2}
    found = check(
        files(model=model, encoders=renamed, config={"mappings": {"grade": config}}),
        NEW[COLUMNS],
        model.predict_proba(encoded(NEW, encoders)),
    )
    assert any("(a dictionary)" in note for note in found.notes)
