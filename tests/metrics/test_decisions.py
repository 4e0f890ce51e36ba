"""Audits of decisions without a model: as the audit of the case that made them, and by fairlearn where labels are missing."""

from __future__ import annotations

from typing import Any

import fairlearn.metrics as flm
import numpy as np
import pandas as pd
import pytest

import core
from core.errors import InputError, InputTypeError, NotSupportedError

ROLES = core.Roles("granted", 1, 1, ["sex", "age"], bins={"age": [30, 45, 60]})


@pytest.fixture(scope="module")
def case() -> core.Case:
    return core.load_case("credit")


@pytest.fixture(scope="module")
def table(case: core.Case) -> pd.DataFrame:
    """Return the test rows with decisions and scores of the case, weights, and decisions in words."""
    decided = case.decisions("test")
    return case.test.assign(
        decided=decided.astype(int),
        words=np.where(decided, "yes", "no"),
        score=case.scores("test"),
        w=np.random.default_rng(0).lognormal(0, 0.5, len(decided)),
    )


def test_with_decisions_scores_and_labels_it_is_the_audit_of_the_case(case: core.Case, table: pd.DataFrame) -> None:
    options: dict[str, Any] = {
        "where": "branch != 'north'",
        "sample_weight": "w",
        "control_features": ["branch"],
        "n_resamples": 100,
    }
    weighted = core.Case(case.model, case.train, table, case.roles, confirm=False)
    expected = core.audit(weighted, on="test", reference={"sex": "male"}, **options)
    for columns in ({"decisions": "decided", "scores": "score"}, {"scores": "score"}, {"decisions": "score"}):
        found = core.audit_decisions(table, case.roles, reference={"sex": "male"}, **columns, **options)
        pd.testing.assert_frame_equal(found.gaps, expected.gaps)
        pd.testing.assert_frame_equal(found.by_group, expected.by_group)
        assert found.strata is not None
        assert expected.strata is not None
        pd.testing.assert_frame_equal(found.strata.pooled, expected.strata.pooled)


@pytest.mark.parametrize("weighted", [False, True])
def test_without_labels_selection_rates_are_those_of_fairlearn(table: pd.DataFrame, weighted: bool) -> None:
    roles = core.Roles("outcome", "yes", "yes", ["sex"])
    found = core.audit_decisions(
        table.drop(columns="granted"),
        roles,
        decisions="words",
        sample_weight="w" if weighted else None,
        n_resamples=100,
    )
    weight = table["w"] if weighted else np.ones(len(table))
    frame = flm.MetricFrame(
        metrics=flm.selection_rate,
        y_true=table["decided"],
        y_pred=table["decided"],
        sensitive_features=table["sex"],
        sample_params={"sample_weight": weight},
    )
    np.testing.assert_allclose(found.by_group["selection_rate"].to_numpy(), frame.by_group.to_numpy(), atol=1e-12)
    assert found.gaps.loc[("demographic_parity_difference", "sex"), "value"] == pytest.approx(frame.difference())
    assert found.gaps.loc[("demographic_parity_ratio", "sex"), "value"] == pytest.approx(frame.ratio())
    assert set(found.gaps.index.get_level_values("metric")) == {
        "demographic_parity_difference",
        "demographic_parity_ratio",
    }
    assert list(found.overall.index) == ["selection_rate"]
    assert found.notes[0] == "There are no labels in 'outcome': selection rates, their gaps and ratios alone."
    assert (found.gaps["low"] <= found.gaps["value"]).all()
    assert (found.gaps["value"] <= found.gaps["high"]).all()


def test_labels_that_are_the_decisions_are_none(table: pd.DataFrame) -> None:
    found = core.audit_decisions(table, core.Roles("words", "yes", "yes", ["sex"]), decisions="words", n_resamples=20)
    assert "true_positive_rate" not in found.by_group


def test_scores_of_the_bad_outcome_are_turned(case: core.Case, table: pd.DataFrame) -> None:
    bad = table.assign(refused=1 - table["granted"], risk=1.0 - table["score"])
    roles = core.Roles("refused", 1, 0, ["sex"])
    found = core.audit_decisions(bad, roles, scores="risk", threshold=0.5, n_resamples=20)
    expected = core.audit(case, on="test", sensitive_feature="sex", n_resamples=20)
    for name in ("selection_rate", "true_positive_rate", "roc_auc", "brier_score"):
        np.testing.assert_allclose(found.by_group[name], expected.by_group[name], atol=1e-12)
    capacity = core.audit_decisions(bad, roles, scores="risk", threshold=core.AtRate(0.1), n_resamples=20)
    assert capacity.overall["selection_rate"] == pytest.approx(0.9, abs=0.002)


def test_metrics_that_need_what_is_not_there_are_refused_by_name(table: pd.DataFrame) -> None:
    roles = core.Roles("outcome", "yes", "yes", ["sex"])
    with pytest.raises(NotSupportedError, match="need labels: 'precision_difference'"):
        core.audit_decisions(table, roles, decisions="words", metric="precision_difference")
    labelled = core.Roles("words", "yes", "yes", ["sex"])
    with pytest.raises(NotSupportedError, match="need scores: 'roc_auc'"):
        core.audit_decisions(table.assign(also=table["words"]), labelled, decisions="also", metric="roc_auc")


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({}, {"decisions": "branch"}, "Decisions must be two values, or numbers. 'branch' holds 5"),
        ({}, {"decisions": "wrods"}, "Did you mean 'words'"),
        ({}, {}, "Got neither"),
        ({"words": None}, {"decisions": "words"}, "6,000 of 6,000 in 'words' have none"),
        ({}, {"decisions": "words"}, "One of two decisions must be favorable_label. 'words' holds 'yes', 'no'; got 1"),
        ({}, {"scores": "branch"}, "Scores must be numbers"),
        ({}, {"scores": "income"}, "need a threshold"),
        ({"score": np.nan}, {"scores": "score"}, "6,000 of 6,000 in 'score' are not"),
        ({}, {"decisions": "decided", "where": "age > 200"}, "None of the 6,000 table rows has age > 200"),
        ({}, {"decisions": "decided", "sensitive_feature": "sx"}, "Did you mean 'sex'"),
        ({"granted": [1, None] * 3000}, {"decisions": "decided"}, "Labels must be there for all rows or none. 3,000"),
        ({"granted": ["a", "b"] * 3000}, {"decisions": "decided"}, "Labels must hold favorable_label"),
    ],
)
def test_wrong_input_ends_in_a_sentence(
    table: pd.DataFrame, changes: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        core.audit_decisions(table.assign(**changes), ROLES, **options)


def test_wrong_kinds_end_in_a_sentence(table: pd.DataFrame) -> None:
    with pytest.raises(InputTypeError, match="pandas DataFrame"):
        core.audit_decisions([1], ROLES, decisions="decided")  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="several as a list"):
        core.audit_decisions(table, ROLES, decisions="decided", sensitive_feature=3)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="`threshold` must be a finite number"):
        core.audit_decisions(table, ROLES, scores="score", threshold="high")  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match=r"core\.Roles"):
        core.audit_decisions(table, {}, decisions="decided")  # type: ignore[arg-type]


def test_a_slice_that_leaves_no_positives_leaves_their_rates_undefined(table: pd.DataFrame) -> None:
    found = core.audit_decisions(table, ROLES, decisions="decided", where="granted = 0", n_resamples=20)
    assert found.by_group["true_positive_rate"].isna().all()
    assert found.gaps.loc[("equal_opportunity_difference", "sex"), "value"] != 0
    assert any("No value in sex" in note and "true_positive_rate" in note for note in found.notes)
