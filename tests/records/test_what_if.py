"""What a model would decide of other values, against the model itself and a search through every value."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import core
from core.errors import InputError


@pytest.fixture(scope="module")
def case() -> core.Case:
    draw = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(600)],
            "sex": draw.choice(["f", "m"], 600),
            "children": draw.integers(0, 9, 600),
            "income": draw.integers(10, 40, 600) / 2.0,
            "job": draw.choice(["clerk", "cook", "nurse"], 600, p=[0.6, 0.3, 0.1]),
        }
    )
    good = table["income"] - table["children"] + 2 * (table["job"] == "nurse") + draw.logistic(size=600) > 8
    table["granted"] = good.astype(int)
    features = ["sex", "children", "income", "job"]
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["sex", "job"]), remainder="passthrough"),
        LogisticRegression(max_iter=1000),
    ).fit(table[features], table["granted"])
    return core.Case(model, table[:400], table[400:], core.Roles("granted", 1, 1, ["sex"], record_id="id"))


def test_what_if_is_what_the_model_says(case: core.Case) -> None:
    found = core.what_if(case, "p7", changes={"income": 5.0, "job": "nurse"})
    row = case.X_train.iloc[[7]].assign(income=5.0, job="nurse")
    assert found.score == pytest.approx(case.model.predict_proba(row)[0, 1], abs=1e-12)
    assert found.decided == bool(case.model.predict(row)[0])
    assert found.score_before == pytest.approx(case.model.predict_proba(case.X_train.iloc[[7]])[0, 1], abs=1e-12)
    assert found.changed["income"] == (case.X_train["income"].iloc[7], 5.0)
    tested = core.what_if(case, case.test.index[3], table="test")
    assert tested.score == pytest.approx(case.scores("test")[3], abs=1e-12)
    assert tested.changed == {}


def test_the_nearest_flip_of_one_column_is_that_of_all_values(case: core.Case) -> None:
    train = case.X_train
    for record in ("p0", "p1", "p2", "p3"):
        row = train.iloc[[case.record_ids.get_loc(record)]]
        decided = case.model.predict(row)[0]
        nearest = {}
        for name in ("children", "income"):
            own = row[name].iloc[0]
            for value in np.unique(train[name]):
                if case.model.predict(row.assign(**{name: value}))[0] != decided:
                    between = ((train[name] > min(own, value)) & (train[name] < max(own, value))).mean()
                    far = between + (train[name] == value).mean() / 2
                    nearest[name] = min(nearest.get(name, (9.0, 0)), (far, value))
        found = core.nearest_flips(case, record, columns=["children", "income"])
        assert {names[0]: values[0] for names, values in zip(found["columns"], found["values"], strict=True)} == {
            name: value for name, (_, value) in nearest.items()
        }
        assert found["distance"].tolist() == pytest.approx(sorted(far for far, _ in nearest.values()))


def test_two_columns_are_changed_where_one_is_not_enough(case: core.Case) -> None:
    poor = {"income": 5.0, "children": 8, "job": "clerk"}
    columns = ["children", "job", "sex"]
    single = [
        case.model.predict(case.X_train.iloc[[0]].assign(**{**poor, name: value}))[0]
        for name in columns
        for value in case.X_train[name].unique()
    ]
    assert not any(single)
    assert core.nearest_flips(case, "p0", changes=poor, columns=columns).empty
    near = {**poor, "income": 9.0}
    assert not core.what_if(case, "p0", changes=near).decided
    found = core.nearest_flips(case, "p0", changes=near, columns=["children", "job"])
    tried = [
        (children, job)
        for children, job in product(case.X_train["children"].unique(), case.X_train["job"].unique())
        if core.what_if(case, "p0", changes={**near, "children": children, "job": job}).decided
    ]
    assert len(found) >= 1
    for names, values in zip(found["columns"], found["values"], strict=True):
        assert core.what_if(case, "p0", changes={**near, **dict(zip(names, values, strict=True))}).decided
    assert tried, "the search through all pairs finds one too"


def test_sensitive_columns_are_marked(case: core.Case) -> None:
    found = core.nearest_flips(case, "p0", top_k=10)
    for names, marked in zip(found["columns"], found["sensitive"], strict=True):
        assert marked == ("sex" in names)


@pytest.mark.parametrize(
    ("record", "changes", "said"),
    [
        ("nobody", {}, "must be the id of one training record"),
        ("p1", {"incom": 3.0}, "Did you mean 'income'"),
        ("p1", {"income": "much"}, "must fit its column"),
        ("p1", {"income": float("inf")}, "must be finite"),
    ],
)
def test_bad_input_is_named(case: core.Case, record: str, changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        core.what_if(case, record, changes=changes)
