"""Newton removal with more than two classes against training the whole pipeline again, and its certificate against the true distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.errors import InputError, NotSupportedError
from core.families.logistic.oracle import polished
from core.unlearning.linear import objective
from core.unlearning.linear.objective import coefficients
from core.unlearning.refit import fit_again
from tests.conftest import make_graded_table, make_pipeline_for

TRAIN, TEST = make_graded_table(500, 5), make_graded_table(150, 77)
ROLES = core.Roles("granted", "late", "late", ["sex"], record_id="person")
NUMBERS = ["age", "debt"]
TIGHT = {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 500}
SETTINGS = [
    {},
    {"class_weight": "balanced"},
    {"class_weight": {"late": 3.0}},
    {"fit_intercept": False},
    {"C": 0.01},
]


def build(table=TRAIN, **options):
    return core.Case(make_pipeline_for(table, **{**TIGHT, **options}), train=table, test=TEST, roles=ROLES)


def true_distance(case, result):
    """Return the distance of all classes' coefficients and intercepts, as scikit-learn holds them: summing to 0 over the classes."""
    model, _ = fit_again(case, result.case.retained)
    ours, theirs = result.case.model[-1], model[-1]
    return float(np.hypot(*(np.linalg.norm(a - b) for a, b in zip(held(ours), held(theirs), strict=True))))


def held(estimator):
    return estimator.coef_, estimator.intercept_


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_whole_pipeline_equals_training_again(options):
    case = build(**options)
    ids = np.random.default_rng(3).choice(case.record_ids, 40, replace=False)
    result = core.unlearn(case, ids, method="newton", tolerance=1e-10)
    model, _ = fit_again(case, result.case.retained)
    for ours, theirs in zip(held(result.case.model[-1]), held(model[-1]), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)
    probabilities = result.case.model.predict_proba(case.X_test)
    np.testing.assert_allclose(probabilities, model.predict_proba(case.X_test), rtol=0, atol=1e-8)
    np.testing.assert_allclose(result.case.scores("test"), probabilities[:, case.pos_column], rtol=0, atol=1e-12)
    assert result.guarantee.value == "certified"
    assert result.relative_bound == pytest.approx(result.bound / np.linalg.norm(coefficients(result.case.model)))


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(30, 120),
    share=st.floats(0.0, 0.5),
    penalty=st.sampled_from([0.01, 1.0, 100.0]),
    balanced=st.booleans(),
    tolerance=st.sampled_from([1e-1, 1e-4, 1e-8]),
)
def test_bound_is_never_below_the_true_distance(seed, rows, share, penalty, balanced, tolerance):
    table = make_graded_table(rows, seed)
    assume(table["granted"].nunique() == 3)
    options = {**TIGHT, "C": penalty, "class_weight": "balanced" if balanced else None}
    model = make_pipeline(StandardScaler(), LogisticRegression(**options)).fit(table[NUMBERS], table["granted"])
    case = core.Case(model, train=table, test=TEST, roles=ROLES)
    ids = np.random.default_rng(seed).choice(case.record_ids, max(1, int(share * rows)), replace=False)
    assume(len(np.unique(case.train_codes[~case.record_ids.isin(ids)])) == 3)
    result = core.unlearn(case, ids, tolerance=tolerance)
    assume(result.method == "newton")
    model, _ = fit_again(case, result.case.retained)
    expected = polished(case, result.case.retained, model)
    assert np.linalg.norm(coefficients(result.case.model) - expected) <= result.bound


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"])
@pytest.mark.parametrize("penalty", [1.0, np.inf])
def test_intercepts_are_those_that_every_solver_leaves(solver, penalty):
    table = TRAIN.assign(age=TRAIN["age"] / 60.0, debt=TRAIN["debt"] / 10.0)
    model = LogisticRegression(solver=solver, C=penalty, tol=1e-7, max_iter=20_000, random_state=0)
    model.fit(table[NUMBERS], table["granted"])
    case = core.converge(core.Case(model, train=table, test=TEST, roles=ROLES.with_(record_id="person"))).case
    assert abs(model.intercept_.sum()) <= 1e-8
    for ours, theirs in zip(held(case.model), held(model), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)
        assert np.abs(ours.sum(axis=0)).max() <= 1e-12
    assert core.unlearn(case, ["p3", "p4"]).method == "newton"


def test_a_common_shift_of_the_intercepts_is_not_a_distance():
    case = build()
    moved = make_pipeline_for(TRAIN, **TIGHT)
    moved[-1].intercept_ = moved[-1].intercept_ + 5.0
    other = core.Case(moved, train=TRAIN, test=TEST, roles=ROLES)
    one, two = (core.unlearn(each, ["p3"], tolerance=1e-9) for each in (case, other))
    np.testing.assert_allclose(held(two.case.model[-1])[1], held(one.case.model[-1])[1], rtol=0, atol=1e-9)
    assert two.notes == ()


def test_weights_follow_the_records():
    table = TRAIN.assign(weight=0.5 + np.arange(len(TRAIN)) % 3).dropna().reset_index(drop=True)
    model = LogisticRegression(**TIGHT).fit(table[NUMBERS], table["granted"], sample_weight=table["weight"])
    case = core.Case(model, train=table, test=TEST, roles=ROLES.with_(sample_weight="weight"))
    result = core.unlearn(case, case.record_ids[10:60], tolerance=1e-9)
    expected = polished(case, result.case.retained, fit_again(case, result.case.retained)[0])
    assert np.linalg.norm(coefficients(result.case.model) - expected) <= result.bound


@pytest.mark.parametrize("options", [{}, {"class_weight": "balanced"}], ids=str)
def test_edits_equal_training_on_the_other_labels(options):
    case = build(**options)
    relabel = {
        name: "refused" if label == "late" else "late"
        for name, label in zip(case.record_ids[:9], case.train_labels[:9], strict=True)
    }
    result = core.edit(case, relabel, reweight={"p20": 4.0, "p21": 0.5}, method="newton")
    expected = polished(result.case, case.retained, fit_again(result.case, case.retained)[0])
    assert np.linalg.norm(coefficients(result.case.model) - expected) <= result.bound
    assert result.relative_bound <= 1e-6


def test_steps_in_any_order_equal_one_removal():
    case = build(class_weight="balanced")
    ids = np.random.default_rng(1).choice(case.record_ids, 60, replace=False)
    once = coefficients(core.unlearn(case, ids, tolerance=1e-9).case.model)
    for order in (ids, ids[::-1]):
        step = case
        for part in np.array_split(order, 4):
            step = core.unlearn(step, part, tolerance=1e-9).case
        assert np.linalg.norm(coefficients(step.model) - once) <= 4e-9 * np.linalg.norm(once)


def test_the_last_record_of_a_class_must_stay():
    case = build()
    with pytest.raises(InputError, match="every record with granted = 'refused'"):
        core.unlearn(case, case.record_ids[case.train_codes == 2])


def test_a_vanished_category_narrows_every_class():
    table = TRAIN.copy()
    table.loc[:2, "job"] = "pilot"
    case = build(table)
    result = core.unlearn(case, ["p0", "p1", "p2"])
    assert (result.method, result.case.model[-1].coef_.shape[1]) == ("newton", case.model[-1].coef_.shape[1] - 1)
    assert true_distance(case, result) <= result.bound + 1e-9


def test_too_large_a_hessian_goes_to_refit_with_the_reason(monkeypatch):
    case = build(class_weight="balanced")
    coef = case.model[-1].coef_.shape[1] + 1
    monkeypatch.setattr(objective, "MOST_ENTRIES", 3 * (2 * coef) ** 2 - 1)
    result = core.unlearn(case, ["p1"])
    said = f"Hessian of 3 classes with {coef} coefficients each has {3 * (2 * coef) ** 2:,} entries"
    assert result.method == "refit"
    assert said in result.notes[0]
    assert "rest cannot be checked: the Hessian of 3 classes" in core.check_provenance(case).evidence
    with pytest.raises(NotSupportedError, match=rf"^No attribution method fits this model: the {said}[^;]*removed\.$"):
        core.influence(case, "log_loss")
    monkeypatch.setattr(objective, "MOST_ENTRIES", 3 * (2 * coef) ** 2)
    assert core.unlearn(case, ["p1"]).method == "newton"


def test_classes_fitted_one_against_the_rest_are_refused():
    model = make_pipeline_for(TRAIN, **TIGHT)
    model[-1].multi_class = "ovr"
    case = core.Case(model, train=TRAIN, test=TEST, roles=ROLES)
    with pytest.raises(NotSupportedError, match="one against the rest"):
        core.unlearn(case, ["p1"], method="newton")
