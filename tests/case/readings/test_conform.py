"""Tables are read as the model learned them: the same scores as of the table it was fitted on, or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

import core
from core.case.readings.learned import learned_of
from core.errors import InputError
from core.files.tables.read import read_table

N = 600


def table_of(codes: list[Any], seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({"sex": generator.choice(["f", "m"], N), "income": generator.normal(size=N)})
    place = generator.integers(0, len(codes), N)
    table["code"] = pd.Series([codes[one] for one in place])
    table["granted"] = (table["income"] + 1.5 * (place == 0) + generator.normal(size=N) > 0).astype(int)
    return table


def fitted(table: pd.DataFrame, encoder: Any = None) -> Any:
    encode = make_column_transformer(
        (encoder or OneHotEncoder(handle_unknown="ignore"), ["code"]), (StandardScaler(), ["income"])
    )
    return make_pipeline(encode, LogisticRegression()).fit(table[["code", "income"]], table["granted"])


def case_of(model: Any, train: pd.DataFrame, test: pd.DataFrame) -> core.Case:
    roles = core.Roles("granted", 1, 1, ["sex"])
    return core.Case(model, train=train, test=test, roles=roles, confirm=False)


def through_csv(table: pd.DataFrame) -> pd.DataFrame:
    return read_table(table.to_csv(index=False).encode()).frame


CODES: dict[str, list[Any]] = {
    "leading zeros": ["01067", "04109", "10115"],
    "digits as text": ["1", "2", "10"],
    "two decimals": ["2.50", "1.25", "3.00"],
    "truth as text": ["true", "false"],
    "None is a category": ["None", "Fixed", "Variable"],
    "NA is a category": ["NA", "EU", "AS"],
    "numbers": [1067, 4109, 10115],
    "truth": [True, False],
    "phones": ["+4930123456", "+4989123456"],
}


@pytest.mark.parametrize("encoder", [None, OrdinalEncoder(), TargetEncoder(random_state=0)], ids=str)
@pytest.mark.parametrize("codes", CODES.values(), ids=CODES)
def test_a_table_scores_through_csv_as_it_did(codes: list[Any], encoder: Any) -> None:
    train, test = table_of(codes, 1), table_of(codes, 2)
    model = fitted(train, encoder)
    straight = case_of(model, train, test)
    assert straight.readings == ()
    for read in (through_csv, lambda table: pd.concat([through_csv(table)[:300], through_csv(table)[300:]])):
        case = case_of(model, read(train), read(test))
        np.testing.assert_array_equal(case.scores("test"), straight.scores("test"))
        assert core.check_provenance(case).status == core.check_provenance(straight).status


@pytest.mark.parametrize("codes", [CODES["digits as text"], CODES["leading zeros"]])
def test_what_pandas_read_is_mended_and_said(codes: list[Any]) -> None:
    train, test = table_of(codes, 1), table_of(codes, 2)
    numbers = [table.assign(code=table["code"].astype(int)) for table in (train, test)]
    model = fitted(train)
    case = case_of(model, *numbers)
    np.testing.assert_array_equal(case.scores("test"), case_of(model, train, test).scores("test"))
    (reading,) = case.readings
    assert (reading.column, reading.read_as, reading.changed) == ("code", "the model's categories", 2 * N)
    assert reading.tables == ("training", "test")
    assert repr(codes[0]) in str(reading) or repr(codes[1]) in str(reading) or repr(codes[2]) in str(reading)


def test_codes_that_read_alike_are_refused_with_the_way_out() -> None:
    train = table_of(["1.1", "1.10", "2.5"], 1)
    model, read = fitted(train), through_csv(train)
    with pytest.raises(InputError, match=r"told apart as the model learned them.*text=\['code'\]"):
        case_of(model, read, read)
    spelled = read_table(train.to_csv(index=False).encode(), text=["code"]).frame
    straight = case_of(model, train, train)
    np.testing.assert_array_equal(case_of(model, spelled, spelled).scores("test"), straight.scores("test"))


def test_words_that_pandas_itself_lost_are_put_back() -> None:
    train, test = table_of(CODES["None is a category"], 1), table_of(CODES["None is a category"], 2)
    lost = test.assign(code=test["code"].replace("None", np.nan))
    model = fitted(train)
    case = case_of(model, train, lost)
    np.testing.assert_array_equal(case.scores("test"), case_of(model, train, test).scores("test"))
    assert [(one.column, one.tables) for one in case.readings] == [("code", ("test",))]
    few = test.assign(code=test["code"].where(np.arange(N) > 5, np.nan))
    assert case_of(model, train, few).readings == ()  # the word occurs, so these are missing


def test_missing_cells_spelled_in_two_ways_are_not_guessed() -> None:
    train = table_of(CODES["NA is a category"], 1)
    model = fitted(train)
    data = train.assign(code=train["code"].where(np.arange(N) > 5, None)).to_csv(index=False).encode()
    with pytest.raises(InputError, match=r"missing cells were spelled so and as ''; keep them"):
        case_of(model, train, read_table(data).frame)
    kept = read_table(data, text=["code"]).frame
    assert case_of(model, train, kept).test["code"].isna().sum() == 6


def test_rows_to_confirm_on_are_read_alike() -> None:
    train, test = table_of(CODES["None is a category"], 1), table_of(CODES["None is a category"], 2)
    read, roles = through_csv(test), core.Roles("granted", 1, 1, ["sex"])
    case = core.Case(fitted(train), train, read[:200], roles, test_confirm=through_csv(test[200:]))
    assert case.test["code"].tolist() == test["code"].tolist()


def test_words_that_the_model_knows_as_missing_become_missing() -> None:
    codes = [np.nan, "EU", "AS"]
    train, test = table_of(codes, 1), table_of(codes, 2)
    imputed = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    for encoder in (None, imputed):
        model = fitted(train, encoder)
        straight = case_of(model, train, test)
        case = case_of(model, train, test.assign(code=test["code"].fillna("NA")))
        np.testing.assert_array_equal(case.scores("test"), straight.scores("test"))
        assert case.readings[0].read_as == "missing"


def test_text_of_numbers_is_numbers_where_the_model_learned_such() -> None:
    train = table_of([1067, 4109], 1)
    model = LogisticRegression().fit(train[["code", "income"]] * [1e-4, 1], train["granted"])
    text = train.assign(code=train["code"].map("0{}".format), income=train["income"].map(repr))
    case = case_of(model, text, train)
    assert case.train["code"].tolist() == train["code"].tolist()
    assert case.train["income"].tolist() == train["income"].tolist()
    assert {one.column: one.read_as for one in case.readings} == {"code": "numbers", "income": "numbers"}


LABELS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "text": (lambda y: y.astype(int).astype(str), "1"),
    "truth": (lambda y: y, True),
    "nullable truth": (lambda y: y.astype("boolean"), True),
    "nullable numbers": (lambda y: y.astype(int).astype("Int64"), 1),
    "decimals": (lambda y: y.astype(float), 1.0),
    "words of truth": (lambda y: y.map({True: "TRUE", False: "FALSE"}), "TRUE"),
}


@pytest.mark.parametrize("spelled", LABELS)
@pytest.mark.parametrize("learned", LABELS)
def test_labels_are_the_model_s_classes_however_they_are_spelled(learned: str, spelled: str) -> None:
    table = table_of([1, 2])
    label = table["granted"] == 1
    model = LogisticRegression().fit(table[["income"]], LABELS[learned][0](label))
    given = table.assign(granted=LABELS[spelled][0](label))
    roles = core.Roles("granted", LABELS[spelled][1], LABELS[spelled][1], ["sex"])
    for read in (given, through_csv(given)):
        case = core.Case(model, train=read, test=read, roles=roles, confirm=False)
        assert case.y_train.tolist() == label.tolist()
        assert case.y("test").tolist() == label.tolist()
        assert set(case.train["granted"]) == set(case.classes.tolist())


def test_classes_that_read_alike_leave_labels_as_they_are() -> None:
    table = table_of([1, 2])
    model = LogisticRegression().fit(table[["income"]], table["granted"].map({0: "1", 1: "01"}))
    with pytest.raises(InputError, match="must be a class the model knows"):
        core.Case(model, train=table, test=table, roles=core.Roles("granted", "1", "1", ["sex"]))


def test_groups_and_ids_read_alike_in_both_tables() -> None:
    train, test = table_of([1, 2]), table_of([1, 2], 5)
    model = LogisticRegression().fit(train[["income"]], train["granted"])
    data = train.assign(area=["07", "12"] * 300), test.assign(area=["11", "12"] * 300)
    roles = core.Roles("granted", 1, 1, ["area"])
    case = core.Case(model, *(through_csv(one) for one in data), roles, confirm=False)
    assert set(case.test["area"]) == {"11", "12"}
    assert case.readings[0].tables == ("test",)


def test_what_searches_and_calibration_wrap_is_asked() -> None:
    train = table_of(CODES["leading zeros"])
    X, y = train[["code", "income"]], train["granted"]
    inner = fitted(train)
    for model in (
        GridSearchCV(inner, {"logisticregression__C": [1.0]}, cv=2).fit(X, y),
        CalibratedClassifierCV(inner, cv=2).fit(X, y),
    ):
        learned = learned_of(model, ["code", "income"])
        assert learned["code"].text
        assert learned["income"].categories is None


def test_a_column_that_fits_is_left_though_cells_are_new() -> None:
    train, test = table_of(CODES["leading zeros"]), table_of(["1067", "99999", "10115"])
    case = case_of(fitted(train), train, test)
    assert case.readings == ()
    assert case.test["code"].tolist() == test["code"].tolist()
