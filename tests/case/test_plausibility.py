"""Signs that a model and its rows do not belong together: seen where they are, and not where they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import core
from core.case.plausibility import label_reproduced, saturated_scores, unnamed_columns, warnings_for
from tests.conftest import make_pipeline_for, make_table


def rows(n: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    income, age = random.normal(40_000, 9_000, n), random.integers(18, 80, n)
    granted = (income / 9_000 + random.normal(0, 1, n) > 4.4).astype(int)
    return pd.DataFrame({"income": income, "age": age, "granted": granted, "sex": random.choice(["f", "m"], n)})


ROLES = core.Roles("granted", 1, 1, ["sex"], features=["income", "age"])


def test_a_model_without_its_scaler_is_warned_of_twice() -> None:
    table = rows()
    scaler = StandardScaler().fit(table[["income", "age"]].to_numpy())
    bare = LogisticRegression().fit(scaler.transform(table[["income", "age"]].to_numpy()), table["granted"])
    unnamed, saturated = warnings_for(core.Case(bare, table, table, ROLES))
    assert "stores no names of columns" in unnamed
    assert "'income', 'age' in this order" in unnamed
    assert "100.0% of 400 rows score within 0.001 of 0 or 1, and 100.0% of rows are decided alike" in saturated
    whole = make_pipeline(scaler, bare)
    assert warnings_for(core.Case(whole, table, table, ROLES)) == ()


def test_prepared_columns_and_named_models_are_not_warned_of() -> None:
    table = rows()
    bare = LogisticRegression().fit(np.array([[0, 0], [1, 1], [0, 0], [1, 1]]), [0, 1, 0, 1])
    scaled = (table[["income", "age"]] - table[["income", "age"]].mean()) / table[["income", "age"]].std()
    assert unnamed_columns(bare, scaled) == ""
    assert unnamed_columns(LogisticRegression().fit(table[["income"]], table["granted"]), table[["income"]]) == ""


def test_what_learns_rows_by_heart_may_be_sure() -> None:
    table = rows()
    tree = DecisionTreeClassifier(random_state=0).fit(table[["income"]], table["granted"])
    sure = tree.predict_proba(table[["income"]])
    assert saturated_scores(tree, sure) == ""
    assert "100.0% of 400 rows" in saturated_scores(LogisticRegression(), sure)
    assert saturated_scores(LogisticRegression(), np.full((400, 2), 0.5)) == ""
    assert saturated_scores(LogisticRegression(), sure[:10]) == ""


@pytest.mark.parametrize("share", [0.5, 0.03])
def test_a_feature_that_reproduces_the_label_is_named(share: float) -> None:
    random = np.random.default_rng(1)
    label = pd.Series((random.random(2_000) < share).astype(int), name="fraud")
    for column, how in (
        (label.map({0: "no", 1: "yes"}), "Each of its values"),
        (1 - label, "Each of its values"),
        (label * 10.0 + random.random(2_000), "One cut through its numbers"),
        (-label * 10.0 + random.random(2_000), "One cut through its numbers"),
        (label.where(label == 1) * 3.0, "Each of its values"),
    ):
        said = label_reproduced(label, column.rename("leak"))
        assert said.startswith(f"'leak' reproduces the label 'fraud'. {how}")
        assert "2,000 of 2,000 training rows" in said


def test_features_that_only_help_or_name_rows_are_not_warned_of() -> None:
    random = np.random.default_rng(2)
    label = pd.Series((random.random(2_000) < 0.03).astype(int), name="fraud")
    noisy = label.where(random.random(2_000) > 0.02, 1 - label)
    for column in (
        noisy,
        pd.Series(random.random(2_000)),
        pd.Series([f"p{number}" for number in range(2_000)]),
        pd.Series(np.zeros(2_000)),
        pd.Series([None] * 2_000),
    ):
        assert label_reproduced(label, column.rename("x")) == ""
    assert label_reproduced(pd.Series([1] * 100, name="fraud"), pd.Series([1] * 100, name="x")) == ""


def test_an_ordinary_case_has_no_warning() -> None:
    train, test = make_table(300, 1), make_table(200, 2)
    assert warnings_for(core.Case(make_pipeline_for(train), train, test, core.Roles("granted", 1, 1, ["sex"]))) == ()
