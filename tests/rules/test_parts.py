"""The parts of explaining a gap: the search against every conjunction tried by hand, conditions, p-values."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from core.case.case import Case
from core.case.roles import Roles
from core.numerics.statistics.false_discovery import bernstein_bound, discovery_rates
from core.rules import lattice
from core.rules.binning import bin_columns
from core.rules.conditions import Condition, Held
from core.rules.evidence import Evidence
from core.rules.lattice import COUNT, GAIN, Lattice
from core.rules.surrogate import surrogate
from core.rules.tracing import Trace


@pytest.fixture
def searched(small_case: Case) -> tuple[Lattice, np.ndarray]:
    gain = np.random.default_rng(0).normal(size=small_case.n_retained)
    values = np.column_stack([np.ones(len(gain)), gain, np.maximum(gain, 0.0)])
    binned = bin_columns(small_case, 3, 30, None, None)
    return Lattice(binned, values, (30, 400), 3, lambda sums: sums[:, GAIN]), gain


def by_hand(search: Lattice, table: pd.DataFrame, gain: np.ndarray) -> dict[frozenset[int], float]:
    conditions = search.binned.conditions
    holds = [one.holds(table) for one in conditions]
    found = {}
    for length in (1, 2, 3):
        for rule in combinations(range(len(conditions)), length):
            if len({conditions[one].column for one in rule}) < length:
                continue
            inside = np.logical_and.reduce([holds[one] for one in rule])
            if 30 <= inside.sum() <= 400:
                found[frozenset(rule)] = gain[inside].sum()
    return found


def test_the_search_finds_what_trying_everything_finds(searched, small_case):
    search, gain = searched
    search.run(lambda *_: None)
    found = search.found()
    truth = by_hand(search, small_case.train, gain)
    assert found.complete
    assert found.limited == ()
    assert len(found.tried) <= len(truth)
    for rule, sums in zip(found.rules, found.sums, strict=True):
        assert sums[GAIN] == pytest.approx(truth[frozenset(rule[rule >= 0].tolist())])
    best = sorted(truth.values(), reverse=True)
    np.testing.assert_allclose(found.sums[:50, GAIN], best[:50], rtol=1e-9)


def test_pruning_loses_none_of_the_best(searched, small_case, monkeypatch):
    search, gain = searched
    monkeypatch.setattr(lattice, "KEPT", 20)
    search.run(lambda *_: None)
    found = search.found()
    truth = sorted(by_hand(search, small_case.train, gain).values(), reverse=True)
    np.testing.assert_allclose(found.sums[:, GAIN], truth[:20], rtol=1e-9)


def test_a_search_that_would_take_too_long_says_so(searched, monkeypatch):
    search, _ = searched
    monkeypatch.setattr(lattice, "MOST_WORK", 10_000)
    search.run(lambda *_: None)
    assert search.found().limited == (2, 3)
    assert (search.found().sums[:, COUNT] >= 30).all()


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


def test_p_values_hold_where_records_are_drawn_at_random():
    draw = np.random.default_rng(1)
    group, label = draw.integers(0, 2, 4000), draw.integers(0, 2, 4000)
    noise = draw.standard_t(5, 4000)
    evidence = Evidence.of(Trace(noise, noise, noise), group, label)
    picks = [draw.random(4000) < 0.1 for _ in range(400)]
    p_values = evidence.p_values(np.array([evidence.terms[pick].sum(axis=0) for pick in picks]))
    for level in (0.01, 0.05, 0.2):
        assert (p_values <= level).mean() <= level + 0.01
    odd = np.flatnonzero(noise > 0.5)[:300]
    assert evidence.p_values(evidence.terms[odd].sum(axis=0)[None])[0] < 1e-6


def test_a_rule_of_unusual_make_up_alone_is_not_odd():
    draw = np.random.default_rng(2)
    label = draw.integers(0, 2, 4000)
    gain = np.where(label == 1, 1.0, -1.0) + 0.1 * draw.normal(size=4000)
    evidence = Evidence.of(Trace(gain, gain, gain), np.zeros(4000, dtype=int), label)
    ones = np.flatnonzero(label == 1)[:300]
    assert evidence.p_values(evidence.terms[ones].sum(axis=0)[None])[0] > 0.01


def test_discovery_rates_are_those_of_benjamini_and_hochberg():
    from scipy.stats import false_discovery_control

    tried = np.random.default_rng(3).beta(0.5, 2.0, 500)
    np.testing.assert_allclose(discovery_rates(tried, tried), false_discovery_control(tried), rtol=1e-9)
    assert bernstein_bound(np.array([3.0]), np.array([1.0]), 1.0)[0] == pytest.approx(np.exp(-9.0 / 4.0))
