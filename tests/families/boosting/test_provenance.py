"""Provenance of boosting: leaves recomputed from the rows, against tables that were changed in known ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.families.boosting.unlearner import LeafRefit
from tests.families.boosting.test_unlearner import COMPLETE, MODELS, NUMBERS, ROLES, TEST, make_case

PLAIN = [("hist", "plain"), ("classic", "plain")]
STOPPED = [("hist", "stopped"), ("classic", "stopped")]
DRAWN = [("classic", "drawn rows"), ("classic", "drawn rows, stopped")]


@pytest.mark.parametrize("name", [*PLAIN, *STOPPED, *DRAWN, ("hist", "balanced"), ("hist", "monotonic")], ids="-".join)
def test_the_rows_it_was_trained_on_are_verified(name):
    found = core.check_provenance(make_case(*MODELS[name], weighted=True))
    assert found.status == "verified", found.evidence
    assert ("90 rows held out" in found.evidence) == (name in (*STOPPED, DRAWN[1]))


def with_table(case, train):
    return core.Case(case.model, train=train, test=TEST, roles=case.roles)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda table: table.assign(granted=table["granted"].where(table.index != 17, 1 - table["granted"])), "value"),
        (lambda table: table.iloc[1:].reset_index(drop=True), "rows where these give"),
        (lambda table: pd.concat([table, table.iloc[:1].assign(person="new")], ignore_index=True), "rows where these"),
        (lambda table: table.assign(age=table["age"].where(table.index != 3, 90 - table["age"])), "rows where these"),
    ],
    ids=["one flipped label", "one row less", "one row more", "one changed cell"],
)
@pytest.mark.parametrize("name", [*PLAIN, DRAWN[0]], ids="-".join)
def test_one_changed_row_is_a_mismatch(name, spoil, what):
    case = make_case(*MODELS[name])
    found = core.check_provenance(with_table(case, spoil(case.train)))
    assert found.status == "mismatch"
    assert what in found.evidence


def test_the_first_tree_that_differs_is_named_and_the_others_counted():
    case = make_case(*MODELS["hist", "plain"])
    case.model._predictors[4][0].nodes["value"] *= np.where(case.model._predictors[4][0].nodes["is_leaf"] == 1, 1.01, 1)
    found = core.check_provenance(case)
    assert found.status == "mismatch"
    assert "29 of 30 trees match" in found.evidence
    assert "tree 4 differs first" in found.evidence


def test_other_weights_are_a_mismatch():
    case = make_case(*MODELS["classic", "plain"], weighted=False)
    other = core.Case(case.model, train=case.train, test=TEST, roles=case.roles.with_(sample_weight="weight"))
    assert core.check_provenance(other).status == "mismatch"


@pytest.mark.parametrize("name", [*STOPPED, *DRAWN], ids="-".join)
def test_after_removals_the_retained_rows_are_the_ones(name):
    case = make_case(*MODELS[name])
    done = core.unlearn(case, case.record_ids[:60], method="leaf_refit").case
    assert core.check_provenance(done).status == "verified"
    alone = with_table(done, done.train[done.retained].reset_index(drop=True))
    found = core.check_provenance(alone)
    assert found.status == "unverifiable"
    assert "can no longer be" in found.evidence
    assert core.check_provenance(core.refit(done).case).status == "verified"


def test_what_cannot_be_recomputed_is_unverifiable_with_the_reason():
    case = make_case(GradientBoostingClassifier, {"n_estimators": 3, "subsample": 0.5, "random_state": None})
    found = core.check_provenance(case)
    assert found.status == "unverifiable"
    assert "subsample" in found.evidence


def test_the_steps_before_it_come_first():
    model = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=5))
    model.fit(COMPLETE[NUMBERS], COMPLETE["granted"])
    roles = ROLES.with_(features=tuple(NUMBERS))
    case = core.Case(model, train=COMPLETE, test=TEST, roles=roles)
    found = core.check_provenance(case)
    assert found.status == "verified"
    assert found.evidence.startswith("The preprocessing equals what these rows give; these rows")
    fewer = core.Case(model, train=COMPLETE.iloc[5:], test=TEST, roles=roles)
    assert "preprocessing was not fitted" in core.check_provenance(fewer).evidence
    assert LeafRefit().fits(case) is None
