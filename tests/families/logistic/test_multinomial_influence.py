"""Logistic regression of more than two classes: influence against refits without the record or group, and what builds on it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import spearmanr

import core
from core.attribution.smooth import SmoothMetric, predictors
from core.families.logistic.influence import NewtonInfluence
from core.families.logistic.softmax_effects import reweighted, softmax_effects, softmax_moves
from core.families.logistic.unlearner import Newton
from core.records.self_influence import self_influence
from core.unlearning.refit import fit_again
from tests.conftest import make_graded_table, make_pipeline_for

TRAIN, TEST = make_graded_table(400, 1), make_graded_table(600, 2)
GAP = "equal_opportunity_difference"
METRICS = (GAP, "demographic_parity_ratio", "log_loss", "accuracy", "brier_score_difference")


def case_with(pos_label="granted", **options):
    roles = core.Roles("granted", pos_label, pos_label, ["sex", "age"], record_id="person")
    return core.prepare(core.Case(make_pipeline_for(TRAIN, **options), train=TRAIN, test=TEST, roles=roles, seed=0))


@pytest.fixture(scope="module")
def case():
    return case_with()


def without(case, position):
    retained = case.retained.copy()
    retained[position] = False
    return fit_again(case, retained)[0]


@pytest.mark.parametrize(
    ("pos_label", "options"),
    [("granted", {"fit_intercept": False}), ("late", {"class_weight": "balanced"})],
    ids=["no intercept", "balanced"],
)
def test_ranks_as_true_leave_one_out(pos_label, options):
    case = case_with(pos_label, **options)
    positions = np.random.default_rng(0).choice(len(TRAIN), 20, replace=False)
    table, codes = case.X_test.iloc[case.rows("explore")], case.train_codes
    models = [without(case, position) for position in positions]
    eta = [predictors(model.predict_proba(table)[:, case.pos_column]) for model in models]
    for metric in METRICS:
        smooth = SmoothMetric.of(case, metric, "sex", "explore")
        base = smooth.value(predictors(case.scores("explore")))
        truth = np.array([smooth.value(one) for one in eta]) - base
        effects = core.influence(case, metric).to_numpy()[positions]
        assert spearmanr(effects, truth)[0] >= 0.95
        assert np.polyfit(effects, truth, 1)[0] == pytest.approx(1.0, abs=0.1)
    own = case.X_train.iloc[positions]
    before = case.model.predict_proba(own)[np.arange(len(positions)), codes[positions]]
    after = [model.predict_proba(own[i : i + 1])[0, codes[positions[i]]] for i, model in enumerate(models)]
    rise = np.log(before) - np.log(after)
    assert spearmanr(self_influence(case)[positions], rise)[0] >= 0.99
    assert np.polyfit(self_influence(case)[positions], rise, 1)[0] == pytest.approx(1.0, abs=0.1)


def test_a_row_of_large_leverage_moves_as_without_it():
    case = case_with("late", C=100.0)
    state, rows = Newton().prepare(case), reweighted(Newton().prepare(case))
    curvature = state.curvature()
    spread, u = curvature.A @ curvature.inverse @ curvature.A.T, state.A @ state.w
    direction = np.random.default_rng(0).normal(size=len(u))
    raw, moved = softmax_moves(rows, u, spread)
    along, residuals = softmax_effects(rows, u, spread, spread @ direction)
    P = softmax(raw, axis=1)
    np.testing.assert_allclose(P, case.model.predict_proba(case.X_train), atol=1e-9)
    for row in (3, int(np.argmax(np.abs(moved).max(axis=1)))):
        C = rows.Q.T @ (np.diag(P[row]) - np.outer(P[row], P[row])) @ rows.Q
        J = np.kron(np.eye(2), rows.Z[row])
        step = curvature.A @ np.linalg.solve(
            curvature.H - (J @ curvature.A).T @ C @ (J @ curvature.A), curvature.A.T @ J.T @ residuals[row]
        )
        np.testing.assert_allclose(moved[row], rows.Q @ J @ step, rtol=1e-8)
        assert along[row] == pytest.approx(direction @ step, rel=1e-8)
    assert np.abs(residuals - (P - np.eye(3)[case.train_codes]) @ rows.Q).max() < 1e-12


def test_labels_are_held_against_the_log_odds_of_the_class_scored():
    case = case_with("late")
    found = NewtonInfluence().fitted(case)
    own = case.model.predict_proba(case.X_train)[:, case.pos_column]
    np.testing.assert_allclose(found.predictor, np.log(own / (1.0 - own)), atol=1e-8)
    assert np.array_equal(found.y, case.train_labels == "late")


def test_group_previews_follow_refits(case):
    draw, predicted, true = np.random.default_rng(2), [], []
    options = {"metric": [GAP, "demographic_parity_difference"], "sensitive_feature": ["sex"], "n_resamples": 20}
    for _ in range(12):
        cell = (case.groups("sex", "train").codes == draw.integers(2)) & (case.train_codes == draw.integers(3))
        positions = draw.choice(np.flatnonzero(cell), draw.integers(8, 16), replace=False)
        retained = case.retained.copy()
        retained[positions] = False
        predicted.append(core.preview(case, case.record_ids[positions], **options)["change"])
        refitted = case.replace(fit_again(case, retained)[0], retained)
        true.append(core.compare(case, refitted, **options)["change"])
    for metric in range(2):
        assert np.corrcoef(np.array(predicted)[:, metric], np.array(true)[:, metric])[0, 1] >= 0.95


def test_influence_after_a_removal_is_that_of_the_model_that_is_left(case):
    after = core.unlearn(case, case.record_ids[:30], tolerance=1e-10).case
    again = core.prepare(after.replace(fit_again(case, after.retained)[0], after.retained))
    np.testing.assert_allclose(core.influence(after, GAP), core.influence(again, GAP), rtol=1e-5, atol=1e-9)


def test_reasons_add_up_to_the_centred_log_probability():
    case = case_with("late")
    table = core.reasons(case, case.record_ids[:20])
    logs = np.log(case.model.predict_proba(case.X_train.iloc[:20]))
    assert table.attrs["output"] == "centred log-ratio"
    np.testing.assert_allclose(
        table.sum(axis=1) + table.attrs["base_value"], logs[:, case.pos_column] - logs.mean(axis=1), atol=1e-9
    )
    assert core.mean_reasons(case, n_records=20).index[0] == "debt"
    shifted = make_pipeline_for(TRAIN)
    shifted[-1].coef_, shifted[-1].intercept_ = shifted[-1].coef_ + 0.5, shifted[-1].intercept_ - 2.0
    same = core.reasons(core.Case(shifted, TRAIN, TEST, case.roles), case.record_ids[:20])
    np.testing.assert_allclose(same, table, atol=1e-9)


def test_a_gap_is_explained_and_narrowed(case):
    found = core.explain_gap(case, max_predicates=2, top_k=1)
    forget = found[0].forget
    assert found[0].method == "newton"
    assert found[0].predicted == pytest.approx(found[0].after - found[0].before, abs=0.01)
    assert len(forget) == round(found[0].support * len(TRAIN))
    plan = core.plan_removal(case, target=found.gap / 2, max_utility_drop=0.05, n_random=2, expected=False)
    assert len(plan.forget) < len(forget)
    assert plan.reason.startswith("Gap in people labelled good who are served goes from")


def test_labels_of_other_records_are_suspicious():
    table = TRAIN.copy()
    surest = np.argsort(-case_with().model.predict_proba(table[["sex", "age", "income", "debt", "job"]])[:, 0])[:5]
    table.loc[surest, "granted"] = "late"
    roles = core.Roles("granted", "granted", "granted", ["sex"], record_id="person")
    case = core.Case(make_pipeline_for(table), train=table, test=TEST, roles=roles)
    found = core.suspicious_labels(case, n_folds=3)
    assert set(case.record_ids[surest]) <= set(found.index[:25])
    assert found["self_influence"].notna().all()
