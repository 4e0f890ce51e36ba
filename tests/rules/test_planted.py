"""Causes that a model has learned by heart are found.

They are told from chance, and from other groups.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import core

GAP = "equal_opportunity_difference"
WORDS = ["sex", "branch", "job"]
MODELS = {
    "boosting": HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=4),
    "forest": RandomForestClassifier(30, min_samples_leaf=5, random_state=4),
}


def planted_case(name: str) -> tuple[core.Case, pd.Index]:
    """Return a case in which every woman of branch e was refused in training, and these women."""
    draw, n = np.random.default_rng(4), 8000
    table = pd.DataFrame(
        {
            "sex": draw.choice(["f", "m"], n, p=[0.45, 0.55]),
            "income": draw.lognormal(3.3, 0.5, n).round(1),
            "age": draw.integers(18, 75, n),
            "branch": draw.choice(list("neswc"), n),
            "job": draw.choice(["clerk", "cook", "driver", "nurse", "other"], n),
            "tenure": draw.integers(0, 20, n),
            "debt": draw.normal(10, 4, n),
        }
    )
    points = 0.08 * (table.income - 28) - 0.12 * (table.debt - 10) + 0.03 * (table.age - 40)
    points += 0.5 * (table.job == "clerk") - 0.4 * (table.branch == "w")
    features = list(table)
    table["granted"] = (points / 0.7 + draw.logistic(size=n) > 0).astype(int)
    train, test = table[:4000].copy(), table[4000:].reset_index(drop=True)
    wronged = (train.sex == "f") & (train.branch == "e")
    train.loc[wronged, "granted"] = 0
    columns = make_column_transformer((OrdinalEncoder(), WORDS), remainder="passthrough")
    model = make_pipeline(columns, MODELS[name]).fit(train[features], train.granted)
    case = core.Case(model, train, test, core.Roles("granted", 1, 1, ["sex"]))
    return case, case.record_ids[wronged.to_numpy()]


@pytest.mark.parametrize("name", ["boosting", "forest"])
def test_what_trees_have_learned_by_heart_is_found_first_and_said_to_help(name: str) -> None:
    case, wronged = planted_case(name)
    found = core.explain_gap(case, GAP, top_k=2, expected=True)
    first = found[0]
    assert len(wronged.intersection(first.forget)) / len(wronged.union(first.forget)) > 0.95
    assert first.responsibility > 0.5
    assert first.helps
    assert first.this_group
    assert found.n_tried > 500
    real = core.compare(
        case, core.unlearn(case, wronged, method="refit").case, metric=GAP, sensitive_feature=["sex"], on="confirm"
    )
    gain = -(real["after"] - real["before"]).iloc[0]
    assert abs(first.expected.gain - gain) < 2.0 * 1.96 * first.expected.se
