"""A model trained on a table alone opens as a case, is the same again by its recipe, and can be taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import core
from core.errors import InputError, InputTypeError
from core.files.models.train import MODELS


def people(seed: int = 0, n: int = 400) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "person": [f"p{seed}-{place}" for place in range(n)],
            "income": draw.normal(size=n),
            "age": np.where(draw.random(n) < 0.1, np.nan, draw.integers(18, 80, n)),
            "branch": draw.choice(["north", "south", None], n),
            "sex": draw.choice(["f", "m"], n),
            "member": draw.random(n) < 0.5,
            "since": pd.Timestamp("2024-01-01"),
            "same": 1,
            "weight": draw.integers(1, 4, n),
        }
    )
    table["granted"] = np.where(table["income"] + table["member"] + draw.logistic(size=n) / 2 > 0.5, "yes", "no")
    return table


ROLES = core.Roles("granted", "yes", "yes", ["sex"], record_id="person", exclude=["weight"])


@pytest.mark.parametrize("kind", MODELS)
def test_a_trained_model_opens_verifies_and_unlearns(kind: str, tmp_path: Path) -> None:
    train, test = people(1), people(2)
    model = core.train_model(train, ROLES, kind=kind, seed=3)
    assert set(model.feature_names_in_) == {"income", "age", "branch", "sex", "member"}
    assert model.score(test, test["granted"]) > 0.7
    case = core.Case(model, train=train, test=test, roles=ROLES)
    assert core.check_provenance(case).status == "verified"
    result = core.unlearn(case, ["p1-3", "p1-7"])
    again = core.train_model(train[~train["person"].isin(["p1-3", "p1-7"])], ROLES, kind=kind, seed=3)
    if kind == "logistic":
        np.testing.assert_allclose(result.case.scores("test"), again.predict_proba(test)[:, 1], atol=1e-6)
    core.save_model(model, tmp_path / "model.skops")
    kept = core.load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(kept.predict_proba(test), model.predict_proba(test))


@pytest.mark.parametrize("kind", MODELS)
def test_the_recipe_makes_the_same_model(kind: str) -> None:
    train, test = people(1), people(2)
    model = core.train_model(train, ROLES, kind=kind, seed=3)
    made: dict[str, Any] = {}
    exec(core.model_recipe(model), made)  # noqa: S102
    again = made["model"].fit(train[model.feature_names_in_.tolist()], train["granted"])
    np.testing.assert_array_equal(again.predict_proba(test), model.predict_proba(test))
    same = core.train_model(train, ROLES, kind=kind, seed=3)
    np.testing.assert_array_equal(same.predict_proba(test), model.predict_proba(test))


def test_weights_and_features_are_those_of_the_roles() -> None:
    train = people(1)
    weighted = core.train_model(train, ROLES.with_(sample_weight="weight", exclude=()))
    assert "weight" not in weighted.feature_names_in_
    repeated = train.loc[train.index.repeat(train["weight"])]
    twice = core.train_model(repeated.assign(person=range(len(repeated))), ROLES)
    assert np.abs(weighted.predict_proba(train) - twice.predict_proba(train)).max() < 0.02  # scaled by other means
    two = core.train_model(train, ROLES.with_(features=["income", "branch"]))
    assert two.feature_names_in_.tolist() == ["income", "branch"]


@pytest.mark.parametrize(
    ("changes", "roles", "message"),
    [
        ({"granted": "yes"}, {}, "at least two classes"),
        ({"granted": None}, {}, "Every record must have a label"),
        ({"granted": np.linspace(0, 1, 400)}, {}, "numbers with decimals"),
        ({"income": [np.inf, *range(399)]}, {}, "Numbers must be finite"),
        ({}, {"target": "grantd"}, "Did you mean 'granted'"),
        ({}, {"exclude": ("income", "age", "branch", "sex", "member", "weight")}, "None is left"),
    ],
)
def test_what_cannot_be_trained_is_a_sentence(changes: dict[str, Any], roles: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        core.train_model(people(1).assign(**changes), ROLES.with_(**roles))


def test_other_kinds_are_named() -> None:
    with pytest.raises(InputError, match="must be one of"):
        core.train_model(people(1), ROLES, kind="neural")
    with pytest.raises(InputTypeError, match=r"core\.Roles"):
        core.train_model(people(1), "granted")  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="scikit-learn estimator"):
        core.model_recipe("model")  # type: ignore[arg-type]
