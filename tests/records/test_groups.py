"""Predicted effects of many groups at once against previews and real removals of each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import core
from core.attribution.outcome import Outcome
from core.attribution.smooth import judged_groups, side_weights
from core.errors import InputError, InputTypeError, NotSupportedError
from tests.conftest import ids_of, make_pipeline_for, make_table

TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((600, 41), (500, 42)))
NUMBERS = ["age", "income", "debt"]
ROLES = core.Roles("granted", 1, 1, ["sex", "job"], record_id="person")
GAP = "equal_opportunity_difference"
MODELS = {
    "logistic": LogisticRegression(solver="newton-cholesky", tol=1e-12),
    "forest": RandomForestClassifier(9, random_state=1),
    "boosting": HistGradientBoostingClassifier(max_iter=8, random_state=0, early_stopping=False),
}
GROUPS = [((TRAIN["age"] >= low) & (TRAIN["age"] < low + 12)).to_numpy() for low in range(18, 66, 12)]


def make_case(name: str) -> core.Case:
    model = MODELS[name].fit(TRAIN[NUMBERS], TRAIN["granted"])
    return core.prepare(core.Case(model, train=TRAIN, test=TEST, roles=ROLES, seed=0))


@pytest.mark.parametrize("metric", [GAP, "demographic_parity_ratio", "selection_rate", "roc_auc_difference", "recall"])
def test_outcomes_are_those_of_the_audit(metric):
    case = make_case("logistic").with_threshold(core.AtRate(0.4))
    after = core.unlearn(case, case.record_ids[:100]).case
    both = np.array([case.scores("explore"), after.scores("explore")])
    values = Outcome.of(case, metric, "job", "explore").values(both)
    row = core.compare(case, after, metric=metric, sensitive_feature=["job"], n_resamples=2).iloc[0]
    np.testing.assert_allclose(values, [row["before"], row["after"]], rtol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_changes_are_those_of_the_predicted_scores(name, leaves_first):
    case = make_case(name)
    found = core.group_changes(case, ids_of(case, GROUPS), metric="selection_rate", sensitive_feature="job")
    now = case.decisions("explore").mean()
    for group, change in zip(GROUPS, found, strict=True):
        scores, _ = core.predicted_scores(case, case.record_ids[group])
        assert abs(change - (case.decide(scores).mean() - now)) < 0.05
    assert np.abs(found).max() > 0


def test_removed_rows_are_left_out_and_an_empty_group_changes_nothing():
    case = make_case("logistic")
    after = core.unlearn(case, case.record_ids[GROUPS[0]]).case
    found = core.group_changes(after, ids_of(after, [GROUPS[0], GROUPS[1], GROUPS[0] | GROUPS[1]]), metric=GAP)
    assert found[0] == 0.0
    assert found[1] == found[2] != 0.0


@pytest.mark.parametrize("name", MODELS)
def test_a_group_that_cannot_go_has_no_change(name):
    case = make_case(name)
    found = core.group_changes(case, ids_of(case, [case.y_train, ~case.y_train, GROUPS[0]]), metric="selection_rate")
    assert np.isnan(found).tolist() == [True, True, False]


def test_predicted_scores_of_nothing_are_the_scores():
    case = make_case("logistic")
    scores, notes = core.predicted_scores(case, [])
    np.testing.assert_array_equal(scores, case.scores("explore"))
    assert notes == ()


def test_bad_groups_are_refused():
    case = make_case("logistic")
    with pytest.raises(InputError, match="confirm"):
        core.group_changes(case, ids_of(case, GROUPS), metric=GAP, on="confirm")
    with pytest.raises(InputError, match="confirm"):
        core.predicted_scores(case, [], on="confirm")
    with pytest.raises(InputError, match="mask"):
        core.group_changes(case, [np.ones(3, dtype=bool)], metric=GAP)
    for unknown in ([np.array([0, len(TRAIN)])], [[0.5]], [["p1", "nobody"]]):
        with pytest.raises(InputError, match="Every id must be that of a record of the training table"):
            core.group_changes(case, unknown, metric=GAP)
    for wrong in ([5], ["p1"], [[["p1"]]]):
        with pytest.raises(InputTypeError, match="Ids must be"):
            core.group_changes(case, wrong, metric=GAP)


def test_models_that_nothing_serves_are_refused_with_the_reasons():
    model = DummyClassifier().fit(TRAIN[NUMBERS], TRAIN["granted"])
    case = core.Case(model, train=TRAIN, test=TEST, roles=ROLES, seed=0)
    with pytest.raises(NotSupportedError, match=r"Records can still be removed\."):
        core.group_changes(case, ids_of(case, GROUPS), metric=GAP)


def test_groups_of_a_pipeline_are_predicted_as_they_are_removed():
    table = make_table(800, 43)
    case = core.prepare(core.Case(make_pipeline_for(table), train=table, test=make_table(600, 44), roles=ROLES, seed=0))
    groups = [(table["job"] == job).to_numpy() & case.y_train for job in ("clerk", "cook", "driver")]
    found = core.group_changes(case, ids_of(case, groups), metric="brier_score")
    for group, change in zip(groups, found, strict=True):
        after = core.unlearn(case, case.record_ids[group]).case
        true = core.compare(case, after, metric="brier_score", n_resamples=2)["change"].iloc[0]
        assert change == pytest.approx(true, rel=0.05)


def many_groups(seed: int = 0) -> core.Case:
    """Return a case of five groups: two large ones, one of 6% that fares best, and two of a few people each."""
    draw = np.random.default_rng(seed)
    share = {"a": 0.55, "b": 0.375, "c": 0.06, "d": 0.01, "e": 0.005}
    lift = {"a": -0.8, "b": 0.6, "c": 0.9, "d": 2.5, "e": -2.5}

    def table(rows: int) -> pd.DataFrame:
        group = draw.choice(list(share), rows, p=list(share.values()))
        skill = draw.normal(size=rows)
        label = skill + pd.Series(group).map(lift).to_numpy() + draw.logistic(0, 1, rows) > 0
        return pd.DataFrame({"group": group, "skill": skill, "granted": label.astype(int)})

    train, test = table(3000), table(3000)
    columns = make_column_transformer((OneHotEncoder(), ["group"]), ("passthrough", ["skill"]))
    model = make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-12))
    model.fit(train[["group", "skill"]], train["granted"])
    return core.prepare(core.Case(model, train=train, test=test, roles=core.Roles("granted", 1, 1, ["group"]), seed=0))


@pytest.mark.parametrize("metric", ["demographic_parity_difference", "demographic_parity_ratio"])
def test_removing_the_most_harmful_narrows_the_gap_among_groups_with_evidence(metric):
    case = many_groups()
    judged = judged_groups(case, core.METRICS[metric], "group", "explore")
    assert judged.tolist() == [True, True, True, False, False]
    ranked = core.harmful(core.influence(case, metric))

    def gap(one: core.Case) -> float:
        codes, decided = one.groups("group").codes, one.decisions("explore")
        rates = [decided[codes == group].mean() for group in range(3)]
        return max(rates) - min(rates) if metric.endswith("difference") else 1.0 - min(rates) / max(rates)

    now = gap(case)
    for count, most in ((50, 0.9), (100, 0.8), (200, 0.7)):
        assert gap(core.unlearn(case, ranked[:count]).case) < most * now


def test_groups_are_compared_where_none_has_evidence():
    small = many_groups()
    few = core.Case(small.model, small.train, small.test.head(40), small.roles, seed=0)
    assert judged_groups(few, core.METRICS[GAP], "group", "explore").all()
    assert np.isfinite(core.influence(few, "demographic_parity_difference")).all()


def test_two_groups_are_weighted_as_the_metric_is():
    rates, sizes = np.array([0.3, 0.8]), np.array([400.0, 20.0])
    np.testing.assert_allclose(side_weights(rates, sizes), [-1.0, 1.0])
    np.testing.assert_allclose(side_weights(rates, sizes, ratio=True), [1.0 / 0.8, -0.3 / 0.8**2])
    assert (side_weights(np.array([0.5, 0.5]), sizes) == 0.0).all()
