"""Scores without many groups at once, against training again without each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from core.actions.influence import attributor_of
from tests.conftest import make_graded_table, make_pipeline_for, make_table

ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")


def groups_of(table: pd.DataFrame) -> list[np.ndarray]:
    women, clerks, poor = table.sex == "f", table.job == "clerk", table.income < 24
    asked = (women & clerks, women & poor, clerks & poor, table.age < 25, table.age == 99, ~clerks & poor & ~women)
    return [np.flatnonzero(one) for one in asked]


@pytest.mark.parametrize("options", [{}, {"class_weight": "balanced", "C": 0.3}, {"class_weight": {0: 1.0, 1: 3.0}}])
def test_scores_are_those_of_training_without_each_group(options):
    train, test = make_table(1500, 1), make_table(800, 2)
    case = core.prepare(core.Case(make_pipeline_for(train, **options), train, test, ROLES))
    groups = groups_of(train)
    with attributor_of(case) as attributor:
        found = attributor.group_scores(case, groups, "explore")
    for scores, group in zip(found, groups, strict=True):
        real = core.unlearn(case, case.record_ids[group], method="refit").case.scores("explore")
        np.testing.assert_allclose(scores, real, atol=0.004)
        if len(group):
            assert np.abs(scores - real).max() < 0.1 * np.abs(case.scores("explore") - real).max()


def test_it_starts_from_the_retained_rows_and_follows_the_positive_label():
    train, test = make_table(1500, 1), make_table(800, 2)
    case = core.Case(make_pipeline_for(train), train, test, core.Roles("granted", 0, 1, ["sex"], record_id="person"))
    case = core.unlearn(case, train.person[:200]).case
    group = np.flatnonzero(case.retained & (train.sex == "f").to_numpy() & (train.job == "cook").to_numpy())
    with attributor_of(case) as attributor:
        found = attributor.group_scores(case, [group], "explore")[0]
    real = core.unlearn(case, case.record_ids[group], method="refit").case.scores("explore")
    np.testing.assert_allclose(found, real, atol=0.004)


def test_groups_that_cannot_go_have_no_scores():
    train, test = make_table(600, 1), make_table(300, 2)
    train, test = train.fillna({"income": 20.0, "job": "cook"}), test.fillna({"income": 20.0, "job": "cook"})
    columns = make_column_transformer((StandardScaler(), ["income"]), (OneHotEncoder(), ["job"]))
    model = make_pipeline(columns, LogisticRegression()).fit(train[["income", "job"]], train.granted)
    case = core.Case(model, train, test, ROLES)
    cooks, granted = (np.flatnonzero(one) for one in (train.job == "cook", train.granted == 1))
    with attributor_of(case) as attributor:
        found = attributor.group_scores(case, [cooks, cooks[:-1], granted], "explore")
    assert np.isnan(found).all(axis=1).tolist() == [True, False, True]


def test_groups_that_take_the_last_missing_values_along_are_predicted_beside_others():
    train, test = make_table(1500, 1), make_table(800, 2)
    encoded = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    )
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["income"]), (encoded, ["job"])
    )
    model = make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-10))
    case = core.prepare(core.Case(model.fit(train[["income", "job"]], train.granted), train, test, ROLES))
    groups = [
        np.flatnonzero(one) for one in (train.job.isna(), train.job == "cook", train.job.isna() & (train.sex == "f"))
    ]
    with attributor_of(case) as attributor:
        found = attributor.group_scores(case, groups, "explore")
    for scores, group in zip(found, groups, strict=True):
        real = core.unlearn(case, case.record_ids[group], method="refit").case.scores("explore")
        np.testing.assert_allclose(scores, real, atol=0.004)


def test_more_than_two_classes_are_taken_one_group_after_the_other():
    train, test = make_graded_table(800, 1), make_graded_table(300, 2)
    roles = core.Roles("granted", "granted", "granted", ["sex"], record_id="person")
    case = core.prepare(core.Case(make_pipeline_for(train), train, test, roles))
    group = groups_of(train)[0]
    with attributor_of(case) as attributor:
        found = attributor.group_scores(case, [group], "explore")[0]
    real = core.unlearn(case, case.record_ids[group], method="refit").case.scores("explore")
    np.testing.assert_allclose(found, real, atol=0.01)
