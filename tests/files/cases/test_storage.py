from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from core.actions.unlearn import unlearn
from core.case.case import Case
from core.case.roles import AtRate, Roles
from core.errors import InputError, InputTypeError
from core.files.cases.storage import load_case, save_case
from core.files.cases.toml_text import to_toml

NAME = 'a "quoted" \\ <b>näme</b>\n= [x] \x7f'


def make_table(n: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(n) + 1000,
            "income": np.where(generator.random(n) < 0.1, np.nan, generator.normal(3000, 500, n)),
            "age": generator.integers(18, 80, n),
            "sex": generator.choice(["f", "m", None], n, p=[0.45, 0.45, 0.1]),
            NAME: generator.choice(["north", "south"], n),
            "weight": generator.random(n),
            "secret": generator.random(n),
            "granted": generator.random(n) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def parts() -> tuple[Any, pd.DataFrame, pd.DataFrame, Roles]:
    train, test = make_table(120, 0), make_table(81, 1)
    prepare = ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["income", "age"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), ["sex", NAME]),
        ]
    )
    model = make_pipeline(prepare, LogisticRegression()).fit(train[["income", "age", "sex", NAME]], train["granted"])
    roles = Roles(
        "granted", True, True, ["sex", "age"], record_id="id", subject_id=NAME, sample_weight="weight",
        bins={"age": [25, 40.5]}, exclude=["secret"],
    )  # fmt: skip
    return model, train, test, roles


def same(left: Case, right: Case) -> None:
    pd.testing.assert_frame_equal(left.train, right.train)
    pd.testing.assert_frame_equal(left.test, right.test)
    assert left.roles == right.roles
    assert left.threshold == right.threshold
    assert left.split_seed == right.split_seed
    np.testing.assert_array_equal(left.confirm_mask, right.confirm_mask)
    np.testing.assert_array_equal(left.retained, right.retained)
    assert left.forgotten_ids.equals(right.forgotten_ids)
    np.testing.assert_array_equal(left.scores("test"), right.scores("test"))
    np.testing.assert_array_equal(left.decisions("explore"), right.decisions("explore"))
    for feature in ("sex", "age", ("sex", "age")):
        np.testing.assert_array_equal(left.groups(feature, "train").codes, right.groups(feature, "train").codes)
    assert left.data_digest == right.data_digest


@pytest.mark.parametrize("threshold", [None, 0.37, AtRate(0.02)])
@pytest.mark.parametrize("split", ["seed", "off", "own"])
def test_a_case_comes_back_identical(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], threshold: Any, split: str, tmp_path: Path
) -> None:
    model, train, test, roles = parts
    options = {"seed": {"seed": 5}, "off": {"confirm": False}, "own": {"test_confirm": make_table(30, 2)}}[split]
    case = Case(model, train, test, roles, threshold, **options)
    retained = np.ones(120, dtype=bool)
    retained[[3, 50, 119]] = False
    case = case.replace(case.model, retained)
    assert save_case(case, tmp_path / "new" / "case") == tmp_path / "new" / "case"
    loaded = load_case(tmp_path / "new" / "case")
    same(case, loaded)
    assert loaded.forgotten_ids.tolist() == [1003, 1050, 1119]
    loaded.save(tmp_path / "again")
    same(case, load_case(str(tmp_path / "again")))


def test_column_types_come_back(parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], tmp_path: Path) -> None:
    model, train, test, roles = parts
    train, test = train.copy(), test.copy()
    for table in (train, test):
        table["sex"] = table["sex"].astype(object).where(table["sex"].notna(), None)
        table["nan"] = table["sex"].astype(object).where(table["sex"].notna(), np.nan)
        table["whole"] = pd.array([None, *range(len(table) - 1)], dtype="Int16")
        table["kind"] = pd.Categorical(np.arange(len(table)) % 3)
        table["small"] = table["age"].astype("int8")
        table["day"] = pd.date_range("2020-01-01", periods=len(table))
        table["maybe"] = pd.Series([True, None, False] * 40)[: len(table)]
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(train[["sex"]], train["granted"])
    case = Case(model, train, test, roles)
    case.save(tmp_path)
    loaded = load_case(tmp_path)
    same(case, loaded)
    assert loaded.train["sex"].dtype == object
    assert any(value is None for value in loaded.train["sex"])
    assert not any(value is None for value in loaded.train["nan"])


def test_saving_over_a_case_replaces_it_and_keeps_other_files(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("mine")
    first = Case(*parts)
    first.save(tmp_path)
    second = Case(*parts, threshold=0.2, seed=9)
    second.save(tmp_path)
    same(second, load_case(tmp_path))
    names = {
        "README.md",
        "case.toml",
        "confirm_rows.npy",
        "model.skops",
        "retained_rows.npy",
        "test.parquet",
        "train.parquet",
    }
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_save_that_fails_leaves_the_old_case(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], tmp_path: Path
) -> None:
    case = Case(*parts)
    case.save(tmp_path)
    numbers = make_pipeline(SimpleImputer(), SVC()).fit(parts[1][["income", "age"]], parts[1]["granted"])
    with pytest.raises(InputError, match=r"allow-list.*SVC"):
        Case(numbers, *parts[1:]).save(tmp_path)
    mixed = parts[1].assign(secret=["a", 1] * 60)
    with pytest.raises(InputError, match="one kind of value"):
        Case(parts[0], mixed, *parts[2:]).save(tmp_path)
    same(case, load_case(tmp_path))
    assert not list(tmp_path.glob(".saving-*"))


def by_hand(folder: Path, parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], text: str) -> Path:
    Case(*parts).save(folder)
    parts[2].to_csv(folder / "test.csv", index=False, sep=";", decimal=",")
    (folder / "case.toml").write_text(text, encoding="utf-8")
    return folder


PLAIN = """
[roles]
target = "granted"
pos_label = true
favorable_label = true
sensitive_features = ["sex"]

[tables]
train = "train.parquet"
test = "test.csv"

[model]
file = "model.skops"
"""


def test_a_folder_written_by_hand(parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], tmp_path: Path) -> None:
    case = load_case(by_hand(tmp_path, parts, PLAIN + "threshold = {rate = 0.1}\n[split]\nseed = 3\n"))
    other = Case(parts[0], parts[1], parts[2], Roles("granted", True, True, ["sex"]), AtRate(0.1), seed=3)
    np.testing.assert_array_equal(case.confirm_mask, other.confirm_mask)
    np.testing.assert_allclose(case.scores("test"), other.scores("test"), rtol=1e-12)
    assert case.threshold == AtRate(0.1)


def test_a_confirm_table_of_its_own_and_no_split(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], tmp_path: Path
) -> None:
    case = load_case(by_hand(tmp_path, parts, PLAIN.replace("[model]", 'confirm = "test.parquet"\n[model]')))
    assert (len(case.rows("explore")), len(case.rows("confirm"))) == (81, 81)
    case = load_case(by_hand(tmp_path, parts, PLAIN + "[split]\noff = true\n"))
    assert len(case.rows("explore")) == 81
    with pytest.raises(InputError, match="has no rows"):
        case.rows("confirm")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('target = "granted"', "", r"\[roles\] in case.toml must give .* It lacks 'target'"),
        ("[roles]", "[rolls]", "Got 'rolls'. Did you mean 'roles'"),
        ("pos_label", "pos_lable", "Got 'pos_lable'. Did you mean 'pos_label'"),
        ('"granted"', '"grated"', "lacks 'grated'. Did you mean 'granted'"),
        ('"sex"', '"sexx"', "lacks 'sexx'. Did you mean 'sex'"),
        ('"train.parquet"', '"../train.parquet"', "must be the name of a file beside it"),
        ('"train.parquet"', '"/etc/passwd"', "must be the name of a file beside it"),
        ('"train.parquet"', '".."', "must be the name of a file beside it"),
        ('"train.parquet"', "3", "must be the name of a file beside it"),
        ('train = "train.parquet"', "", "tables.train in case.toml must be the name"),
        ('"train.parquet"', '"model.skops"', "^train: A table must be a CSV or Parquet"),
        ('"model.skops"', '"train.parquet"', "A model must be a skops, pickle or joblib file"),
        ('"model.skops"', '"other.skops"', "Got nothing at"),
        ('file = "model.skops"', 'file = "model.skops"\nthreshold = {rat = 1}', "number or {rate = share}"),
        ('file = "model.skops"', 'file = "model.skops"\nthreshold = {rate = 2}', "strictly between 0 and 1"),
        ('file = "model.skops"', 'file = "model.skops"\nthreshold = "high"', "threshold must be None, a finite number"),
        ('file = "model.skops"', 'file = "model.skops"\n[split]\nseed = -1', "seed in case.toml must be a whole number"),
        ('file = "model.skops"', 'file = "model.skops"\n[case]\nformat = 99', "format 1. Got 99"),
        ('file = "model.skops"', 'file = "model.skops"\n[retained]\nrows = "none.npy"', "'none.npy' is missing or damaged"),
        ('file = "model.skops"', 'file = "model.skops"\n[retained]\nrows = "confirm_rows.npy"', "one truth value per row, 120"),
        ('train = "train.parquet"', 'train = "train.parquet"\ndtypes_train = {agee = "object"}', "Did you mean 'age'"),
        ('train = "train.parquet"', 'train = "train.parquet"\ndtypes_train = {age = "complex"}', "type it knows. Got 'complex'"),
        ("[model]", "[model", "must be valid TOML"),
    ],
)  # fmt: skip
def test_mistakes_in_case_toml(
    parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], old: str, new: str, match: str, tmp_path: Path
) -> None:
    assert old in PLAIN
    with pytest.raises(InputError, match=match):
        load_case(by_hand(tmp_path, parts, PLAIN.replace(old, new, 1)))


def test_what_is_no_case_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, got in (("none", "nothing at"), ("file", "a file at"), ("", "a folder without it")):
        with pytest.raises(InputError, match=f"Got {got}"):
            load_case(tmp_path / path)


def test_a_case_is_not_saved_over_a_file(parts: tuple[Any, pd.DataFrame, pd.DataFrame, Roles], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="saved to a folder"):
        Case(*parts).save(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.just("key"),
        st.recursive(
            st.text(st.characters(exclude_categories=["Cs"]))
            | st.integers(-(2**63), 2**63 - 1)
            | st.booleans()
            | st.floats(allow_nan=False),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    )
)
def test_toml_is_read_back_as_it_was(values: dict[str, Any]) -> None:
    import tomllib

    assert tomllib.loads(to_toml({"section": values})) == {"section": values}


def test_values_that_toml_has_no_word_for_are_refused() -> None:
    assert to_toml({"a": {"x": np.int64(3), "y": None}}) == "[a]\nx = 3\n"
    with pytest.raises(InputTypeError, match="text, a number or a truth value"):
        to_toml({"a": {"x": object()}})


def test_a_case_whose_model_forgot_a_category_comes_back(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {"job": draw.choice(["clerk", "cook"], 400), "debt": draw.normal(size=400), "sex": ["f", "m"] * 200}
    )
    table["granted"] = (table["debt"] + draw.normal(size=400) > 0).astype(int)
    train = table.assign(job=table["job"].where(~table.index.isin([3, 7]), "emperor"))
    columns = ColumnTransformer([("job", OneHotEncoder(), ["job"])], remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(train[["job", "debt"]], train["granted"])
    after = unlearn(Case(model, train, table, Roles("granted", 1, 1, ["sex"])), [3, 7]).case
    assert "emperor" not in after.model[0].transformers_[0][1].categories_[0]
    save_case(after, tmp_path / "case")
    assert load_case(tmp_path / "case").n_retained == 398
