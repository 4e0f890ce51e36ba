"""fairlearn's mitigators on a case, against fairlearn used by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.reductions import ExponentiatedGradient, TruePositiveRateParity
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

import core
from core.metrics.audit import audit_arrays
from core.metrics.catalog import metric_of
from core.metrics.intervals import wilson
from core.metrics.samples import Sample
from core.mitigation import METHODS

PARITY = "demographic_parity_difference"
OPPORTUNITY = "equal_opportunity_difference"
FEATURES = ["income", "debt"]


def table(rows: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    made = pd.DataFrame({"sex": draw.choice(["f", "m"], rows), "age": draw.integers(18, 80, rows)})
    made["income"] = draw.normal(size=rows) + 1.2 * (made.sex == "m")
    made["debt"] = draw.normal(size=rows)
    made["weight"] = draw.uniform(0.5, 2.0, rows)
    made["granted"] = (made.income - made.debt + draw.logistic(size=rows) > 0.3).astype(int)
    return made


SOLVER = {"solver": "newton-cholesky", "tol": 1e-10}
TRAIN, TEST = table(400, 1), table(500, 2)


def lending(model: Any = None, train: pd.DataFrame = TRAIN, **roles: Any) -> core.Case:
    made = (model or LogisticRegression(**SOLVER)).fit(train[FEATURES], train["granted"])
    wanted = {"target": "granted", "pos_label": 1, "favorable_label": 1, "sensitive_features": ["sex", "age"], **roles}
    return core.Case(made, train, TEST, core.Roles(**wanted))


@pytest.fixture(scope="module")
def case() -> core.Case:
    return lending()


@pytest.mark.parametrize(
    ("metric", "constraint"),
    [
        (PARITY, "demographic_parity"),
        (OPPORTUNITY, "true_positive_rate_parity"),
        ("false_positive_rate_ratio", "false_positive_rate_parity"),
        ("equalized_odds_difference", "equalized_odds"),
    ],
)
def test_thresholds_close_the_gap_they_are_chosen_for(case: core.Case, metric: str, constraint: str) -> None:
    found = core.mitigate(case, "threshold_optimizer", metric=metric, on="test")
    before = core.audit(case, metric, on="test", sensitive_feature=["sex"]).gaps.loc[(metric, "sex"), "value"]
    point = found.points.loc[0]
    assert found.constraint == constraint
    assert abs(point["fairness"] - (metric.endswith("ratio"))) < 0.7 * abs(before - metric.endswith("ratio"))
    assert point["fairness_low"] <= point["fairness_change"] <= point["fairness_high"]


def test_expected_decisions_are_those_of_fairlearn(case: core.Case) -> None:
    found = core.mitigate(case, "threshold_optimizer", metric="equalized_odds_difference")
    rows, groups = case.rows("explore"), case.groups("sex")
    names = np.array(groups.names, dtype=object)[groups.codes]
    pmf = found.models[0]._pmf_predict(case.X_test.iloc[rows], sensitive_features=names)[:, 1]
    np.testing.assert_allclose(found.decisions[0], pmf, atol=1e-12)
    assert np.count_nonzero((pmf > 0.01) & (pmf < 0.99)) > 10
    shares = [found.decisions[0][groups.codes == code].mean() for code in range(2)]
    again = core.mitigate(case, "threshold_optimizer", metric=PARITY).decisions[0]
    assert found.points.loc[0, "utility"] == pytest.approx(np.where(case.y("explore"), pmf, 1 - pmf).mean())
    assert abs(shares[0] - shares[1]) > abs(np.diff([again[groups.codes == code].mean() for code in range(2)])[0])


def test_the_exponentiated_gradient_is_fairlearns(case: core.Case) -> None:
    found = core.mitigate(case, "exponentiated_gradient", metric=OPPORTUNITY, max_iter=4)
    by_hand = ExponentiatedGradient(
        LogisticRegression(**SOLVER), TruePositiveRateParity(difference_bound=0.01), eps=0.01, max_iter=4
    ).fit(TRAIN[FEATURES], TRAIN["granted"], sensitive_features=TRAIN["sex"])
    pmf = by_hand._pmf_predict(case.X_test.iloc[case.rows("explore")])[:, 1]
    np.testing.assert_allclose(found.decisions[0], pmf, atol=1e-9)
    assert found.points.loc[0, "fairness_change"] < -0.05
    assert found.complete


@pytest.mark.parametrize("method", ["exponentiated_gradient", "grid_search"])
def test_whole_weights_are_rows_that_stand_there_more_than_once(method: str) -> None:
    counts = 1 + np.arange(len(TRAIN)) % 3
    weighted = lending(train=TRAIN.assign(weight=counts), sample_weight="weight")
    repeated = lending(train=TRAIN.loc[TRAIN.index.repeat(counts)].reset_index(drop=True))
    one, other, plain = (
        core.mitigate(each, method, metric=OPPORTUNITY, max_iter=3, grid_size=5, on="test")
        for each in (weighted, repeated, lending())
    )
    for ours, theirs in zip(one.decisions, other.decisions, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
    assert not np.array_equal(one.decisions[0], plain.decisions[0])
    assert any("as many times as its weight" in note for note in one.notes)


def test_a_grid_gives_a_point_per_model_and_its_frontier(case: core.Case) -> None:
    found = core.mitigate(case, "grid_search", metric=PARITY, grid_size=7, grid_limit=2.0)
    assert len(found.points) == len(found.models) == len(found.decisions) >= 7
    assert found.points["chosen"].sum() == 1
    assert found.points.loc[found.points["chosen"], "frontier"].all()
    assert 0 < found.points["frontier"].sum() < len(found.points)
    assert found.points["fairness"].min() < 0.5 * found.points["fairness"].max()


def test_no_correlation_with_the_groups_is_left(case: core.Case) -> None:
    found = core.mitigate(case, "correlation_remover", metric="roc_auc_difference", sensitive_feature=("sex", "age"))
    _, remover, _ = found.models[0]
    groups = case.groups(("sex", "age"), "train").codes
    indicators = (groups[:, None] == np.unique(groups)[1:]).astype(float)
    names = np.array(case.groups(("sex", "age"), "train").names, dtype=object)[groups]
    ordered = (names[:, None] == np.unique(names)[1:]).astype(float)
    left = remover.transform(np.column_stack([ordered, TRAIN[FEATURES]]))
    assert np.abs(np.corrcoef(np.column_stack([indicators, left]).T)[:-2, -2:]).max() < 1e-10
    assert found.serves
    assert np.isfinite(found.points.loc[0, "fairness"])


@pytest.mark.parametrize("method", ["threshold_optimizer", "exponentiated_gradient", "correlation_remover"])
def test_what_is_favourable_decides_and_not_what_is_called_1(method: str) -> None:
    train, test = (part.assign(refused=np.where(part.granted == 1, "no", "yes")) for part in (TRAIN, TEST))
    model = LogisticRegression(class_weight={"no": 1.0, "yes": 1.3}, **SOLVER).fit(train[FEATURES], train["refused"])
    fraud = core.Case(model, train, test, core.Roles("refused", "yes", "no", ["sex", "age"]))
    plain = lending(LogisticRegression(class_weight={0: 1.3, 1: 1.0}, **SOLVER))
    one, other = (core.mitigate(case, method, metric=OPPORTUNITY, max_iter=2, on="test") for case in (fraud, plain))
    np.testing.assert_allclose(one.decisions[0], other.decisions[0], atol=1e-6)
    assert one.points.loc[0, "fairness"] == pytest.approx(other.points.loc[0, "fairness"], abs=1e-6)


def test_only_retained_records_are_trained_on(case: core.Case) -> None:
    fewer = core.unlearn(case, np.flatnonzero(TRAIN.sex == "m")[:60]).case
    kept = TRAIN[fewer.retained].reset_index(drop=True)
    fresh = core.Case(fewer.model, kept, TEST, case.roles)
    one, other = (core.mitigate(each, "threshold_optimizer", metric=PARITY, on="test") for each in (fewer, fresh))
    np.testing.assert_allclose(one.decisions[0], other.decisions[0])


@pytest.mark.parametrize(
    ("method", "made", "settings", "reason"),
    [
        ("exponentiated_gradient", {"model": KNeighborsClassifier()}, {}, "takes no sample_weight"),
        ("grid_search", {"sample_weight": "weight"}, {}, "whole numbers are served by repeating rows"),
        ("grid_search", {}, {"sensitive_feature": ("sex", "age")}, "7 multipliers"),
        ("threshold_optimizer", {}, {"metric": "precision_difference"}, "matches precision_difference"),
        ("threshold_optimizer", {}, {"metric": "recall_score_group_min"}, "matches recall_score_group_min"),
        ("threshold_optimizer", {}, {"utility": "roc_auc"}, "roc_auc needs scores"),
        ("threshold_optimizer", {"train": TRAIN[TRAIN.sex == "m"].reset_index(drop=True)}, {}, "belongs to 'f'"),
        (
            "threshold_optimizer",
            {"train": TRAIN[(TRAIN.sex == "m") | (TRAIN.granted == 1)].reset_index(drop=True)},
            {},
            "records of 'f' all have the same label",
        ),
    ],
)
def test_what_does_not_serve_says_why(method: str, made: Any, settings: Any, reason: str) -> None:
    found = core.mitigate(lending(**made), method, **settings)
    assert reason in found.reason
    assert not found.serves
    assert found.points.empty


def test_all_of_them_run_with_intersections_and_can_be_cancelled(case: core.Case) -> None:
    seen: list[str] = []

    def stop(share: float, what: str) -> None:
        seen.append(what)
        assert 0.0 <= share <= 1.0
        if "Training model 3" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.mitigations(case, metric=PARITY, sensitive_feature=("sex", "age"), progress=stop)
    assert seen[-1] == "exponentiated_gradient: Training model 3"
    found = core.mitigations(case.with_threshold(0.4), metric=PARITY, max_iter=2, grid_size=3)
    assert [one.method for one in found] == list(METHODS)
    assert all(one.serves for one in found)
    assert ["not kept" in " ".join(one.notes) for one in found] == [True, True, True, False]


def counting(seen: list[str]) -> Any:
    return lambda _, what: seen.append(what)


@pytest.mark.parametrize(("metric", "stuck"), [(OPPORTUNITY, True), (PARITY, False)])
def test_a_model_without_errors_is_trained_once_where_only_errors_count(metric: str, stuck: bool) -> None:
    seen: list[str] = []
    case = lending(DecisionTreeClassifier(random_state=0))
    found = core.mitigate(case, "exponentiated_gradient", metric=metric, max_models=3, progress=counting(seen))
    assert (len([what for what in seen if "Training" in what]), found.complete) == ((1, True) if stuck else (3, False))
    assert any("gives every training row its own label" in note for note in found.notes) is stuck


def test_a_spent_budget_ends_in_the_best_mixture_of_what_was_trained(case: core.Case) -> None:
    seen: list[str] = []
    short = core.mitigate(
        case, "exponentiated_gradient", metric=PARITY, max_iter=8, max_models=6, progress=counting(seen)
    )
    assert [what for what in seen if "Training" in what] == [f"Training model {number}" for number in range(1, 7)]
    assert not short.complete
    assert "The budget of 60 s or 6 models was spent: this is the best mixture" in " ".join(short.notes)
    assert "max_iter" not in " ".join(short.notes)
    assert repr(short).splitlines()[0].endswith("; budget spent")
    fitted = short.models[0]
    said = np.array([np.asarray(one.predict(TRAIN[FEATURES])) for one in fitted.predictors_])
    rates = np.array([[one[TRAIN.sex == sex].mean() for sex in ("f", "m")] for one in said])
    errors = (said != TRAIN.granted.to_numpy()).mean(axis=1)
    beyond = np.abs(rates - said.mean(axis=1, keepdims=True)).max(axis=1)
    weights = fitted.weights_.to_numpy()
    cost = weights @ errors + 100 * max(0.0, np.abs(weights @ (rates - said.mean(axis=1, keepdims=True))).max() - 0.01)
    assert cost < (errors + 100 * np.maximum(0.0, beyond - 0.01)).min() + 1e-6
    assert short.points.loc[0, "fairness_change"] < -0.05


def test_the_first_model_is_trained_whatever_the_time_and_mixing_can_be_cancelled(case: core.Case) -> None:
    seen: list[str] = []
    found = core.mitigate(case, "exponentiated_gradient", metric=OPPORTUNITY, seconds=1e-9, progress=counting(seen))
    assert found.serves
    assert [what for what in seen if "Training" in what] == ["Training model 1"]
    np.testing.assert_array_equal(found.decisions[0], case.favorable(case.decisions("explore")))

    def stop(share: float, what: str) -> None:
        if "Mixing" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.mitigate(case, "exponentiated_gradient", metric=OPPORTUNITY, max_models=1, progress=stop)


def test_a_grid_that_is_cut_short_gives_each_model_once(case: core.Case) -> None:
    whole = core.mitigate(case, "grid_search", metric=PARITY, grid_size=7, grid_limit=2.0)
    short = core.mitigate(case, "grid_search", metric=PARITY, grid_size=7, grid_limit=2.0, max_models=4)
    assert len(short.points) == len(short.decisions) == 4 < len(whole.points)
    for one, other in zip(short.decisions, whole.decisions, strict=False):
        np.testing.assert_array_equal(one, other)
    assert short.points["chosen"].sum() == 1
    assert any("after 4 of 7 models of the grid" in note for note in short.notes)
    assert not short.complete


@pytest.mark.parametrize("method", METHODS)
def test_of_three_classes_the_favourable_one_stands_against_the_others(method: str) -> None:
    train, test = (
        part.assign(outcome=np.where(part.granted == 1, "yes", np.where(part.debt > 0, "later", "no")))
        for part in (TRAIN, TEST)
    )
    model = LogisticRegression(**SOLVER | {"solver": "newton-cg"}).fit(train[FEATURES], train["outcome"])
    found = core.mitigate(
        core.Case(model, train, test, core.Roles("outcome", "yes", "yes", ["sex"])),
        method,
        metric=PARITY,
        max_iter=3,
        grid_size=7,
    )
    assert found.serves, found.reason
    best = found.points.loc[found.points["chosen"]].iloc[0]
    assert best["fairness_change"] < -0.05
    assert best["utility"] > 0.55


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seconds": 0}, "more than 0 seconds"),
        ({"seconds": "a"}, "`seconds` must be a finite number"),
        ({"max_models": 0}, "whole number of at least 1"),
        ({"max_models": True}, "whole number of at least 1"),
    ],
)
def test_budgets_that_cannot_be_are_refused(case: core.Case, settings: Any, sentence: str) -> None:
    with pytest.raises(core.RedressError, match=sentence):
        core.mitigate(case, "grid_search", **settings)


def test_unknown_names_are_refused(case: core.Case) -> None:
    with pytest.raises(core.RedressError, match="Did you mean 'grid_search'"):
        core.mitigate(case, "gridsearch")
    with pytest.raises(core.RedressError, match="must compare groups"):
        core.mitigate(case, "grid_search", metric="accuracy")
    with pytest.raises(core.RedressError, match="over all records"):
        core.mitigate(case, "grid_search", utility="accuracy_score_difference")


def test_a_points_own_interval_is_that_of_an_audit_of_its_decisions(case: core.Case) -> None:
    found = core.mitigate(
        case, "threshold_optimizer", metric="equalized_odds_difference", sensitive_feature=("sex", "age")
    )
    point, label = found.points.loc[0], case.favorable(case.y("explore"))
    metric, groups = metric_of("equalized_odds_difference"), [case.groups(("sex", "age"))]
    gap = audit_arrays(Sample(label, found.decisions[0]), groups, [metric]).gaps.iloc[0]
    assert (gap["low"], gap["high"]) == (point["fairness_value_low"], point["fairness_value_high"])
    assert 0.0 <= point["fairness_value_low"] <= point["fairness"] <= point["fairness_value_high"] <= 1.0
    low, high = wilson(np.array([point["utility"]]), np.array([float(len(label))]), 0.95)
    assert (point["utility_value_low"], point["utility_value_high"]) == pytest.approx((low[0], high[0]))
