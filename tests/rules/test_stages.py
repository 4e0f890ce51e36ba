"""Each stage of explaining a gap alone: tracing, searching, scoring, looking closely, measuring."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import core
from core.rules.asked import Asked, StoppedError, reporting
from core.rules.conditions import Condition, Held
from core.rules.evidence import Evidence
from core.rules.gap import Gap, gap_to_explain
from core.rules.lattice import HELPFUL
from core.rules.measuring import measure_rules
from core.rules.models import Models, Traced, trace_gap
from core.rules.rule import Rule
from core.rules.scoring import Scored, look_closely, score_rules
from core.rules.search import search_rules
from core.rules.tracing import Trace

GAP = "equal_opportunity_difference"
FEATURES = ["sex", "branch", "income"]
ASKED = Asked(2, 0.005, 0.3, 5, None, 5, 0.05, 0.05, 60.0, 0)
WOMEN, NORTH, RICH = Condition("sex", equals=0), Condition("branch", equals=2), Condition("income", low=0.8)
PLANTED, OTHERS, APART = (WOMEN, NORTH), (Condition("sex", equals=1), NORTH), (RICH,)


def quiet(_: float, __: str) -> None:
    return


def made_case(model: object, rows: int = 1200) -> core.Case:
    """Return a case in which women of branch 2 were refused in training whatever they earn."""
    draw = np.random.default_rng(4)
    table = pd.DataFrame({"sex": draw.integers(0, 2, 2 * rows), "branch": draw.integers(0, 4, 2 * rows)})
    table["income"] = draw.normal(size=2 * rows).round(3)
    table["granted"] = (table.income + draw.logistic(size=2 * rows) / 3 > 0).astype(int)
    train, test = table[:rows].copy(), table[rows:].reset_index(drop=True)
    train.loc[(train.sex == 0) & (train.branch == 2), "granted"] = 0
    roles = core.Roles("granted", 1, 1, ["sex"], features=FEATURES)
    return core.Case(model.fit(train[FEATURES], train.granted), train, test, roles, seed=0)


@pytest.fixture(scope="module")
def case() -> core.Case:
    return core.prepare(made_case(LogisticRegression(C=10.0, solver="newton-cholesky")))


@pytest.fixture(scope="module")
def gap(case: core.Case) -> Gap:
    return gap_to_explain(case, GAP, "sex", "explore", q=0.05, seed=0)


@pytest.fixture(scope="module")
def traced(case: core.Case, gap: Gap) -> Traced:
    return trace_gap(case, gap, 0, quiet)


def rule_where(traced: Traced, *conditions: Condition, cause: int = 0) -> Rule:
    case = traced.models.case
    return Rule.of(conditions, Held(case.train[case.retained]).by_all(conditions), traced.evidence, cause)


def ids_of(case: core.Case, rule: Rule) -> pd.Index:
    return case.record_ids[np.flatnonzero(case.retained)[rule.rows]]


def stops_at(word: str):
    said: list[str] = []
    return reporting(lambda _, what: said.append(what), lambda: said[-1].startswith(word))


def test_results_of_stages_are_frozen(traced):
    for result, name in ((traced, "evidence"), (traced.models, "case"), (Scored(traced.models, ()), "rules")):
        with pytest.raises(FrozenInstanceError):
            setattr(result, name, None)


def test_a_gap_is_told_with_the_groups_it_lies_between(case, gap):
    rates = core.audit(case, [GAP], on="explore").by_group["true_positive_rate"].to_numpy()
    assert gap.value == pytest.approx(abs(rates[1] - rates[0]))
    assert (gap.metric, gap.feature, gap.extremes.worse) == (GAP, "sex", int(np.argmin(rates)))


def test_tracing_finds_the_records_that_pull_the_worse_off_down(case, gap, traced):
    refused = case.train.eval("sex == 0 and branch == 2").to_numpy()
    gain = traced.evidence.terms[:, 1]
    assert gain[refused].sum() > 0.0
    assert gain[refused].mean() > 3.0 * np.abs(gain[~refused].mean())
    assert traced.models.tracing is traced.models.predicting is traced.models.case
    assert trace_gap(case, gap, 0, stops_at("Tracing")) is None


def test_each_family_is_traced_by_what_it_allows():
    boosting = made_case(HistGradientBoostingClassifier(max_iter=5), 600)
    neighbours = made_case(KNeighborsClassifier(), 600)
    for case, by_refit, word in ((boosting, False, "forest"), (neighbours, True, "logistic regression")):
        found = trace_gap(case, gap_to_explain(case, GAP, "sex", "explore", q=0.05, seed=0), 0, quiet)
        assert found.models.by_refit == by_refit
        assert found.models.tracing is not found.models.case
        assert (found.models.predicting is found.models.case) == (not by_refit)
        assert f"tested by a {word} on the same columns" in found.notes[-1]


def test_the_search_finds_the_rule_that_the_gains_handed_to_it_point_at(case, traced):
    pointed = case.train.eval("branch == 1 and sex == 1").to_numpy()
    gain = np.where(pointed, 1.0, -0.2)
    groups = case.groups("sex", "train").codes
    evidence = Evidence.of(Trace(gain, gain, gain), groups, case.train_codes)
    found = search_rules(replace(traced, evidence=evidence, fitted=None), ASKED, quiet)
    best = max(found.rules, key=lambda one: one.sums[1])
    assert {one.text for one in best.conditions} == {"branch = 1", "sex = 1"}
    assert found.complete
    assert len(found.tried) >= len(found.rules)
    again = search_rules(replace(traced, evidence=evidence), replace(ASKED, min_support=0.2, max_support=0.24), quiet)
    assert all(0.2 * 1200 <= len(one.rows) <= 0.24 * 1200 for one in again.rules)


def test_a_search_that_is_stopped_gives_what_it_has(traced):
    stopped = search_rules(traced, ASKED, stops_at("Trying rules of 2"))
    whole = search_rules(traced, replace(ASKED, max_predicates=1), quiet)
    assert not stopped.complete
    assert len(stopped.tried) == len(whole.tried)


def test_scores_are_the_effects_of_the_groups(case, gap, traced):
    rules = tuple(rule_where(traced, *one, cause=place) for place, one in enumerate((PLANTED, OTHERS, APART)))
    found = score_rules(gap, traced, rules, quiet)
    groups = [ids_of(case, one) for one in found.rules]
    np.testing.assert_allclose(
        [one.predicted for one in found.rules],
        core.group_changes(case, groups, metric=GAP, sensitive_feature="sex"),
    )
    assert [one.text for one in found.rules[0].conditions] == ["sex = 0", "branch = 2"]
    assert not score_rules(gap, traced, rules, stops_at("Predicting")).complete


def test_where_nothing_predicts_a_logistic_regression_takes_the_place(gap, traced):
    neighbours = made_case(KNeighborsClassifier(), 600)
    models = Models(neighbours, neighbours, neighbours)
    own = gap_to_explain(neighbours, GAP, "sex", "explore", q=0.05, seed=0)
    evidence = Evidence.of(Trace(*np.zeros((3, 600))), neighbours.groups("sex", "train").codes, neighbours.train_codes)
    held = replace(traced, models=models, evidence=evidence)
    found = score_rules(own, held, (rule_where(held, *PLANTED),), quiet)
    assert found.models.by_refit
    assert np.isfinite(found.rules[0].predicted)
    with pytest.raises(core.errors.NotSupportedError):
        found.models.without_predictions(core.errors.NotSupportedError("no"))


def test_only_forests_are_looked_at_closely(gap, traced):
    scored = Scored(traced.models, (rule_where(traced, *PLANTED),))
    assert look_closely(gap, scored, 60.0, quiet) is scored
    forest = made_case(RandomForestClassifier(8, max_depth=5, random_state=0), 600)
    own = gap_to_explain(forest, GAP, "sex", "explore", q=0.05, seed=0)
    found = trace_gap(forest, own, 0, quiet)
    rule = rule_where(found, *PLANTED)
    looked = look_closely(own, Scored(found.models, (rule,)), 60.0, quiet)
    assert looked.rules[0].looked_at
    real = core.audit(core.unlearn(forest, ids_of(forest, rule)).case, [GAP], on="explore").gaps["value"].iloc[0]
    assert looked.rules[0].predicted == pytest.approx(real - own.value, abs=1e-9)
    assert not look_closely(own, Scored(found.models, (rule,)), 60.0, stops_at("Removing")).complete


def test_measured_effects_are_those_of_training_without_the_records(case, gap, traced):
    rules = tuple(rule_where(traced, *one) for one in (OTHERS, PLANTED))
    helpful = traced.evidence.terms[:, HELPFUL]
    found = measure_rules(gap, traced.models, rules, helpful, replace(ASKED, min_responsibility=0.0), 5, quiet)
    assert found.n_tries == 2
    only = next(one for one in found.subsets if one.rule == "sex = 0 and branch = 2")
    again = core.unlearn(case, ids_of(case, rules[1]), method="refit").case
    assert only.after == pytest.approx(core.audit(again, [GAP], on="explore").gaps["value"].iloc[0], abs=0.004)
    assert only.before == gap.value
    assert all(one.after < one.before for one in found.subsets)


def test_measuring_goes_down_the_list_it_is_handed(gap, traced):
    helpful = traced.evidence.terms[:, HELPFUL]
    planted, wider = rule_where(traced, *PLANTED), rule_where(traced, NORTH)
    first = measure_rules(gap, traced.models, (planted, wider), helpful, ASKED, 1, quiet)
    assert [one.rule for one in first.subsets] == ["sex = 0 and branch = 2"]
    assert first.n_tries == 1
    both = measure_rules(gap, traced.models, (planted, wider), helpful, ASKED, 5, quiet)
    assert both.n_tries == 1, "the wider rule is about the same cause"
    hard = measure_rules(gap, traced.models, (planted,), helpful, replace(ASKED, min_responsibility=0.999), 1, quiet)
    assert (hard.subsets, hard.n_left_out) == ((), 1)
    stopped = measure_rules(gap, traced.models, (planted,), helpful, ASKED, 1, stops_at("Removing"))
    assert (stopped.complete, stopped.n_tries) == (False, 0)


def test_stages_are_told_to_stop_by_what_they_report_to():
    report = reporting(None, lambda: True)
    with pytest.raises(StoppedError):
        report(0.0, "Anything")
    reporting(None, None)(0.0, "Anything")
