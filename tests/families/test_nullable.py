"""Tables of pandas' nullable columns with missing values give what the same tables of floats give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import core

FEATURES = ["children", "owner", "rate", "income"]
ENCODED = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["rate", "income"]),
    (OneHotEncoder(handle_unknown="ignore"), ["children", "owner"]),
)
MODELS = {
    "forest": RandomForestClassifier(5, random_state=0),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=10),
    "imputed, boosting": make_pipeline(SimpleImputer(), GradientBoostingClassifier(n_estimators=5, random_state=0)),
    "imputed, logistic": make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
    "encoded, logistic": make_pipeline(ENCODED, LogisticRegression()),
}
ROLES = core.Roles("granted", 1, 1, ["sex"], features=FEATURES)


def nullable_and_floats() -> tuple[pd.DataFrame, pd.DataFrame]:
    draw, n = np.random.default_rng(0), 400

    def with_gaps(values: np.ndarray[Any, Any], dtype: str) -> Any:
        return pd.array(np.where(draw.random(n) < 0.1, None, values), dtype=dtype)

    table = pd.DataFrame(
        {
            "children": with_gaps(draw.integers(0, 5, n), "Int64"),
            "owner": with_gaps(draw.random(n) < 0.5, "boolean"),
            "rate": with_gaps(draw.normal(size=n), "Float64"),
            "income": draw.normal(size=n),
            "sex": draw.choice(["f", "m"], n),
        }
    )
    chance = table["income"] + 0.3 * table["children"].astype("Float64").fillna(0.0).astype(float)
    table["granted"] = (chance + draw.normal(size=n) > 0).astype(int)
    return table, table.assign(**{name: table[name].astype("Float64").astype(float) for name in FEATURES[:3]})


@pytest.fixture(scope="module", params=list(MODELS))
def cases(request: pytest.FixtureRequest) -> list[core.Case]:
    return [
        core.Case(clone(MODELS[request.param]).fit(t[FEATURES], t["granted"]), t, t, ROLES, confirm=False)
        for t in nullable_and_floats()
    ]


CALLS = {
    "influence": lambda case: core.influence(case).to_numpy(),
    "unlearn": lambda case: core.unlearn(case, [0, 1, 7]).case.scores("explore"),
    "edit": lambda case: core.edit(case, relabel={0: 1 - int(case.train_codes[0])}).case.scores("explore"),
    "group_changes": lambda case: core.group_changes(case, [range(30)]),
    "reasons": lambda case: core.reasons(case, [3]).to_numpy(),
}


@pytest.mark.parametrize("call", CALLS)
def test_figures_are_those_of_floats(cases: list[core.Case], call: str) -> None:
    nullable, floats = (CALLS[call](case) for case in cases)
    np.testing.assert_allclose(np.asarray(nullable, dtype=float), np.asarray(floats, dtype=float), rtol=1e-9, atol=1e-9)


def test_rules_are_searched(cases: list[core.Case]) -> None:
    """They are not compared: a truth value is a category to a rule, a float a range."""
    for case in cases:
        assert core.explain_gap(case, max_predicates=1, top_k=3, expected=False).n_tried > 10


def test_provenance_is_verified(cases: list[core.Case]) -> None:
    assert core.check_provenance(cases[0]).status == core.check_provenance(cases[1]).status == "verified"


def test_a_certified_removal_keeps_the_categories_of_truth_values() -> None:
    """Their atoms were all 0, so that the column vanished from the model under a certificate."""
    table, _ = nullable_and_floats()
    model = make_pipeline(clone(ENCODED), LogisticRegression(solver="newton-cholesky", tol=1e-12))
    case = core.Case(clone(model).fit(table[FEATURES], table["granted"]), table, table, ROLES, confirm=False)
    result = core.unlearn(case, [0, 1], tolerance=1e-8)
    again = clone(model).fit(table[FEATURES][2:], table["granted"][2:])
    assert result.method == "newton"
    np.testing.assert_allclose(result.case.scores("test"), again.predict_proba(table[FEATURES])[:, 1], atol=1e-7)
