"""The parts of explaining a gap.

Short rules against every conjunction tried by hand, conditions, measures, choices.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

import core
from core.attribution.expected import exploring
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.case.roles import Roles
from core.numerics.linear.logistic import sigmoid
from core.numerics.statistics.false_discovery import discovery_rates
from core.rules.binning import bin_columns
from core.rules.choosing import shown_first
from core.rules.conditions import Condition, Held
from core.rules.effects import Effects
from core.rules.gap import extremes_of
from core.rules.rule import Rule, worth
from core.rules.short import short_rules
from core.rules.steady import Steady
from core.rules.surrogate import surrogate
from core.rules.tracing import Trace


def test_short_rules_are_all_there_are(small_case):
    table = small_case.train
    binned = bin_columns(small_case, 3, 30, None, None)
    found = short_rules(binned, (30, 400), 2)
    holds = [one.holds(table) for one in binned.conditions]
    truth = {(one,): holds[one] for one in range(len(holds))}
    truth |= {
        pair: holds[pair[0]] & holds[pair[1]]
        for pair in combinations(range(len(holds)), 2)
        if binned.columns[pair[0]] != binned.columns[pair[1]]
    }
    within = {rule: inside for rule, inside in truth.items() if 30 <= inside.sum() <= 400}
    narrower = {
        rule
        for rule, inside in within.items()
        if all(inside.sum() < holds[one].sum() for one in rule) or len(rule) == 1
    }
    assert {tuple(dict.fromkeys(places)) for places in found.places.tolist()} == narrower
    for place in range(0, len(found), 7):
        conditions = found.conditions(place)
        np.testing.assert_array_equal(
            found.rows(place), np.flatnonzero(np.logical_and.reduce([one.holds(table) for one in conditions]))
        )
        assert found.counts[place] == len(found.rows(place))
        assert found.lengths[place] == len(conditions)
    assert (short_rules(binned, (30, 400), 1).lengths == 1).all()


def test_of_too_many_short_rules_those_whose_records_do_most_are_scored(small_case):
    binned = bin_columns(small_case, 3, 30, None, None)
    found = short_rules(binned, (30, 400), 2)
    best = int(np.flatnonzero(found.lengths == 2)[5])
    gain = np.full(small_case.n_retained, -0.1)
    gain[found.rows(best)] = 1.0
    some = found.most_promising(Trace(gain, gain), int((found.lengths == 1).sum()) + 1)
    assert found.conditions(best) in [some.conditions(place) for place in range(len(some))]
    assert (some.lengths == 1).sum() == (found.lengths == 1).sum()
    assert found.most_promising(Trace(gain, gain), 10_000) is found


def test_effects_are_predicted_once_for_each_group(small_case):
    case = core.prepare(small_case)
    effects, groups = Effects(case, "explore"), [np.arange(50), np.arange(100, 300), np.arange(50)]
    said: list[str] = []
    found = effects.scores(groups, lambda _, what: said.append(what))
    expected = [core.predicted_scores(case, case.record_ids[group])[0] for group in groups]
    np.testing.assert_allclose(found, expected, atol=0.004)
    again: list[str] = []
    np.testing.assert_array_equal(effects.scores(groups[::-1], lambda _, what: again.append(what)), found[::-1])
    assert said
    assert not again


def test_of_many_effects_the_first_are_kept_with_a_result(small_case, monkeypatch):
    case = core.prepare(small_case)
    effects, groups = Effects(case, "explore"), [np.arange(size) for size in (10, 20, 30)]
    found = effects.scores(groups, lambda *_: None)
    assert effects.kept() is effects
    monkeypatch.setattr("core.rules.effects.FEW", 2 * found.shape[1])
    kept, again = effects.kept(), []
    np.testing.assert_array_equal(kept.scores(groups[:2], lambda *_: again.append("predicted")), found[:2])
    assert not again
    np.testing.assert_allclose(kept.scores(groups, lambda *_: again.append("predicted")), found)
    assert again == ["predicted"]


def test_half_of_the_rows_keeps_the_scores_that_are_known(small_case, monkeypatch):
    rows = small_case.rows("explore")[::2]
    known = small_case.scores("explore")[::2]
    np.testing.assert_allclose(known, small_case.model.predict_proba(small_case.X_test.iloc[rows])[:, 1], atol=1e-12)
    monkeypatch.setattr(type(small_case), "_scores_of", None)  # Nothing predicts any more.
    np.testing.assert_array_equal(exploring(small_case, rows).scores("explore"), known)


def test_every_record_has_one_bin_and_missing_is_a_value(small_case):
    binned = bin_columns(small_case, 4, 10, {"debt": [5.0, 10.0]}, None)
    assert Condition("income") in binned.conditions
    assert Condition("debt", low=5.0, high=10.0) in binned.conditions
    assert not any(one.column in ("person", "granted") for one in binned.conditions)
    table = small_case.train
    for index, one in enumerate(binned.conditions):
        own = binned.bins[:, binned.columns[index]]
        np.testing.assert_array_equal(
            (own >= binned.starts[index]) & (own < binned.stops[index]), one.holds(table), err_msg=one.text
        )


def test_rows_that_conditions_hold_for_are_the_same_when_asked_again(small_case):
    table = small_case.train
    held, binned = Held(table), bin_columns(small_case, 4, 10, None, None)
    for one in [*binned.conditions, *binned.conditions]:
        np.testing.assert_array_equal(held.by(one), one.holds(table), err_msg=one.text)
    some = binned.conditions[0], binned.conditions[-1]
    np.testing.assert_array_equal(held.by_all(some), np.flatnonzero(some[0].holds(table) & some[1].holds(table)))
    assert held.by_all(()).tolist() == list(range(len(table)))


def test_bins_must_be_of_numbers(small_case):
    with pytest.raises(ValueError, match="Bins need a numeric column"):
        bin_columns(small_case, 4, 10, {"job": [1.0]}, None)


@pytest.mark.parametrize("kind", ["int64", "uint8", "Int64"])
def test_a_forest_in_the_models_place_takes_whole_numbers(kind):
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.integers(0, 9, (200, 3)), columns=["income", "debt", "sex"]).assign(
        sex=draw.integers(0, 2, 200)
    )
    table = table.astype(kind).assign(granted=(table.income > table.debt).astype(int))
    model = HistGradientBoostingClassifier(max_iter=3).fit(table[["income", "debt"]], table.granted)
    case = Case(model, table, table, Roles("granted", 1, 1, ["sex"]))
    assert surrogate(case, trees=True).scores("explore").shape == case.scores("explore").shape


def test_a_rule_is_worth_what_it_closes_for_the_root_of_its_size():
    some, half = worth([0.1, 0.1], [0.04, 0.16], [1, 1])
    assert some == pytest.approx(2.0 * half)
    assert worth(0.1, 0.04, 3) == pytest.approx(0.97**2 * some)


def test_of_rules_about_the_same_records_the_one_of_odd_labels_is_shown():
    a, b, c = (
        Rule((Condition("x", equals=number),), np.array(rows), 0.0, 0.0, oddity=oddity, closes=closes)
        for number, rows, oddity, closes in (
            (0, range(60), 0.0, 0.1),
            (1, range(100), 20.0, 0.09),
            (2, range(50, 150), 0.0, 0.05),
        )
    )
    gain = np.zeros(1000)

    def shown(*rules: Rule, most: int = 5) -> list[object]:
        return [one.conditions[0].equals for one in shown_first(rules, gain, most)]

    assert shown(a, b, c) == [1, 2]
    assert shown(a, replace(b, oddity=0.0), c) == [0, 2]
    assert shown(a, replace(b, closes=0.04), c) == [0, 2], "it closes too little for its labels to count"
    assert shown(a, b, c, most=1) == [1]
    first = shown_first([a, b], gain)[0]
    assert first.stands_for * b.worth(1000) == pytest.approx(a.worth(1000)), (
        "it stands where the best of its cause would"
    )
    gain[50:100] = 1.0
    assert shown(a, b, c) == [1], "the records of c that help are those of b"


@pytest.mark.parametrize(
    "metric", ["equal_opportunity_difference", "demographic_parity_ratio", "equalized_odds_difference"]
)
def test_the_steady_measure_of_many_removals_is_that_of_each(small_case, metric):
    draw = np.random.default_rng(0)
    now = small_case.scores("explore")
    scores = np.clip(now + draw.normal(0.0, 0.1, (5, len(now))), 0.0, 1.0)
    steady = Steady(Outcome.of(small_case, metric, "sex", "explore"), extremes_of(small_case, metric, "sex", "explore"))
    together = steady.closes(scores)
    np.testing.assert_allclose(together, [steady.closes(row[None])[0] for row in scores])
    soft = sigmoid((np.vstack([now, scores]) - 0.5) / steady.width)
    woman = small_case.groups("sex").codes == 0
    rows = small_case.y("explore") if metric == "equal_opportunity_difference" else np.ones(len(now), dtype=bool)
    rates = np.array([soft[:, rows & group].mean(axis=1) for group in (woman, ~woman)])
    if metric == "equal_opportunity_difference":
        best = int(np.argmax(rates[:, 0]))
        rates[best] = np.maximum(rates[best], rates[best, 0])
        gaps = np.abs(rates[0] - rates[1])
        np.testing.assert_allclose(together, gaps[0] - gaps[1:])
    assert np.isnan(steady.closes(np.full((1, len(now)), np.nan))[0])


def test_discovery_rates_are_those_of_benjamini_and_hochberg():
    from scipy.stats import false_discovery_control

    tried = np.random.default_rng(3).beta(0.5, 2.0, 500)
    np.testing.assert_allclose(discovery_rates(tried, tried), false_discovery_control(tried), rtol=1e-9)
