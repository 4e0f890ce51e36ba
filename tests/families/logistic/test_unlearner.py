"""Newton removal against training the whole pipeline again, and its certificate against the true distance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

import core
from core.errors import InputError, NotSupportedError
from core.families.logistic.oracle import polished
from core.unlearning.linear.objective import coefficients
from core.unlearning.refit import fit_again
from tests.conftest import make_pipeline_for, make_table

TEST = make_table(120, 77)
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")
NUMBERS, WORDS = ["age", "income", "debt"], ["sex", "job"]
TIGHT = {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 500}

MODE, MEAN, MEDIAN = (SimpleImputer(strategy=strategy) for strategy in ("most_frequent", "mean", "median"))
FILL = SimpleImputer(strategy="constant", fill_value="none")
CONSTANT = SimpleImputer(strategy="constant", fill_value=0.5)
ENCODER = OneHotEncoder(handle_unknown="ignore")
FIRST = OneHotEncoder(drop="first", handle_unknown="ignore")
BINARY = OneHotEncoder(drop="if_binary", handle_unknown="ignore")
PREPROCESSING = {
    "mean": (make_pipeline(MEAN, StandardScaler()), make_pipeline(MODE, ENCODER)),
    "median": (make_pipeline(MEDIAN, StandardScaler()), ENCODER),
    "range": (make_pipeline(MEAN, MinMaxScaler()), make_pipeline(FILL, FIRST)),
    "range before": (make_pipeline(MinMaxScaler((-1, 1)), MEDIAN), BINARY),
    "scale before": (make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.5)), ENCODER),
    "mode": (make_pipeline(MODE, StandardScaler(with_std=False)), ENCODER),
}
SETTINGS = [
    {},
    {"class_weight": "balanced"},
    {"fit_intercept": False},
    {"solver": "liblinear", "tol": 1e-12, "max_iter": 100_000},
]


def build(table: pd.DataFrame, preprocessing: str, *, scale_all: bool = False, **options: object) -> core.Case:
    numbers, words = PREPROCESSING[preprocessing]
    columns = make_column_transformer((numbers, NUMBERS), (words, WORDS), sparse_threshold=0)
    steps = [columns, StandardScaler()] if scale_all else [columns]
    model = make_pipeline(*steps, LogisticRegression(**{**TIGHT, **options}))
    return core.Case(model.fit(table[NUMBERS + WORDS], table["granted"]), train=table, test=TEST, roles=ROLES)


def true_distance(case: core.Case, result: core.UnlearnResult) -> float:
    model, _ = fit_again(case, result.case.retained)
    return float(np.linalg.norm(coefficients(result.case.model) - polished(case, result.case.retained, model)))


@pytest.mark.parametrize("preprocessing", PREPROCESSING)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_weight": "balanced"},
        {"fit_intercept": False},
        {"solver": "liblinear", "tol": 1e-12, "max_iter": 100_000},
    ],
    ids=str,
)
@pytest.mark.parametrize("scale_all", [False, True])
def test_whole_pipeline_equals_training_again(preprocessing, options, scale_all):
    case = build(make_table(400, 5), preprocessing, scale_all=scale_all, **options)
    ids = np.random.default_rng(3).choice(case.record_ids, 30, replace=False)
    result = core.unlearn(case, ids, method="newton", tolerance=1e-9)
    model, _ = fit_again(case, result.case.retained)
    expected = polished(case, result.case.retained, model)
    assert np.linalg.norm(coefficients(result.case.model) - expected) <= 1e-7 * np.linalg.norm(expected)
    ours, theirs = (one[:-1].transform(case.X_test) for one in (result.case.model, model))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        result.case.scores("test"), result.case.model.predict_proba(case.X_test)[:, 1], atol=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(30, 200),
    share=st.floats(0.0, 0.5),
    penalty=st.sampled_from([0.01, 1.0, 100.0]),
    preprocessing=st.sampled_from(["mean", "median", "range"]),
    balanced=st.booleans(),
    tolerance=st.sampled_from([1e-1, 1e-4, 1e-8]),
)
def test_bound_is_never_below_the_true_distance(seed, rows, share, penalty, preprocessing, balanced, tolerance):
    table = make_table(rows, seed)
    assume(table["granted"].nunique() == 2)
    case = build(table, preprocessing, C=penalty, class_weight="balanced" if balanced else None)
    draw = np.random.default_rng(seed)
    ids = draw.choice(case.record_ids, max(1, int(share * rows)), replace=False)
    kept = ~case.record_ids.isin(ids)
    assume(len(np.unique(case.y_train[kept])) == 2)
    result = core.unlearn(case, ids, tolerance=tolerance)
    assume(result.method == "newton")
    assert true_distance(case, result) <= result.bound
    assert result.relative_bound == pytest.approx(result.bound / np.linalg.norm(coefficients(result.case.model)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), parts=st.integers(2, 5))
def test_steps_in_any_order_equal_one_removal(seed, parts):
    case = build(make_table(250, seed), "mean")
    ids = np.random.default_rng(seed).choice(case.record_ids, 40, replace=False)
    once = coefficients(core.unlearn(case, ids, tolerance=1e-9).case.model)
    for order in (ids, ids[::-1]):
        step = case
        for part in np.array_split(order, parts):
            step = core.unlearn(step, part, tolerance=1e-9).case
        assert np.linalg.norm(coefficients(step.model) - once) <= 4e-9 * np.linalg.norm(once)


def test_a_hundred_removals_stay_certified(small_case):
    step = small_case
    for index in range(100):
        result = core.unlearn(step, [step.retained_ids[index]])
        step = result.case
    assert result.relative_bound <= 1e-6
    assert true_distance(small_case, result) <= result.bound


def test_nothing_to_forget_changes_nothing(small_case):
    result = core.unlearn(small_case, [])
    assert result.n_forgotten == 0
    assert result.notes == ("No record was named, so the model is the one handed in.",)
    assert np.array_equal(coefficients(result.case.model), coefficients(small_case.model))


def test_a_missing_class_is_refused(small_case):
    with pytest.raises(InputError, match="every record with granted = 1"):
        core.unlearn(small_case, small_case.record_ids[small_case.y_train])
    with pytest.raises(InputError, match="forget all 1,500"):
        core.unlearn(small_case, small_case.record_ids)


def test_tolerance_costs_passes_and_is_reached(small_case):
    ids = small_case.record_ids[:200]
    loose, tight = (core.unlearn(small_case, ids, tolerance=tolerance) for tolerance in (1e-2, 1e-9))
    assert tight.relative_bound <= 1e-9 < loose.relative_bound <= 1e-2


def test_a_vanished_category_is_noted_or_refused():
    table = make_table(300, 8)
    table.loc[:2, "job"] = "pilot"
    test = TEST.copy()
    test.loc[:4, "job"] = "pilot"
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), WORDS)
    )
    model = make_pipeline(columns, LogisticRegression(**TIGHT)).fit(table[NUMBERS + WORDS], table["granted"])
    case = core.Case(model, train=table, test=test, roles=ROLES)
    result = core.unlearn(case, ["p0", "p1", "p2"])
    assert result.method == "newton"
    assert "pilot" in result.notes[0]
    assert coefficients(result.case.model).size == coefficients(case.model).size - 1
    assert true_distance(case, result) <= result.bound
    strict = make_pipeline(
        make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), (OneHotEncoder(), WORDS)),
        LogisticRegression(**TIGHT),
    ).fit(table[NUMBERS + WORDS], table["granted"])
    with pytest.raises(InputError, match="job = 'pilot', which 5 test rows have"):
        core.unlearn(core.Case(strict, train=table, test=test, roles=ROLES), ["p0", "p1", "p2"])


@pytest.mark.parametrize("last", [StandardScaler(), MinMaxScaler(), MEAN, CONSTANT], ids=str)
def test_a_vanished_category_narrows_the_steps_behind_the_encoder(last):
    table = make_table(300, 8)
    table.loc[:2, "job"] = "pilot"
    columns = make_column_transformer((MEDIAN, NUMBERS), (ENCODER, WORDS), sparse_threshold=0)
    model = make_pipeline(columns, last, LogisticRegression(**TIGHT)).fit(table[NUMBERS + WORDS], table["granted"])
    case = core.Case(model, train=table, test=TEST, roles=ROLES)
    result = core.unlearn(case, ["p0", "p1", "p2"], method="newton")
    scores = result.case.model.predict_proba(case.X_test)[:, 1]
    np.testing.assert_allclose(result.case.scores("test"), scores, atol=1e-12)
    assert true_distance(case, result) <= result.bound


def test_an_unconverged_model_is_named_and_can_be_converged():
    table = make_table(600, 9)
    case = core.Case(make_pipeline_for(table, solver="lbfgs", tol=1e-2), train=table, test=TEST, roles=ROLES)
    assert "short of its optimum" in core.unlearn(case, ["p3"]).notes[0]
    converged = core.converge(case)
    assert (converged.method, converged.guarantee, converged.n_forgotten) == ("newton", core.Guarantee.CERTIFIED, 0)
    assert core.unlearn(converged.case, ["p3"]).notes == ()
    model, _ = fit_again(case, case.retained)
    found = coefficients(converged.case.model)
    assert np.allclose(found, polished(case, case.retained, model), atol=1e-9)
    optimum = polished(case, case.retained, converged.case.model)
    assert np.linalg.norm(found - optimum) <= converged.bound <= 1e-8


def test_a_prepared_case_scores_as_its_own_model_until_something_is_removed():
    table = make_table(600, 9)
    case = core.Case(make_pipeline_for(table, solver="lbfgs", tol=1e-2), train=table, test=TEST, roles=ROLES)
    ready = core.prepare(case)
    for on in ("explore", "confirm", "test"):
        assert np.array_equal(ready.scores(on), case.scores(on))
    assert ready.key == case.key
    assert "short of its optimum" in core.unlearn(ready, ["p3"]).notes[0]
    assert not np.allclose(core.converge(ready).case.scores("test"), case.scores("test"), atol=1e-6)


@pytest.mark.parametrize("value", [1e4, 1e6, 1e8, 1e10])
@pytest.mark.parametrize(
    "steps",
    [(StandardScaler(),), (SimpleImputer(), StandardScaler()), (StandardScaler(), SimpleImputer())],
    ids=["scale", "impute and scale", "scale and impute"],
)
def test_a_mistyped_value_leaves_no_trace_in_the_scale(value, steps):
    table = make_table(2000, 6).fillna({"income": 30.0})
    table.loc[3, "income"] = value
    if len(steps) > 1:
        table.loc[7:9, "income"] = np.nan
    model = make_pipeline(*steps, LogisticRegression(**TIGHT)).fit(table[NUMBERS], table["granted"])
    case = core.Case(model, train=table, test=TEST.fillna({"income": 30.0}), roles=ROLES)
    result = core.unlearn(case, ["p3"])
    expected, _ = fit_again(case, result.case.retained)
    ours, theirs = (
        next(step for _, step in model.steps if isinstance(step, StandardScaler)).scale_
        for model in (result.case.model, expected)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    if result.bound is not None:
        assert true_distance(case, result) <= result.bound


def test_columns_in_tiny_units_are_scaled():
    table, test = (one.assign(income=one["income"] * 1e-9) for one in (make_table(400, 6), TEST))
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(**TIGHT))
    case = core.Case(model.fit(table[NUMBERS], table["granted"]), train=table, test=test, roles=ROLES)
    result = core.unlearn(case, ["p3"], method="newton")
    assert true_distance(case, result) <= result.bound


def test_a_class_without_weight_left_is_refused():
    table = make_table(300, 6)
    first = int(np.flatnonzero(table["granted"] == 1)[0])
    table["weight"] = ((table["granted"] == 0) | (table.index == first)).astype(float)
    model = LogisticRegression(class_weight="balanced", **TIGHT)
    model.fit(table[["age", "debt"]], table["granted"], sample_weight=table["weight"])
    case = core.Case(model, train=table, test=TEST, roles=ROLES.with_(sample_weight="weight"))
    with pytest.raises(NotSupportedError, match="no weight left"):
        core.unlearn(case, [f"p{first}"], method="newton")


def test_values_too_large_to_be_squared_go_to_refit():
    table = make_table(300, 6).fillna({"income": 30.0})
    model = LogisticRegression(**TIGHT).fit(table[NUMBERS], table["granted"])
    spoiled = table.assign(income=table["income"].where(table.index > 3, 1e300))
    case = core.Case(model, train=spoiled, test=TEST.fillna({"income": 30.0}), roles=ROLES)
    with pytest.raises(NotSupportedError, match=r"'income' holds values beyond 1e\+100"):
        core.unlearn(case, ["p9"], method="newton")
    for _ in range(2):
        with pytest.raises(NotSupportedError, match="Only a model with one optimum"):
            core.converge(case)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"l1_ratio": 1.0, "solver": "saga", "tol": 1e-4}, "L1"), ({"C": np.inf}, "singular")],
)
def test_what_newton_cannot_do_goes_to_refit_with_the_reason(options, reason):
    table = make_table(200, 4)
    case = core.Case(make_pipeline_for(table, **options), train=table, test=TEST, roles=ROLES)
    result = core.unlearn(case, ["p1"])
    assert result.method == "refit"
    assert any(reason in note for note in result.notes)
    with pytest.raises(NotSupportedError):
        core.unlearn(case, ["p1"], method="newton")


def test_unlearners_are_listed_with_reasons(small_case):
    assert [(option.name, option.fits) for option in core.unlearners_for(small_case)] == [
        ("newton", True),
        ("refit", True),
        ("forest", False),
        ("leaf_refit", False),
    ]
    with pytest.raises(InputError, match="newtn"):
        core.unlearn(small_case, ["p1"], method="newtn")
    with pytest.raises(InputError, match="tolerance"):
        core.unlearn(small_case, ["p1"], tolerance=0.0)
