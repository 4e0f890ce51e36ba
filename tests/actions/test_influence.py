"""Influence against leave-one-out refits, and previews of groups against real removals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.attribution.smooth import SmoothMetric, predictors
from core.errors import InputError, NotSupportedError
from core.unlearning.refit import fit_again
from tests.conftest import make_pipeline_for, make_table

TRAIN, TEST = make_table(1500, 1), make_table(2000, 2)
ROLES = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person")
GAP = "equal_opportunity_difference"


def case_with(**options: object) -> core.Case:
    return core.prepare(core.Case(make_pipeline_for(TRAIN, **options), train=TRAIN, test=TEST, roles=ROLES))


@pytest.mark.parametrize(
    ("options", "metrics", "n_refits"),
    [
        ({}, (GAP, "demographic_parity_ratio", "log_loss", "accuracy", "brier_score_difference"), 80),
        ({"class_weight": "balanced"}, (GAP, "log_loss"), 40),
        ({"fit_intercept": False}, (GAP,), 40),
        ({"solver": "liblinear", "tol": 1e-13, "max_iter": 100_000}, (GAP,), 40),
    ],
    ids=["plain", "balanced", "no intercept", "liblinear"],
)
def test_ranks_as_true_leave_one_out(options, metrics, n_refits):
    case = case_with(**options)
    positions = np.random.default_rng(0).choice(len(TRAIN), n_refits, replace=False)
    refits: dict[int, np.ndarray] = {}
    for metric in metrics:
        smooth = SmoothMetric.of(case, metric, "sex", "explore")
        effects = core.influence(case, metric).to_numpy()[positions]
        if not refits:
            refits = predicted_by_refit(case, positions)
        base = smooth.value(predictors(case.scores("explore")))
        truth = np.array([smooth.value(refits[position]) - base for position in positions])
        assert spearmanr(effects, truth)[0] >= 0.995
        assert np.polyfit(effects, truth, 1)[0] == pytest.approx(1.0, abs=0.05)


def predicted_by_refit(case: core.Case, positions: np.ndarray) -> dict[int, np.ndarray]:
    table = case.X_test.iloc[case.rows("explore")]
    found = {}
    for position in positions:
        retained = np.ones(len(TRAIN), dtype=bool)
        retained[position] = False
        model, _ = fit_again(case, retained)
        found[position] = predictors(model.predict_proba(table)[:, case.pos_column])
    return found


def test_smooth_gradient_is_the_derivative_of_the_smooth_value():
    case = case_with()
    eta = predictors(case.scores("explore"))
    for threshold in (None, core.AtRate(0.3)):
        for metric in (GAP, "demographic_parity_difference", "selection_rate", "recall", "brier_score"):
            smooth = SmoothMetric.of(case.with_threshold(threshold), metric, "sex", "explore")
            if smooth.flagged is not None:
                continue
            along = np.random.default_rng(1).normal(size=len(eta))
            step = 1e-5
            slope = (smooth.value(eta + step * along) - smooth.value(eta - step * along)) / (2 * step)
            assert smooth.gradient(eta) @ along == pytest.approx(slope, rel=1e-4, abs=1e-9)


def test_an_alert_capacity_ignores_what_moves_everybody():
    case = case_with().with_threshold(core.AtRate(0.3))
    smooth = SmoothMetric.of(case, "demographic_parity_difference", "sex", "explore")
    assert smooth.gradient(predictors(case.scores("explore"))).sum() == pytest.approx(0.0, abs=1e-9)


def test_group_previews_follow_real_removals():
    case = case_with()
    draw = np.random.default_rng(2)
    predicted, true = [], []
    for _ in range(50):
        cell = (case.groups("sex", "train").codes == draw.integers(2)) & (case.y_train == draw.integers(2))
        ids = draw.choice(case.record_ids[cell], draw.integers(8, 16), replace=False)
        options = {"metric": [GAP], "sensitive_feature": ["sex"], "n_resamples": 20}
        predicted.append(core.preview(case, ids, **options)["change"].iloc[0])
        true.append(core.compare(case, core.unlearn(case, ids).case, **options)["change"].iloc[0])
    assert np.corrcoef(predicted, true)[0, 1] >= 0.95


def test_the_top_one_percent_do_what_is_predicted():
    case = case_with()
    worst = core.harmful(core.influence(case, GAP))[:15]
    options = {"metric": [GAP], "sensitive_feature": ["sex"], "n_resamples": 20}
    predicted = core.preview(case, worst, **options)["signed_change"].iloc[0]
    true = core.compare(case, core.unlearn(case, worst).case, **options)["signed_change"].iloc[0]
    assert true < 0
    assert predicted == pytest.approx(true, rel=0.2)


def test_harmful_follows_the_better_direction():
    case = case_with()
    gap, parity = core.influence(case, GAP), core.influence(case, "demographic_parity_ratio")
    assert gap[core.harmful(gap)[0]] == gap.min()
    assert parity[core.harmful(parity)[0]] == parity.max()


def test_labels_turned_round_turn_the_sign(small_case):
    flipped = core.Case(small_case.model, small_case.train, small_case.test, ROLES.with_(pos_label=0))
    for metric in (GAP, "log_loss"):
        np.testing.assert_allclose(
            core.influence(flipped, metric), core.influence(small_case, metric), rtol=1e-9, atol=1e-15
        )


def test_removed_records_have_no_influence(small_case):
    after = core.unlearn(small_case, ["p1", "p2"]).case
    effects = core.influence(after, GAP)
    assert len(effects) == len(small_case.record_ids) - 2
    assert "p1" not in effects.index


def test_searching_on_confirm_is_refused(small_case):
    with pytest.raises(InputError, match="confirm"):
        core.influence(small_case, GAP, on="confirm")
    with pytest.raises(InputError, match="confirm"):
        core.preview(small_case, ["p1"], on="confirm")


def test_a_model_without_attribution_is_named():
    case = core.Case(
        make_pipeline_for(TRAIN, l1_ratio=1.0, solver="saga", tol=1e-3), train=TRAIN, test=TEST, roles=ROLES
    )
    with pytest.raises(NotSupportedError, match=r"fits this model: the penalty has an L1 part\. Records can"):
        core.influence(case, GAP)
    other = core.Case(
        AdaBoostClassifier(n_estimators=5).fit(TRAIN[["age", "debt"]], TRAIN["granted"]), TRAIN, TEST, ROLES
    )
    with pytest.raises(NotSupportedError, match=r"boosting, not for an AdaBoostClassifier\. Records can"):
        core.influence(other, GAP)


def test_rows_that_cannot_be_used_are_named_in_a_sentence():
    table, columns = TRAIN.assign(debt=TRAIN["debt"].where(TRAIN.index > 3, 1e300)), ["age", "debt"]
    model = LogisticRegression().fit(TRAIN[columns], TRAIN["granted"])
    case = core.Case(model, train=table, test=TEST, roles=ROLES)
    for call in (lambda: core.influence(case), lambda: core.preview(case, ["p1"])):
        with pytest.raises(
            NotSupportedError,
            match=r"^No attribution method fits this model: column 'debt' holds values .*removed\.$",
        ):
            call()
    for call in (lambda: core.unlearn(case, ["p1"], method="newton"), lambda: core.prepare(case, method="newton")):
        with pytest.raises(
            NotSupportedError, match=r"^The method 'newton' does not fit this case: .* Use 'refit' or 'auto'\.$"
        ):
            call()
    with pytest.raises(NotSupportedError, match="can be converged: column 'debt' holds values"):
        core.converge(case)


def test_preview_carries_warnings(small_case):
    assert core.preview(small_case, [], metric=[GAP])["change"].eq(0).all()
    with pytest.raises(InputError, match="Unknown"):
        core.preview(small_case, ["nobody"], metric=[GAP])
