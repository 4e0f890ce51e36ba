"""Training again on what is retained, without forgetting more."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.unlearning.refit import fit_again
from tests.families.boosting.test_unlearner import COMPLETE, HIST, NUMBERS, ROLES, TEST, make_case


def test_makes_a_chain_of_leaf_refits_exact():
    case = make_case(HistGradientBoostingClassifier, HIST["plain"], weighted=True)
    removed = case
    for start in (0, 40, 90):
        removed = core.unlearn(removed, case.record_ids[start : start + 30], method="leaf_refit").case
    result = core.refit(removed).case
    np.testing.assert_array_equal(result.retained, removed.retained)
    weight = case.train_weight[removed.retained]
    fresh = HistGradientBoostingClassifier(**HIST["plain"]).fit(
        case.X_train[removed.retained], case.train_labels[removed.retained], sample_weight=weight
    )
    np.testing.assert_array_equal(result.scores("test"), fresh.predict_proba(case.X_test)[:, 1])
    assert (result.scores("test") != removed.scores("test")).any()


def test_refitted_case_is_unlearned_from_again_as_if_at_once():
    case = make_case(GradientBoostingClassifier, {"n_estimators": 10, "random_state": 0})
    again = core.refit(core.unlearn(case, case.record_ids[:50], method="leaf_refit").case).case
    result = core.unlearn(again, case.record_ids[50:60], method="leaf_refit").case
    at_once = core.unlearn(case, case.record_ids[:60], method="refit").case
    np.testing.assert_array_equal(core.refit(result).case.scores("test"), at_once.scores("test"))


def stages(model, progress, **options):
    features = model.fit(COMPLETE[NUMBERS], COMPLETE["granted"])
    case = core.Case(features, train=COMPLETE, test=TEST, roles=ROLES.with_(features=tuple(NUMBERS), **options))
    return case, core.refit(case, progress=progress).case


@pytest.mark.parametrize("weight", [None, "weight"])
def test_gradient_boosting_reports_its_stages_inside_a_pipeline_too(weight):
    said = []
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=5, random_state=0))
    case, result = stages(model, lambda share, what: said.append((share, what)), sample_weight=weight)
    assert [share for share, _ in said] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    silent, _ = fit_again(case, case.retained)
    np.testing.assert_array_equal(result.scores("test"), silent.predict_proba(case.X_test)[:, 1])


def test_is_cancelled_between_stages():
    def stop(share, _):
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stages(GradientBoostingClassifier(n_estimators=5), stop)


def test_other_models_report_before_and_after():
    said = []
    stages(HistGradientBoostingClassifier(max_iter=3), lambda share, _: said.append(share))
    assert said == [0.0, 1.0]
