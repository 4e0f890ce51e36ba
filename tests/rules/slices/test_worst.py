"""Slices against every conjunction counted one by one, Fisher's test, audits of the same rows, and planted ones."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, fisher_exact

import core
from core.rules.binning import bin_table
from core.rules.conditions import rule_text
from core.rules.slices.counting import count_slices, rows_of_conditions
from core.rules.slices.outcomes import GapOutcomes, ShareOutcomes
from tests.conftest import make_pipeline_for, make_table

GAP = "equal_opportunity_difference"


def quiet(_share: float, _doing: str) -> None:
    """Report to nobody."""


@pytest.fixture(scope="module")
def model() -> Any:
    return make_pipeline_for(make_table(1500, 1), features=("income", "debt", "job"))


def case_of(model: Any, test: pd.DataFrame) -> core.Case:
    return core.Case(
        model, make_table(1500, 1), test, core.Roles("granted", 1, 1, ["sex"], record_id="person"), confirm=False
    )


@pytest.fixture(scope="module")
def planted(model: Any) -> tuple[core.Case, Any]:
    """A case whose labels are wrong for nurses and drivers of 50 and more, and a mask of these."""
    test = make_table(4000, 7)
    wrong = (test["job"] == "driver").to_numpy() & (test["age"] >= 50).to_numpy()
    decided = model.predict(test[["income", "debt", "job"]])
    flip = wrong & (np.random.default_rng(0).random(4000) < 0.7)
    return case_of(model, test.assign(granted=np.where(flip, 1 - decided, test["granted"]))), wrong


def test_all_conjunctions_are_counted_and_tested_as_one_by_one(small_case: core.Case) -> None:
    table = small_case.test.iloc[:240]
    draw = np.random.default_rng(1)
    hit, codes = draw.random(240) < np.where(table["job"] == "cook", 0.5, 0.2), draw.integers(0, 2, 240)
    binned = bin_table(table, small_case.roles, 3, 20, None, ["sex", "age", "job", "debt"], called="test table")
    outcomes = ShareOutcomes(hit, 1.0)
    found, notes = count_slices(binned, outcomes.masks, 20, 3, quiet)
    assert notes == ()
    holds, wanted = rows_of_conditions(binned), {}
    for size in (1, 2, 3):
        for places in itertools.combinations(range(len(holds)), size):
            inside = holds[list(places)].all(axis=0)
            shorter = (
                [holds[list(part)].all(axis=0).sum() for part in itertools.combinations(places, size - 1)]
                if size > 1
                else []
            )
            if len({binned.columns[one] for one in places}) == size and 20 <= inside.sum() < min([241, *shorter]):
                wanted[places] = (int(inside.sum()), int(hit[inside].sum()))
    got = {
        tuple(one for one in places if one >= 0): tuple(counts)
        for places, counts in zip(found.places.tolist(), found.counts.tolist(), strict=True)
    }
    assert len(wanted) > 100
    assert got == wanted
    p = outcomes.judge(found.counts, np.array([240, hit.sum()])).p_value
    for (n, bad), value in zip(wanted_of(found, wanted), p, strict=True):
        exact = fisher_exact([[bad, n - bad], [hit.sum() - bad, 240 - n - hit.sum() + bad]], "greater")[1]
        assert value == pytest.approx(exact if bad / n > hit.mean() else 1.0, rel=1e-9)
    gap = GapOutcomes(hit, codes, 2)
    counts = count_slices(binned, gap.masks, 20, 2, quiet)[0]
    for places, value in zip(
        counts.places.tolist(), gap.judge(counts.counts, np.asarray(gap.masks).sum(axis=1)).value, strict=True
    ):
        inside = holds[[one for one in places if one >= 0]].all(axis=0)
        sides = [inside & (codes == group) for group in (0, 1)]
        few = min(side.sum() for side in sides) < 10
        apart = np.nan if few else abs(hit[sides[0]].mean() - hit[sides[1]].mean())
        assert value == pytest.approx(apart, nan_ok=True)


def wanted_of(found: Any, wanted: dict[Any, Any]) -> list[Any]:
    return [wanted[tuple(one for one in places if one >= 0)] for places in found.places.tolist()]


def test_a_planted_slice_comes_first_and_is_what_an_audit_of_it_says(planted: Any) -> None:
    case, wrong = planted
    found = core.worst_slices(case, progress=quiet)
    first = found[0]
    inside = np.flatnonzero(first.conditions[0].holds(case.test) & first.conditions[1].holds(case.test))
    assert len(first.conditions) == 2
    assert len(np.intersect1d(inside, np.flatnonzero(wrong))) >= 0.8 * len(np.union1d(inside, np.flatnonzero(wrong)))
    assert {one.column for one in first.conditions} == {"job", "age"}
    assert first.beyond_chance
    assert "driver" in first.title
    assert "against" in first.sentence
    for one in found:
        audit = core.audit(case, "zero_one_loss", on="explore", where=one.where)
        assert (one.n, one.value) == (audit.n, pytest.approx(audit.overall["zero_one_loss"]))
    everything = core.audit(case, "zero_one_loss", on="explore")
    assert found.value == pytest.approx(everything.overall["zero_one_loss"])
    assert found.to_frame()["where"].tolist() == [one.where for one in found]
    assert (found.to_frame()["p_value"] > 0).all()
    inverse = core.worst_slices(case, "accuracy", max_predicates=2)
    assert inverse[0].where == first.where
    assert inverse[0].value == pytest.approx(1 - first.value)


def test_q_values_are_those_of_all_tried_and_of_the_tree(planted: Any) -> None:
    case, _ = planted
    found = core.worst_slices(case, columns=["job", "age", "sex"], top_k=50)
    table = case.test.iloc[case.rows("explore")]
    hit = case.decisions("explore") != case.y("explore")
    binned = bin_table(table, case.roles, 5, 40, None, ["job", "age", "sex"], called="test table")
    outcomes = ShareOutcomes(hit, 1.0)
    every, _ = count_slices(binned, outcomes.masks, 40, 3, quiet)
    assert len(every) == found.n_tried
    p = outcomes.judge(every.counts, np.array([len(hit), hit.sum()])).p_value
    q = false_discovery_control(p)
    names = [rule_text([binned.conditions[one] for one in places if one >= 0]) for places in every.places.tolist()]
    known = dict(zip(names, q, strict=True))
    assert found.n_beyond == (q <= 0.05).sum()
    assert [one.q_value for one in found] == pytest.approx([known[one.slice] for one in found])
    nodes = list(found.tree.walk())
    assert len(nodes) > 5
    assert found.tree.slice.n == found.n_rows
    for depth, node in nodes:
        assert len(node.slice.conditions) == depth <= 3
        if node.children:
            assert sum(child.slice.n for child in node.children) + node.others == node.slice.n
            assert {child.slice.conditions[-1].column for child in node.children} == {node.split_on}
        ordered = rule_text(binned.in_order(node.slice.conditions))
        if ordered in known:
            assert node.slice.q_value == pytest.approx(known[ordered])
    assert len(found.tree_lines) == len(nodes)


def test_a_planted_gap_is_found_and_rates_are_taken_over_their_own_rows(model: Any) -> None:
    test = make_table(6000, 8)
    refused = model.predict(test[["income", "debt", "job"]]) == 0
    there = ((test["job"] == "cook") & (test["sex"] == "f")).to_numpy() & refused
    case = case_of(model, test.assign(granted=np.where(there, 1, test["granted"])))
    found = core.worst_slices(case, GAP, min_support=0.02)
    assert found.sensitive_feature == "sex"
    assert found.value == pytest.approx(core.audit(case, GAP, on="explore").gaps["value"].iloc[0])
    assert all(condition.column != "sex" for one in found for condition in one.conditions)
    first = found[0]
    assert first.beyond_chance
    assert {"job"} <= {one.column for one in first.conditions}
    assert (first.worst_group, first.best_group) == ("f", "m")
    gap = core.audit(case, GAP, on="explore", where=first.where).gaps.iloc[0]
    assert first.value == pytest.approx(gap["value"])
    assert first.worst_group == gap["worst_group"]
    rate = core.worst_slices(case, "true_positive_rate", max_predicates=1)
    labelled = case.favorable(case.y("explore"))
    assert rate.n_rows == labelled.sum()
    inside = core.audit(case, "true_positive_rate", on="explore", where=rate[0].where)
    assert rate[0].value == pytest.approx(inside.overall["true_positive_rate"])


@pytest.mark.parametrize("metric", ["zero_one_loss", "demographic_parity_difference"])
def test_nothing_is_beyond_chance_where_outcomes_are_dealt_at_random(model: Any, metric: str) -> None:
    table = make_table(1500, 9)
    seldom = 0
    for seed in range(12):
        draw = np.random.default_rng(seed)
        shuffled = table.assign(granted=draw.permutation(table["granted"]), sex=draw.permutation(table["sex"]))
        for name in ("age", "income", "debt", "job"):
            shuffled[f"own {name}"] = draw.permutation(table[name])
        case = case_of(model, shuffled)
        own = [f"own {name}" for name in ("age", "income", "debt", "job")]
        seldom += core.worst_slices(case, metric, columns=own, max_predicates=2).n_beyond > 0
    assert seldom <= 2, "5% of 12 at most are expected"


def test_slices_of_a_slice_say_so_and_names_that_cannot_be_written_are_left_out(planted: Any) -> None:
    case, _ = planted
    found = core.worst_slices(case, where="sex = 'f'", max_predicates=1, top_k=2)
    assert found[0].where.startswith("sex = 'f' and ")
    assert found.n_rows == (case.test["sex"] == "f").sum()
    assert "where sex = 'f'" in found.heading
    odd = case.test.assign(
        **{"a`b": case.test["job"], "kind": [pd.Interval(0, len(str(job))) for job in case.test["job"]]}
    )
    left = core.worst_slices(case_of(case.model, odd), max_predicates=1)
    assert "kind" in " ".join(left.notes)
    assert all(condition.column != "kind" for one in left for condition in one.conditions)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metric": "roc_auc"}, "must be a share of rows"),
        ({"metric": "base_rate"}, "must be a share of rows"),
        ({"metric": "equalized_odds_difference"}, "must be a share of rows"),
        ({"metric": "acuracy"}, "Did you mean 'accuracy'"),
        ({"on": "confirm"}, "must not look at the confirm rows"),
        ({"max_predicates": 4}, "1 to 3 conditions. Got max_predicates=4"),
        ({"min_support": 0.0}, "Support bounds"),
        ({"columns": ["granted"]}, "must be one of the test table"),
        ({"where": "job = 'cok'"}, "Did you mean 'cook'"),
        ({"columns": ["job"], "min_support": 0.9}, "ask for a smaller share"),
    ],
)
def test_wrong_searches_end_in_a_sentence(small_case: core.Case, options: dict[str, Any], said: str) -> None:
    with pytest.raises(core.RedressError, match=said):
        core.worst_slices(small_case, **options)
