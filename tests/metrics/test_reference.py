"""Groups against a reference group: by the formulas of AIF360 and Aequitas, and by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import core
from core.case.groups import Groups, intersect
from core.errors import RedressError
from core.metrics.audit import audit_arrays
from core.metrics.catalog import METRICS, metric_of, metrics_of
from core.metrics.reference import reference_groups
from tests.metrics.test_strata import random_rows
from tests.metrics.test_weights import COMPARED


@pytest.mark.parametrize("weighted", [False, True])
def test_differences_and_ratios_to_a_reference_are_those_of_the_rates(weighted: bool) -> None:
    sample, groups, _ = random_rows(3, weighted=weighted)
    report = audit_arrays(sample, [groups], metrics_of(COMPARED), n_resamples=100, reference={"g": "b"})
    assert report.against is not None
    for (rate, _, group), row in report.against.iterrows():  # type: ignore[misc]
        value, reference = report.by_group.loc[("g", group), rate], report.by_group.loc[("g", "b"), rate]
        assert row["difference"] == pytest.approx(value - reference), "AIF360: unprivileged less privileged"
        assert row["ratio"] == pytest.approx(value / reference), (
            "Aequitas: group over reference; AIF360: disparate impact"
        )
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
    for (name, _), row in report.gaps.iterrows():  # type: ignore[misc]
        metric = metric_of(str(name))
        if metric.kind not in ("difference", "ratio"):
            assert np.isnan(row["reference_value"])
            continue
        apart = []
        for rate in metric.rates:
            own, others = report.by_group.loc[("g", "b"), rate], report.by_group.loc[("g", ["a", "c"]), rate]
            apart += list(abs(others - own) if metric.kind == "difference" else np.minimum(others / own, own / others))
        expected = max(apart) if metric.kind == "difference" else min(apart)
        assert row["reference_value"] == pytest.approx(expected), name
        assert row["reference_low"] <= row["reference_value"] <= row["reference_high"]
        assert row["furthest_group"] == ("a", "c")[(np.argmax if metric.kind == "difference" else np.argmin)(apart) % 2]


def test_with_two_groups_the_gap_is_that_to_the_reference() -> None:
    case = core.load_case("credit")
    report = core.audit(case, sensitive_feature="sex", reference={"sex": "male"}, n_resamples=400)
    compared = [METRICS[name].kind in ("difference", "ratio") for name, _ in report.gaps.index]
    own = report.gaps[compared]
    for ours, theirs in (("value", "value"), ("low", "low"), ("high", "high"), ("p_value", "p_value")):
        np.testing.assert_allclose(own[f"reference_{ours}"], own[theirs], atol=1e-12)
    plain = core.audit(case, sensitive_feature="sex", n_resamples=400)
    assert list(report.gaps.columns)[: len(plain.gaps.columns) - 1] == list(plain.gaps.columns)[:-1]
    assert plain.against is None


def test_pairs_cover_and_reject_as_often_as_they_say() -> None:
    rng, covered, rejected, most = np.random.default_rng(2), [], [], []
    for turn in range(90):
        codes = rng.integers(0, 4, 1200).astype(np.int32)
        label = rng.random(1200) < 0.5
        sample = type(random_rows(0)[0])(label, rng.random(1200) < np.array([0.5, 0.5, 0.5, 0.6])[codes])
        report = audit_arrays(
            sample,
            [Groups("g", tuple("abcd"), codes)],
            metrics_of("demographic_parity_difference"),
            n_resamples=400,
            reference={"g": "a"},
            seed=turn,
        )
        assert report.against is not None
        rows, truth = report.against.loc[("selection_rate", "g")], np.array([0.0, 0.0, 0.1])
        covered.append((rows["difference_low"] <= truth) & (truth <= rows["difference_high"]))
        covered.append((rows["ratio_low"] <= 1.0 + 2.0 * truth) & (1.0 + 2.0 * truth <= rows["ratio_high"]))
        rejected.append(rows["p_value"].iloc[:2] < 0.05)
        gap = report.gaps.iloc[0]
        most.append(gap["reference_low"] <= 0.1 <= gap["reference_high"])
    assert 0.9 < np.mean(covered) < 0.98
    assert np.mean(rejected) < 0.09
    assert np.mean(most) > 0.91


def test_references_of_intersections_and_of_one_feature_alone() -> None:
    _, groups, job = random_rows(0)
    both = intersect([groups, job])
    assert reference_groups({("g", "job"): ("b", "x")}, [groups, both]) == {"g & job": both.names.index("b, x")}
    assert reference_groups({"g & job": "b, x"}, [both]) == {"g & job": both.names.index("b, x")}
    assert reference_groups("c", [groups]) == {"g": 2}


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"sx": "male"}, "Got 'sx'. Did you mean 'sex'"),
        ({"sex": "mael"}, "Got 'mael'. Did you mean 'male'"),
        ({"age": "under 30"}, "None of the 2,950 is of 'under 30' by 'age'"),
        (["male"], "must give a group for each sensitive feature"),
    ],
)
def test_wrong_references_end_in_a_sentence(reference: Any, said: str) -> None:
    case = core.load_case("credit")
    where = "age >= 45" if "age" in reference else None
    with pytest.raises(RedressError, match=said.replace("2,950", r"[\d,]+")):
        core.audit(case, where=where, sensitive_feature=["sex", "age"], reference=reference)
