"""Each stage of explaining a gap alone.

Tracing, searching, scoring, looking closely, measuring.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import core
from core.actions.influence import attributor_of
from core.attribution.outcome import Outcome
from core.rules.asked import Asked, StoppedError, reporting
from core.rules.binning import bin_columns
from core.rules.conditions import Condition, Held
from core.rules.gap import Gap, gap_to_explain
from core.rules.measuring import measure_rules
from core.rules.models import Models, Traced, trace_gap
from core.rules.rule import Rule, worth
from core.rules.scoring import Scored, look_closely, score_rules
from core.rules.search import search_rules
from core.rules.short import short_rules
from core.rules.steady import Steady
from core.rules.tracing import Trace

GAP = "equal_opportunity_difference"
FEATURES = ["sex", "branch", "income"]
ASKED = Asked(2, 0.005, 0.3, 5, None, 5, 0.05, 60.0, 0)
WOMEN, NORTH, RICH = Condition("sex", equals=0), Condition("branch", equals=2), Condition("income", low=0.8)
PLANTED, OTHERS, APART = (WOMEN, NORTH), (Condition("sex", equals=1), NORTH), (RICH,)


def quiet(_: float, __: str) -> None:
    return


def made_case(model: object, rows: int = 1200) -> core.Case:
    """Return a case in which women of branch 2 were refused in training whatever they earn."""
    draw, n = np.random.default_rng(4), 3 * rows
    table = pd.DataFrame({"sex": draw.integers(0, 2, n), "branch": draw.integers(0, 4, n)})
    table["income"] = draw.normal(size=n).round(3)
    table["granted"] = (table.income + draw.logistic(size=n) / 3 > 0).astype(int)
    train, test = table[:rows].copy(), table[rows:].reset_index(drop=True)
    train.loc[(train.sex == 0) & (train.branch == 2), "granted"] = 0
    roles = core.Roles("granted", 1, 1, ["sex"], features=FEATURES)
    return core.Case(model.fit(train[FEATURES], train.granted), train, test, roles, seed=0)


@pytest.fixture(scope="module")
def case() -> core.Case:
    return core.prepare(made_case(LogisticRegression(C=10.0, solver="newton-cholesky")))


@pytest.fixture(scope="module")
def gap(case: core.Case) -> Gap:
    return gap_to_explain(case, GAP, "sex", "explore", seed=0)


@pytest.fixture(scope="module")
def traced(case: core.Case, gap: Gap) -> Traced:
    return trace_gap(case, gap, quiet)


def rule_where(traced: Traced, *conditions: Condition) -> Rule:
    case = traced.models.case
    return Rule.of(conditions, Held(case.train[case.retained]).by_all(conditions), traced.trace)


def ids_of(case: core.Case, rule: Rule) -> pd.Index:
    return case.record_ids[np.flatnonzero(case.retained)[rule.rows]]


def stops_at(word: str):
    said: list[str] = []
    return reporting(lambda _, what: said.append(what), lambda: said[-1].startswith(word))


def test_results_of_stages_are_frozen(traced):
    for result, name in ((traced, "trace"), (traced.models, "case"), (Scored(traced.models, ()), "rules")):
        with pytest.raises(FrozenInstanceError):
            setattr(result, name, None)


def test_a_gap_is_told_with_the_groups_it_lies_between(case, gap):
    rates = core.audit(case, [GAP], on="explore").by_group["true_positive_rate"].to_numpy()
    assert gap.value == pytest.approx(abs(rates[1] - rates[0]))
    assert (gap.metric, gap.feature, gap.extremes.worse) == (GAP, "sex", int(np.argmin(rates)))


def test_tracing_finds_the_records_that_pull_the_worse_off_down(case, gap, traced):
    refused = case.train.eval("sex == 0 and branch == 2").to_numpy()
    gain = traced.trace.gain
    assert gain[refused].sum() > 0.0
    assert gain[refused].mean() > 3.0 * np.abs(gain[~refused].mean())
    assert traced.models.tracing is traced.models.predicting is traced.models.case
    assert trace_gap(case, gap, stops_at("Tracing")) is None


def test_each_family_is_traced_by_what_it_allows():
    boosting = made_case(HistGradientBoostingClassifier(max_iter=5), 600)
    neighbours = made_case(KNeighborsClassifier(), 600)
    for case, by_refit, word in ((boosting, False, "forest"), (neighbours, True, "logistic regression")):
        found = trace_gap(case, gap_to_explain(case, GAP, "sex", "explore", seed=0), quiet)
        assert found.models.by_refit == by_refit
        assert found.models.tracing is not found.models.case
        assert (found.models.predicting is found.models.case) == (not by_refit)
        assert f"searched for by a {word} on the same columns" in found.notes[-1]


def test_short_rules_are_ranked_by_what_removing_them_does(case, gap, traced):
    found = search_rules(gap, traced, ASKED, quiet)
    assert found.complete
    worths = [one.worth(case.n_retained) for one in found.rules]
    assert worths == sorted(worths, reverse=True)
    groups = [np.flatnonzero(case.retained)[one.rows] for one in found.rules[:20]]
    predicted = [one.predicted for one in found.rules[:20]]
    ids = [case.record_ids[group] for group in groups]
    np.testing.assert_allclose(predicted, core.group_changes(case, ids, metric=GAP, sensitive_feature="sex"), atol=1e-6)
    within = search_rules(gap, traced, replace(ASKED, min_support=0.2, max_support=0.24), quiet)
    assert all(0.2 * 1200 <= len(one.rows) <= 0.24 * 1200 for one in within.rules)


def test_no_short_rule_is_missed_whatever_single_gains_say(case, gap, traced):
    nothing = Trace(np.zeros(1200), np.zeros(1200))
    found = search_rules(gap, replace(traced, trace=nothing, fitted=None), ASKED, quiet)
    every = short_rules(bin_columns(case, 5, 6, None, None), (6, 360), 2)
    groups = [every.rows(place) for place in range(len(every))]
    with attributor_of(case) as attributor:
        scores = attributor.group_scores(case, groups, "explore")
    closes = Steady(Outcome.of(case, GAP, "sex", "explore"), gap.extremes).closes(scores)
    best = int(np.argmax(worth(closes, every.counts / 1200, every.lengths)))
    assert every.conditions(best) == found.rules[0].conditions
    assert found.space.n_short == len(every)


def test_labels_decide_between_neighbours_of_one_cause(traced, gap):
    searched = search_rules(gap, traced, ASKED, quiet)
    planted, neighbour = rule_where(traced, *PLANTED), rule_where(traced, NORTH, RICH)
    same = replace(searched, rules=(replace(neighbour, closes=0.1), replace(planted, closes=0.09, oddity=30.0)))
    gain = np.zeros(1200)
    gain[planted.common(neighbour)] = 1.0
    shown = score_rules(replace(traced, trace=Trace(gain, gain)), same).rules
    assert [one.conditions for one in shown] == [PLANTED]


def test_longer_rules_grow_from_short_ones_towards_the_records_that_do_most(case, gap, traced):
    pointed = case.train.eval("sex == 0 and branch == 2 and income >= 0.5").to_numpy()
    gain = np.where(pointed, 1.0, -0.2)
    found = search_rules(gap, replace(traced, trace=Trace(gain, gain)), replace(ASKED, max_predicates=3), quiet)
    best = max(found.rules, key=lambda one: one.lift)
    assert {one.column for one in best.conditions} == {"sex", "branch", "income"}
    inside = np.zeros(1200, dtype=bool)
    inside[best.rows] = True
    assert (inside & pointed).sum() / (inside | pointed).sum() > 0.9, "its bounds were moved from the edges of the bins"
    assert found.n_tried > found.space.n_short


def test_a_search_that_is_stopped_gives_what_it_has(gap, traced):
    stopped = search_rules(gap, traced, ASKED, stops_at("Predicting"))
    assert (stopped.complete, stopped.rules) == (False, ())
    said: list[str] = []
    later = reporting(lambda share, what: said.append(what) if share >= 0.5 else None, lambda: bool(said))
    half_way = search_rules(gap, traced, ASKED, later)
    assert not half_way.complete
    assert half_way.rules


def test_where_nothing_predicts_a_logistic_regression_takes_the_place(traced):
    neighbours = made_case(KNeighborsClassifier(), 600)
    models = Models(neighbours, neighbours, neighbours)
    own = gap_to_explain(neighbours, GAP, "sex", "explore", seed=0)
    found = search_rules(
        own, replace(traced, models=models, trace=Trace(*np.zeros((2, 600))), fitted=None), ASKED, quiet
    )
    assert found.models.by_refit
    assert np.isfinite(found.rules[0].predicted)
    with pytest.raises(core.errors.NotSupportedError):
        found.models.without_predictions(core.errors.NotSupportedError("no"))


def test_scoring_shows_one_rule_for_every_cause(gap, traced):
    searched = search_rules(gap, traced, ASKED, quiet)
    scored = score_rules(traced, searched)
    assert scored.rules[0].conditions == PLANTED
    for place, one in enumerate(scored.rules):
        for other in scored.rules[:place]:
            assert one.likeness(other) < 0.4
    planted, wider = rule_where(traced, *PLANTED), rule_where(traced, NORTH)
    both = replace(searched, rules=(replace(planted, closes=0.2), replace(wider, closes=0.1)))
    assert [one.conditions for one in score_rules(traced, both).rules] == [PLANTED]


def test_only_forests_are_looked_at_closely(gap, traced):
    scored = Scored(traced.models, (rule_where(traced, *PLANTED),))
    assert look_closely(gap, scored, 60.0, quiet) is scored
    forest = made_case(RandomForestClassifier(8, max_depth=5, random_state=0), 600)
    own = gap_to_explain(forest, GAP, "sex", "explore", seed=0)
    found = trace_gap(forest, own, quiet)
    rule = rule_where(found, *PLANTED)
    looked = look_closely(own, Scored(found.models, (rule,)), 60.0, quiet)
    assert looked.rules[0].looked_at
    real = core.audit(core.unlearn(forest, ids_of(forest, rule)).case, [GAP], on="explore").gaps["value"].iloc[0]
    assert looked.rules[0].predicted == pytest.approx(real - own.value, abs=1e-9)
    assert not look_closely(own, Scored(found.models, (rule,)), 60.0, stops_at("Removing")).complete


def test_measured_effects_are_those_of_training_without_the_records(case, gap, traced):
    rules = tuple(rule_where(traced, *one) for one in (OTHERS, PLANTED))
    found = measure_rules(gap, traced.models, rules, replace(ASKED, min_responsibility=0.0), 5, quiet)
    assert found.n_tries == 2
    only = next(one for one in found.subsets if one.rule == "sex = 0 and branch = 2")
    again = core.unlearn(case, ids_of(case, rules[1]), method="refit").case
    assert only.after == pytest.approx(core.audit(again, [GAP], on="explore").gaps["value"].iloc[0], abs=0.004)
    assert only.before == gap.value
    assert all(one.after < one.before for one in found.subsets)


def test_measuring_goes_down_the_list_it_is_handed(gap, traced):
    planted, wider = rule_where(traced, *PLANTED), rule_where(traced, NORTH)
    first = measure_rules(gap, traced.models, (planted, wider), ASKED, 1, quiet)
    assert [one.rule for one in first.subsets] == ["sex = 0 and branch = 2"]
    assert first.n_tries == 1
    hard = measure_rules(gap, traced.models, (planted,), replace(ASKED, min_responsibility=0.999), 1, quiet)
    assert (hard.subsets, hard.n_left_out) == ((), 1)
    stopped = measure_rules(gap, traced.models, (planted,), ASKED, 1, stops_at("Removing"))
    assert (stopped.complete, stopped.n_tries) == (False, 0)


def test_stages_are_told_to_stop_by_what_they_report_to():
    report = reporting(None, lambda: True)
    with pytest.raises(StoppedError):
        report(0.0, "Anything")
    reporting(None, None)(0.0, "Anything")
