"""Shares come with the counts they are shares of."""

from __future__ import annotations

import numpy as np
import pandas as pd

import core
from tests.conftest import make_pipeline_for, make_table


def test_counts_are_those_of_the_rows_a_share_is_taken_over() -> None:
    train, test = make_table(600, 1), make_table(700, 2)
    case = core.Case(make_pipeline_for(train), train, test, core.Roles("granted", 1, 0, ["sex"]), confirm=False)
    table = core.audit(case, ["false_positive_rate", "detection_precision", "balanced_accuracy"]).by_group
    bad, flagged = (test["granted"] == 1).to_numpy(), case.decisions("test")
    for group in ("f", "m"):
        own = (test["sex"] == group).to_numpy()
        row = table.loc["sex", group]
        missed = own & bad & ~flagged
        assert (row["false_positive_rate_hits"], row["false_positive_rate_of"]) == (missed.sum(), (own & bad).sum())
        assert row["false_positive_rate"] == missed.sum() / (own & bad).sum()
        right = own & flagged & bad
        assert (row["detection_precision_hits"], row["detection_precision_of"]) == (right.sum(), (own & flagged).sum())
    assert "balanced_accuracy_of" not in table


def test_records_needed_are_of_the_kind_a_share_is_taken_over() -> None:
    """14 frauds settle nothing, however many rows stand beside them."""
    draw = np.random.default_rng(0)
    test = pd.DataFrame({"x": draw.normal(size=2000), "region": ["a", "b"] * 1000, "fraud": 0})
    test.loc[:27, "fraud"] = 1
    train = test.assign(fraud=(test["x"] > 1).astype(int))
    case = core.Case(make_fraud_model(train), train, test, core.Roles("fraud", 1, 0, ["region"]), confirm=False)
    row = core.audit(case, "false_positive_rate").by_group.loc["region", "a"]
    assert (row["n"], row["false_positive_rate_of"]) == (1000, 14)
    assert 14 < row["false_positive_rate_of_needed"] < 120
    assert bool(row["insufficient"])


def make_fraud_model(train: pd.DataFrame) -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(train[["x"]], train["fraud"])
