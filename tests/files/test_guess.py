from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from core.case.case import Case
from core.errors import InputTypeError
from core.files.guess import guess_roles


def table(**columns: Any) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    base = {
        "customer_id": np.arange(100) + 7,
        "Sex": generator.choice(["f", "m"], 100),
        "age": generator.integers(18, 80, 100),
        "amount": generator.normal(size=100),
        "has_car": generator.choice(["yes", "no"], 100),
    }
    return pd.DataFrame({**base, **columns})


BITS = np.arange(100) % 2


def test_a_guess_makes_a_case() -> None:
    train = table(granted=BITS, split="train")
    model = LogisticRegression().fit(train[["age", "amount"]], train["granted"])
    guess = guess_roles(train, model)
    assert guess.roles is not None
    assert guess.roles.target == "granted"
    assert guess.roles.sensitive_features == ("Sex", "age")
    assert guess.roles.record_id == "customer_id"
    assert set(guess.exclude) == {"has_car", "split"}
    assert guess.roles.bins is not None
    assert list(guess.roles.bins) == ["age"]
    assert len(guess.roles.bins["age"]) == 3
    assert Case(model, train, train, guess.roles).n_retained == 100


@pytest.mark.parametrize(
    ("name", "values", "positive", "favorable"),
    [
        ("granted", [0, 1], 1, 1),
        ("approved", [False, True], True, True),
        ("is_fraud", [0, 1], 1, 0),
        ("default_next_month", ["no", "yes"], "yes", "no"),
        ("two_year_recid", ["yes", "no"], "yes", "no"),
        ("credit_risk", ["bad", "good"], "good", "good"),
        ("income", ["<=50K", ">50K"], ">50K", ">50K"),
        ("label", [-1, 1], 1, 1),
        ("loan_status", ["Charged Off", "Paid"], "Paid", "Paid"),
        ("readmitted", [0.0, 1.0], 1.0, 0.0),
    ],
)
def test_labels_and_the_good_outcome(name: str, values: list[Any], positive: Any, favorable: Any) -> None:
    guess = guess_roles(table(**{name: pd.Series(values * 50)}))
    assert (guess.target, guess.pos_label, guess.favorable_label) == (name, positive, favorable)
    assert not isinstance(guess.pos_label, np.generic)


def test_the_good_one_of_three_outcomes_is_not_the_one_a_bad_name_speaks_of() -> None:
    model = DecisionTreeClassifier().fit([[0], [1], [2]], ["maybe", "no", "yes"])
    guess = guess_roles(table(default=pd.Series(["no", "yes", "maybe", "no"] * 25)), model)
    assert (guess.target, guess.pos_label, guess.favorable_label) == ("default", "yes", "no")
    plain = guess_roles(table(outcome=pd.Series(["no", "yes", "maybe", "no"] * 25)), model)
    assert plain.favorable_label == "yes"
    assert not [note for note in plain.notes if "speaks of" in note]


def test_the_models_classes_decide_between_columns() -> None:
    train = table(income=np.tile(["low", "high"], 50), outcome_code=np.tile(["A", "B"], 50))
    model = LogisticRegression().fit(train[["amount"]], train["outcome_code"])
    assert guess_roles(train, model).target == "outcome_code"
    assert guess_roles(train).target == "income"


def test_a_column_the_model_uses_is_not_the_label() -> None:
    train = table(default=BITS, z=BITS[::-1])
    model = LogisticRegression().fit(train[["amount", "default"]], train["z"])
    assert guess_roles(train, model).target == "z"


def test_a_label_the_model_was_fitted_on_is_named() -> None:
    train = table(granted=BITS)
    guess = guess_roles(train, LogisticRegression().fit(train[["amount", "granted"]], train["granted"]))
    assert guess.target is None
    assert any("was fitted on 'granted' too" in note for note in guess.notes)


def test_the_last_column_that_fits_without_a_name() -> None:
    guess = guess_roles(table(q1=BITS, q2=BITS, note="text"))
    assert guess.target == "q2"
    assert any("last column" in note for note in guess.notes)


def test_labels_of_another_type_than_the_models_classes_still_fit() -> None:
    train = table(granted=BITS)
    model = LogisticRegression().fit(train[["amount"]], train["granted"].astype(float))
    assert guess_roles(train.assign(granted=BITS.astype(bool)), model).target == "granted"


def test_nothing_found_is_said_and_leaves_no_roles() -> None:
    guess = guess_roles(pd.DataFrame({"a": range(5), "b": range(5)}))
    assert guess.roles is None
    assert guess.target is None
    assert any("choose the label column" in note for note in guess.notes)
    assert any("choose the columns whose groups" in note for note in guess.notes)


@pytest.mark.parametrize(
    "name",
    ["gender", "Race", "marital status", "maritalStatus", "Applicant Sex", "age_group", "native-country", "person_age"],
)
def test_sensitive_features_by_name(name: str) -> None:
    frame = pd.DataFrame({name: ["a", "b"] * 10, "granted": [0, 0, 1, 1] * 5})
    assert guess_roles(frame).sensitive_features == (name,)


def test_names_that_only_contain_a_sensitive_word_are_left() -> None:
    frame = pd.DataFrame(
        {"package": ["a", "b"] * 10, "sextant": ["a", "b"] * 10, "average": range(20), "granted": [0, 1] * 10}
    )
    assert guess_roles(frame).sensitive_features == ()


def test_sensitive_features_without_groups_or_with_too_many_are_left() -> None:
    assert guess_roles(table(granted=BITS, race="only")).sensitive_features == ("Sex", "age")
    many = table(granted=BITS, race=[f"r{i}" for i in range(100)])
    assert guess_roles(many).sensitive_features == ("Sex", "age")
    assert "race" in guess_roles(table(granted=BITS, race=pd.Series(["only", None] * 50))).sensitive_features


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("policy_number", range(100), True),
        ("ID", [f"x{i}" for i in range(100)], True),
        ("client_id", [1] * 100, False),
        ("client_id", [None, *range(99)], False),
        ("paid", range(100), False),
    ],
)
def test_record_ids_are_unique_and_named_so(column: str, values: Any, found: bool) -> None:
    frame = pd.DataFrame({column: list(values), "sex": ["f", "m"] * 50, "granted": [0, 0, 1, 1] * 25})
    assert guess_roles(frame).record_id == (column if found else None)


def test_an_id_the_model_uses_is_not_the_record_id() -> None:
    train = table(granted=BITS)
    model = LogisticRegression().fit(train[["customer_id", "amount"]], train["granted"])
    assert guess_roles(train, model).record_id is None


def test_the_three_usual_sensitive_features_are_taken_and_the_others_named() -> None:
    kinds = ["a", "b"] * 50
    guess = guess_roles(table(granted=BITS, marital_status=kinds, race=kinds, religion=kinds))
    assert guess.sensitive_features == ("Sex", "race", "age")
    assert (
        "These may be sensitive too: religion, marital_status. Every one more makes intersections smaller."
        in guess.notes
    )


def test_missing_cells_are_counted() -> None:
    assert guess_roles(table(granted=BITS, note=[None] * 3 + ["x"] * 97)).missing == {"note": 3}


def test_an_infinite_age_leaves_the_bins_open() -> None:
    guess = guess_roles(table(granted=BITS, age=[np.inf, *range(99)]))
    assert guess.roles is not None
    assert guess.roles.bins is None


def test_only_tables_are_guessed() -> None:
    with pytest.raises(InputTypeError, match="pandas DataFrame"):
        guess_roles([1, 2])  # type: ignore[arg-type]


def test_a_column_with_more_classes_than_the_model_is_named() -> None:
    train = table(granted=BITS)
    model = LogisticRegression().fit(train[["amount"]], train["granted"])
    wider = train.assign(granted=[0, 1, 2, 1] * 25)
    guess = guess_roles(wider, model)
    assert guess.target is None
    assert guess.notes[0].startswith(
        "'granted' holds 2 besides the model's classes (0, 1): if it is the label, fit the model again"
    )
