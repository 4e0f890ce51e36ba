"""The finding of an audit, and the table of all gaps with verdicts."""

from __future__ import annotations

import numpy as np

import core
from core.case.groups import Groups, intersect
from core.metrics.audit import audit_arrays
from core.metrics.catalog import DEFAULT_METRICS, METRICS, metrics_of
from core.metrics.samples import Sample

USUAL = [name for name in DEFAULT_METRICS if METRICS[name].uses == "cells"]


def people(seed: int, gap: float) -> tuple[Sample, list[Groups]]:
    """Return people of whom one race of five is decided against; their sex does not matter."""
    rng = np.random.default_rng(seed)
    sex = Groups("sex", ("f", "m"), rng.integers(0, 2, 4000).astype(np.int32))
    race = Groups("race", tuple("abcde"), rng.choice(5, 4000, p=[0.5, 0.2, 0.2, 0.08, 0.02]).astype(np.int32))
    label = rng.random(4000) < 0.5
    chance = np.where(label, 0.7, 0.3) - gap * (race.codes == 1)
    return Sample(label, rng.random(4000) < chance), [sex, race, intersect([sex, race])]


def test_the_finding_is_the_planted_gap_and_not_the_first_feature() -> None:
    for seed in range(5):
        sample, groups = people(seed, 0.15)
        found = audit_arrays(sample, groups, metrics_of(USUAL), n_resamples=500).finding
        assert found is not None
        assert (found.sensitive_feature, found.worst_group) == ("race", "b")
        assert found.metric in (
            "demographic_parity_difference",
            "equal_opportunity_difference",
            "false_positive_rate_difference",
        )
        assert found.q_value < 0.05
        assert "by race" in found.sentence
        assert "b at the bad end" in found.sentence


def test_without_a_gap_there_is_rarely_a_finding() -> None:
    found = [audit_arrays(*people(seed, 0.0), metrics_of(USUAL), n_resamples=400).finding for seed in range(30)]
    assert sum(one is not None for one in found) <= 4, "at most 5% of audits are expected to have one"


def test_a_surely_large_gap_comes_before_a_larger_one_of_a_few_records() -> None:
    rng = np.random.default_rng(0)
    sex = Groups("sex", ("f", "m"), np.repeat([0, 1], 3000).astype(np.int32))
    few = Groups("few", ("x", "y"), (np.arange(6000) % 600 == 0).astype(np.int32))
    decision = rng.random(6000) < np.where(sex.codes == 0, 0.4, 0.6)
    decision[few.codes == 1] = np.arange(10) > 0
    report = audit_arrays(Sample(decision, decision), [few, sex], metrics_of(["demographic_parity_difference"]))
    table = report.gaps["value"].droplevel(0)
    assert table["few"] > table["sex"]
    assert report.finding is not None
    assert report.finding.sensitive_feature == "sex"


def test_all_gaps_stand_in_one_table_with_verdicts() -> None:
    report = core.audit(core.load_case("credit"), n_resamples=300)
    table = report.ranked("Four-fifths rule: ratios from 0.8")
    assert len(table) == len(report.gaps)
    assert set(table["verdict"]) <= {"inside", "outside", "open", "insufficient evidence", "undefined"}
    assert table["beyond_chance"].tolist() == sorted(table["beyond_chance"], reverse=True)
    first = table[table["beyond_chance"]]["distance"]
    assert first.is_monotonic_decreasing
    row = table[(table["metric"] == "demographic_parity_ratio") & (table["sensitive_feature"] == "age")].iloc[0]
    assert row["verdict"] == ("outside" if row["high"] < 0.8 else "open")
