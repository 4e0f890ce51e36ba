"""Leaves refitted under monotonic constraints, and where stages draw some of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

import core
from core.families.boosting.unlearner import LeafRefit
from core.records.self_influence import self_influence
from tests.families.boosting.test_unlearner import COMPLETE, MODELS, ROLES, TEST, assert_same_numbers, make_case


def test_predictions_keep_the_order_that_constraints_ask_for_after_a_removal():
    case = core.prepare(make_case(*MODELS["hist", "monotonic"]), method="leaf_refit")
    against = case.y_train & (case.train["age"] > 40).to_numpy() | ~case.y_train & (case.train["age"] < 35).to_numpy()
    done = LeafRefit().remove(case, np.flatnonzero(against)[:400], 1e-6).case
    ages = np.arange(18, 80, dtype=float)
    for row in range(6):
        grid = case.X_train.iloc[np.full(len(ages), row)].assign(age=ages)
        scores = done.model.decision_function(grid)
        assert (np.diff(scores) >= -1e-12).all()
    free = core.Case(
        HistGradientBoostingClassifier(max_iter=15, l2_regularization=1.0).fit(
            case.X_train[done.retained], case.train_labels[done.retained]
        ),
        train=case.train[done.retained],
        test=TEST,
        roles=case.roles,
    )
    assert (np.diff(free.model.decision_function(grid)) < 0).any()
    leaves = LeafRefit().prepare(case).leaves(case, done.retained)
    np.testing.assert_allclose(done.model.decision_function(case.X_train)[done.retained], leaves.raw[done.retained, 0])


@pytest.mark.parametrize("constraints", [[1, 0, -1], {"debt": -1, "income": 1}])
def test_constraints_are_those_of_the_features_as_the_trees_see_them(constraints):
    train = COMPLETE.assign(age=(COMPLETE["age"] // 20).astype(float))
    columns = ["income", "age", "debt"]
    model = HistGradientBoostingClassifier(max_iter=6, monotonic_cst=constraints, categorical_features=[1])
    model.fit(train[columns], train["granted"])
    case = core.prepare(
        core.Case(model, train=train, test=TEST, roles=ROLES.with_(features=tuple(columns))), method="leaf_refit"
    )
    state = LeafRefit().prepare(case)
    again = state.booster.with_leaves(state.forest, state.leaves(case, case.retained))
    assert_same_numbers(again, case)
    assert np.unique(state.forest.signs).tolist() == [-1, 0, 1]


@pytest.mark.parametrize("stopped", [False, True])
def test_drawn_rows_are_those_that_scikit_learn_drew(stopped):
    options = {"n_estimators": 15, "subsample": 0.4, "max_depth": 6, "random_state": 3}
    case = make_case(GradientBoostingClassifier, options | ({"n_iter_no_change": 2} if stopped else {}))
    state = LeafRefit().prepare(case)
    counts = state.leaves(case, case.retained).sums[:, 0]
    np.testing.assert_array_equal(counts, state.forest.count)
    for stage, nodes in enumerate(state.rows.nodes):
        assert state.rows.given(stage).sum() == int(0.4 * state.rows.fitted.sum())
        assert state.rows.given(stage)[~state.rows.fitted].sum() == 0
        assert np.bincount(nodes[state.rows.given(stage)]).max() < 0.4 * len(case.retained)


def test_self_influence_leaves_out_values_that_a_constraint_sets():
    case = core.prepare(make_case(*MODELS["hist", "monotonic"]), method="leaf_refit")
    own, rows = self_influence(case), np.arange(0, 900, 12)
    rise = []
    for row in rows:
        done = LeafRefit().remove(case, np.array([row]), 1e-6).case
        p, q = (one.model.predict_proba(case.X_train.iloc[[row]])[0, case.train_codes[row]] for one in (case, done))
        rise.append(np.log(p) - np.log(q))
    assert np.corrcoef(own[rows], rise)[0, 1] > 0.98


def test_rows_in_no_sample_follow_leaves_that_lost_all_records_drawn():
    case = make_case(
        GradientBoostingClassifier, {"n_estimators": 15, "subsample": 0.4, "max_depth": 7, "random_state": 3}
    )
    case = core.prepare(case, method="leaf_refit")
    done = LeafRefit().remove(case, np.arange(400), 1e-6).case
    state = LeafRefit().prepare(case)
    leaves = state.leaves(case, done.retained)
    assert (leaves.sums[state.forest.leaves, 0] == 0).any()
    np.testing.assert_allclose(done.model.decision_function(case.X_train)[done.retained], leaves.raw[done.retained, 0])
    for name in ("train_score_", "oob_scores_", "oob_improvement_"):
        assert np.isnan(getattr(done.model, name)).all()
        assert np.isfinite(getattr(case.model, name)).all()
    assert np.isnan(done.model.oob_score_)
