"""Every registered unlearner keeps what it claims, and a bad one is caught."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import core
from core.actions.unlearn import unlearners_of
from core.families.forest.unlearner import Forest
from core.families.logistic.unlearner import Newton
from core.unlearning.base import Removal
from core.unlearning.refit import Refit
from core.verification import ConformanceError, check_unlearner
from tests.conftest import make_graded_table, make_pipeline_for, make_table

TRAIN, TEST = make_table(300, 11), make_table(200, 12)
GRADED = make_graded_table(300, 11), make_graded_table(200, 12)
ROLES = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person")
OF_THREE = ROLES.with_(pos_label="late", favorable_label="late")


def cases() -> dict[str, core.Case]:
    bare = TRAIN.dropna().reset_index(drop=True).assign(weight=lambda table: 1.0 + (table.index % 3))
    numbers = ["age", "debt"]
    models = {
        "pipeline": (make_pipeline_for(TRAIN), TRAIN, ROLES),
        "balanced": (make_pipeline_for(TRAIN, class_weight="balanced"), TRAIN, ROLES),
        "liblinear": (make_pipeline_for(TRAIN, solver="liblinear", tol=1e-14, max_iter=1_000_000), TRAIN, ROLES),
        "no intercept": (make_pipeline_for(TRAIN, fit_intercept=False), TRAIN, ROLES),
        "bare": (
            LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(bare[numbers], bare["granted"]),
            bare,
            ROLES,
        ),
        "weighted": (
            LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(
                bare[numbers], bare["granted"], sample_weight=bare["weight"]
            ),
            bare,
            ROLES.with_(sample_weight="weight"),
        ),
        "forest": (RandomForestClassifier(5, random_state=0).fit(bare[numbers], bare["granted"]), bare, ROLES),
        "tree": (
            DecisionTreeClassifier(max_depth=4, random_state=0).fit(
                bare[numbers], bare["granted"], sample_weight=bare["weight"]
            ),
            bare,
            ROLES.with_(sample_weight="weight"),
        ),
        "forest of all features": (
            RandomForestClassifier(5, max_features=None, criterion="entropy", random_state=0).fit(
                bare[numbers], bare["granted"]
            ),
            bare,
            ROLES,
        ),
        "unpenalised": (
            LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(bare[numbers], bare["granted"]),
            bare,
            ROLES,
        ),
    }
    found = {
        name: core.Case(model, train=train, test=TEST, roles=roles) for name, (model, train, roles) in models.items()
    }
    train, test = GRADED
    model = make_pipeline_for(train, class_weight="balanced")
    found["three classes, balanced"] = core.Case(model, train=train, test=test, roles=OF_THREE)
    bare = train.dropna().reset_index(drop=True)
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(bare[["age", "debt"]], bare["granted"])
    found["three classes, bare"] = core.Case(model, train=bare, test=test, roles=OF_THREE)
    return found


CASES = cases()


SERVED = [(one, name) for name, case in CASES.items() for one in unlearners_of(case) if one.fits(case) is None]


@pytest.mark.parametrize(("unlearner", "name"), SERVED, ids=[f"{one.name} on {name}" for one, name in SERVED])
def test_registered_unlearners_conform(unlearner, name):
    report = check_unlearner(unlearner, CASES[name])
    assert report["passed"].all(), report
    assert len(report) == 8


class DoesNothing(Refit):
    """Claims to forget and keeps the model."""

    name = "nothing"

    def remove(self, case, positions, tolerance):
        removal = super().remove(case, positions, tolerance)
        return replace(removal, case=removal.case.replace(case.model, removal.case.retained))


class ForgetsTooMuch(Refit):
    """Removes one more record than asked."""

    name = "greedy"

    def remove(self, case, positions, tolerance):
        more = np.setdiff1d(np.flatnonzero(case.retained), positions)[:1]
        return super().remove(case, np.append(positions, more), tolerance)


class NudgesAThreshold(Forest):
    """Moves one threshold of one tree so little that no record crosses it."""

    name = "nudger"

    def remove(self, case, positions, tolerance):
        removal = super().remove(case, positions, tolerance)
        model = copy.deepcopy(removal.case.model)
        tree = getattr(model, "estimators_", [model])[-1].tree_
        tree.threshold[0] = np.nextafter(tree.threshold[0], np.inf)
        state = {self.name: self.prepare(removal.case)}
        return replace(removal, case=removal.case.replace(model, removal.case.retained, state))


class TakesAnyFeature(Forest):
    """Splits the right records on features drawn at random, where the best of all is to be taken."""

    name = "careless"

    def remove(self, case, positions, tolerance):
        removal = super().remove(case, positions, tolerance)
        model, rows = copy.deepcopy(removal.case.model), removal.case.retained
        state = self.prepare(removal.case)
        weights_of = state.weights_of_trees(rows)
        for index, tree in enumerate(getattr(model, "estimators_", [model])):
            other = clone(tree).set_params(max_features=1)
            other.fit(case.X_train[rows].to_numpy(), case.train_codes[rows], sample_weight=weights_of(index))
            tree.tree_ = other.tree_
        return replace(removal, case=removal.case.replace(model, rows, {self.name: state}))


class BoastsOfItsBound(Newton):
    """Reports a bound a million times too small."""

    name = "boaster"

    def remove(self, case, positions, tolerance):
        removal: Removal = super().remove(case, positions, max(tolerance, 1e-2))
        return replace(removal, bound=removal.bound * 1e-9)


@pytest.mark.parametrize(
    ("unlearner", "name", "found"),
    [
        (NudgesAThreshold(), "forest", "has threshold"),
        (NudgesAThreshold(), "forest of all features", "has threshold"),
        (TakesAnyFeature(), "forest of all features", "where scikit-learn takes"),
        (TakesAnyFeature(), "tree", "where scikit-learn takes"),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_scikit_learn_itself_looks_at_forests_that_forgot(unlearner, name, found):
    report = check_unlearner(unlearner, CASES[name], raise_on_failure=False)
    check = report.loc["weight 0 equals removal"]
    assert not check["passed"]
    assert found in check["detail"]


@pytest.mark.parametrize(
    ("unlearner", "check"),
    [
        (DoesNothing(), "equals training again"),
        (ForgetsTooMuch(), "exactly the rows"),
        (BoastsOfItsBound(), "equals training again"),
    ],
)
def test_a_bad_unlearner_is_caught(unlearner, check):
    report = check_unlearner(unlearner, CASES["pipeline"], raise_on_failure=False)
    failed = report.index[~report["passed"]]
    assert any(check in name for name in failed)
    with pytest.raises(ConformanceError):
        check_unlearner(unlearner, CASES["pipeline"])
