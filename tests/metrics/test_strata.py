"""Audits within strata: against fairlearn with control_features, Berkeley's admissions of 1973, and tables with a known cause."""

from __future__ import annotations

from typing import Any

import fairlearn.metrics as flm
import numpy as np
import pandas as pd
import pytest

import core
from core.case.groups import Groups
from core.case.roles import Roles
from core.errors import InputError
from core.metrics.audit import audit_arrays
from core.metrics.catalog import METRICS, metric_of, metrics_of
from core.metrics.conditional.within import strata_of
from core.metrics.samples import Sample
from tests.metrics.test_weights import COMPARED, RATES, SCORES

BERKELEY = {
    "A": ((512, 313), (89, 19)),
    "B": ((353, 207), (17, 8)),
    "C": ((120, 205), (202, 391)),
    "D": ((138, 279), (131, 244)),
    "E": ((53, 138), (94, 299)),
    "F": ((22, 351), (24, 317)),
}
"""Admitted and rejected men, then women, by department (Bickel, Hammel & O'Connell 1975)."""


def berkeley() -> tuple[Sample, Groups, Groups]:
    rows = [
        (place, sex, admitted)
        for place, sexes in enumerate(BERKELEY.values())
        for sex, counts in enumerate(sexes)
        for admitted, n in zip((True, False), counts, strict=True)
        for _ in range(n)
    ]
    department, sex, admitted = map(np.array, zip(*rows, strict=True))
    groups = Groups("sex", ("men", "women"), sex.astype(np.int32))
    return Sample(admitted, admitted), groups, Groups("department", tuple(BERKELEY), department.astype(np.int32))


def random_rows(seed: int, n: int = 900, *, weighted: bool = False) -> tuple[Sample, Groups, Groups]:
    rng = np.random.default_rng(seed)
    codes, job = rng.integers(0, 3, n).astype(np.int32), rng.integers(0, 4, n).astype(np.int32)
    label = rng.random(n) < 0.3 + 0.1 * job
    score = np.clip(0.3 * label + rng.random(n) * 0.7, 0.01, 0.99)
    weight = rng.lognormal(0, 0.7, n) if weighted else None
    sample = Sample(label, score > 0.5, score, weight=weight)
    return sample, Groups("g", tuple("abc"), codes), Groups("job", ("w", "x", "y", "z"), job)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("weighted", [False, True])
def test_rates_and_gaps_within_strata_are_those_of_fairlearn(weighted: bool) -> None:
    sample, groups, job = random_rows(0, weighted=weighted)
    report = audit_arrays(sample, [groups], metrics_of([*RATES, *SCORES, *COMPARED]), n_resamples=5, control=job)
    assert report.strata is not None
    ones = np.ones(900) if sample.weight is None else sample.weight
    for functions, predicted in ((RATES, sample.decision.astype(int)), (SCORES, sample.score)):
        frame = flm.MetricFrame(
            metrics=functions,
            y_true=sample.label.astype(int),
            y_pred=predicted,
            sensitive_features=groups.codes,
            control_features=job.codes,
            sample_params={name: {"sample_weight": ones} for name in functions},
        )
        ours = report.strata.by_group
        for name in functions:
            np.testing.assert_allclose(ours[name].to_numpy(), frame.by_group[name].to_numpy(), atol=1e-12)
        gaps = {"difference": frame.difference(), "ratio": frame.ratio()}
        for name in COMPARED:
            metric = metric_of(name)
            if metric.kind in gaps and len(metric.rates) == 1 and metric.rate in functions:
                found = report.strata.gaps.loc[(name, "g"), "value"]
                np.testing.assert_allclose(found.to_numpy(), gaps[metric.kind][metric.rate].to_numpy(), atol=1e-12)


def test_berkeley_is_a_reversal_and_the_gap_lives_in_department_a() -> None:
    sample, sex, department = berkeley()
    report = audit_arrays(sample, [sex], metrics_of(["demographic_parity_difference"]), control=department)
    assert report.strata is not None
    over_all = report.gaps.iloc[0]
    assert over_all["value"] == pytest.approx(1198 / 2691 - 557 / 1835)
    assert over_all["worst_group"] == "women"
    row = report.strata.pooled.iloc[0]
    applied = np.array([sum(map(sum, sexes)) for sexes in BERKELEY.values()])
    rates = np.array([[one[0] / sum(one) for one in sexes] for sexes in BERKELEY.values()])
    men, women = applied @ rates / applied.sum()
    assert row["value"] == pytest.approx(women - men)
    assert (row["worst_group"], row["best_group"], row["stratum"]) == ("men", "women", "A")
    assert row["share"] == pytest.approx(applied[0] * (rates[0, 1] - rates[0, 0]) / applied.sum() / (women - men))
    assert (row["reversed"], row["reversed_in"]) == (True, "A; B; D; F")
    (said,) = report.strata.notes
    assert said.startswith("Simpson's reversal: over all rows women is worse off than men")
    assert "A, B, D and F" in said
    within = report.strata.gaps.loc[("demographic_parity_difference", "sex")]
    assert within["value"].tolist() == pytest.approx(np.abs(rates[:, 0] - rates[:, 1]).tolist())
    assert within["n"].tolist() == applied.tolist()
    assert within.index[within["q_value"] < 0.05].tolist() == ["A"], "the only department with a gap beyond chance"
    assert "of it in A" in repr(report.strata)


def confounded(rng: np.random.Generator, n: int, gap: float) -> tuple[Sample, Groups, Groups]:
    """Return people whose group goes along with their job, which decides; within a job their group does by `gap` alone."""
    codes = rng.integers(0, 2, n).astype(np.int32)
    job = (rng.random(n) < np.where(codes == 1, 0.75, 0.25)).astype(np.int32) + rng.integers(0, 2, n).astype(np.int32)
    decision = rng.random(n) < 0.2 + 0.2 * job + gap * codes
    sample = Sample(rng.random(n) < 0.5, decision)
    return sample, Groups("g", ("a", "b"), codes), Groups("job", ("low", "mid", "high"), job)


def test_pooled_intervals_cover_and_tests_keep_their_level_where_strata_explain_the_gap() -> None:
    rng, metrics = np.random.default_rng(1), metrics_of(["demographic_parity_difference"])
    rejected, covered, over_all = [], [], []
    for turn in range(80):
        gap = 0.0 if turn % 2 else 0.1
        sample, groups, job = confounded(rng, 1200, gap)
        report = audit_arrays(sample, [groups], metrics, n_resamples=400, control=job, seed=turn)
        assert report.strata is not None
        row, whole = report.strata.pooled.iloc[0], report.gaps.iloc[0]
        sign = 1.0 if row["best_group"] == "b" else -1.0
        covered.append(row["low"] <= sign * gap <= row["high"])
        if gap == 0.0:
            rejected.append(row["p_value"] < 0.05)
            over_all.append(whole["p_value"] < 0.05)
    assert np.mean(over_all) > 0.8, "over all rows the gap is there"
    assert np.mean(rejected) <= 0.12
    assert np.mean(covered) > 0.9


def test_groups_that_most_strata_lack_are_left_out_of_pooled_figures_and_named() -> None:
    sample, groups, job = random_rows(1)
    rare = (groups.codes == 2) & (job.codes > 0)
    report = audit_arrays(
        sample.take(np.flatnonzero(~rare)),
        [Groups("g", groups.names, groups.codes[~rare])],
        metrics_of(["demographic_parity_difference"]),
        n_resamples=50,
        control=Groups("job", job.names, job.codes[~rare]),
    )
    assert report.strata is not None
    row = report.strata.pooled.iloc[0]
    assert (row["left_out"], row["n_strata"], row["covered"]) == ("c", 4, 1.0)


def test_strata_with_one_group_are_named_and_refused_where_all_are() -> None:
    sample, groups, job = random_rows(2)
    alone = Groups("g", groups.names, np.where(job.codes == 3, 1, groups.codes).astype(np.int32))
    report = audit_arrays(sample, [alone], metrics_of(["demographic_parity_difference"]), n_resamples=50, control=job)
    assert report.strata is not None
    assert "Strata with one group of g have nothing to compare: z has only b." in report.strata.notes
    assert np.isnan(report.strata.gaps.loc[("demographic_parity_difference", "g", "z"), "value"])
    same = Groups("same", groups.names, groups.codes)
    with pytest.raises(
        InputError, match=r"A stratum must have two groups to compare. By 'g' each of 'same' has one only"
    ):
        audit_arrays(sample, [groups], metrics_of(["demographic_parity_difference"]), n_resamples=5, control=same)


def test_a_case_is_audited_within_columns_of_its_test_table() -> None:
    case = core.load_case("credit")
    report = core.audit(case, sensitive_feature="sex", control_features=["branch", "age"], n_resamples=100)
    assert report.strata is not None
    assert report.strata.control == "branch & age"
    both = case.test["branch"] + ", " + np.array(case.groups("age", "test").names)[case.groups("age", "test").codes]
    assert report.strata.gaps["n"].groupby(level="stratum").first().to_dict() == both.value_counts().to_dict()
    pd.testing.assert_frame_equal(report.gaps, core.audit(case, sensitive_feature="sex", n_resamples=100).gaps)
    assert all(METRICS[name].compares_groups for name, *_ in report.strata.gaps.index)


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ("brnach", "Got 'brnach'. Did you mean 'branch'"),
        (["one"], "A control feature must have at least two groups"),
        ([], "must name columns"),
        (["branch", "age", "income", "amount"], "at most 200 strata"),
    ],
)
def test_wrong_control_features_end_in_a_sentence(control: Any, said: str) -> None:
    table = core.load_case("credit").test.assign(one="x")
    with pytest.raises(ValueError if control else TypeError, match=said):
        strata_of(table, np.arange(len(table)), Roles("granted", 1, 1, ["sex"]), control)
