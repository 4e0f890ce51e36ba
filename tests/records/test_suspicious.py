"""Rankings by suspicion, against labels flipped on purpose and against leave-one-out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import core
from core.records.self_influence import self_influence

ROWS = 1500
FEATURES = [f"x{number}" for number in range(6)]


@pytest.fixture(scope="module")
def flipped() -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    X, y = make_classification(ROWS, 6, n_informative=6, n_redundant=0, flip_y=0, class_sep=1.5, random_state=0)
    draw = np.random.default_rng(0)
    wrong = np.isin(np.arange(ROWS), draw.choice(ROWS, ROWS // 20, replace=False))
    table = pd.DataFrame(X, columns=FEATURES).assign(
        y=np.where(wrong, 1 - y, y), sex=draw.choice(["f", "m"], ROWS), person=np.arange(ROWS) // 2
    )
    return table, wrong


def case_of(model: Any, table: pd.DataFrame, **roles: Any) -> core.Case:
    fitted = model.fit(table[FEATURES], table["y"])
    return core.Case(fitted, table, table[:200], core.Roles("y", 1, 1, ["sex"], features=FEATURES, **roles))


@pytest.mark.parametrize("model", [HistGradientBoostingClassifier(max_iter=40), RidgeClassifier()])
def test_flipped_labels_come_first(model: Any, flipped: Any) -> None:
    table, wrong = flipped
    ranked = core.suspicious_labels(case_of(model, table), n_folds=3)
    found = average_precision_score(wrong[ranked.index], ranked["suspicion"])
    assert found > (0.75 if isinstance(model, HistGradientBoostingClassifier) else 0.3)
    assert ranked["suspicion"].is_monotonic_decreasing
    assert ranked["probability"].isna().all() == isinstance(model, RidgeClassifier)


def test_the_loss_is_that_of_cross_validation(flipped: Any) -> None:
    table, _ = flipped
    model = LogisticRegression()
    ranked = core.suspicious_labels(case_of(model, table), n_folds=4, seed=3).sort_index()
    cut = StratifiedKFold(4, shuffle=True, random_state=3)
    p = cross_val_predict(LogisticRegression(), table[FEATURES], table["y"], cv=cut, method="predict_proba")
    np.testing.assert_allclose(ranked["probability"], p[np.arange(ROWS), table["y"]], rtol=1e-10)
    np.testing.assert_allclose(ranked["loss"], -np.log(ranked["probability"]))


def test_self_influence_is_leave_one_out_in_logistic_regression(flipped: Any) -> None:
    table = flipped[0][:120]
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12, class_weight={0: 2.0, 1: 1.0})
    case = case_of(model, table)
    found, really = self_influence(case), []
    for row in range(0, 120, 6):
        again = core.unlearn(case, [row]).case.model
        loss = [-one.predict_log_proba(table[FEATURES])[row, table["y"][row]] for one in (case.model, again)]
        really.append(loss[1] - loss[0])
    np.testing.assert_allclose(found[::6], really, rtol=0.1, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "agree"),
    [
        (HistGradientBoostingClassifier(max_iter=10, random_state=0), 0.9),
        (GradientBoostingClassifier(n_estimators=10, random_state=0), 0.9),
        (GradientBoostingClassifier(n_estimators=1, init="zero", random_state=0), 1.0 - 1e-9),
    ],
)
def test_self_influence_is_what_leaves_without_the_record_do_in_boosting(
    model: Any, agree: float, flipped: Any
) -> None:
    table = flipped[0][:300]
    case, sign = case_of(model, table), np.where(flipped[0]["y"] == 1, 1.0, -1.0)
    rows, really = range(0, 300, 12), []
    for row in rows:
        again = core.unlearn(case, [row], method="leaf_refit").case.model
        raw = [one.decision_function(table[FEATURES][row : row + 1])[0] for one in (case.model, again)]
        loss = np.logaddexp(0.0, -sign[row] * np.array(raw))
        really.append(loss[1] - loss[0])
    assert np.corrcoef(self_influence(case)[rows], really)[0, 1] >= agree


def test_a_forest_is_ranked_by_loss_alone_and_removed_records_are_left_out(flipped: Any) -> None:
    table, _ = flipped
    case = core.unlearn(case_of(RandomForestClassifier(5, random_state=0), table), range(100), method="refit").case
    ranked = core.suspicious_labels(case, n_folds=2)
    assert ranked["self_influence"].isna().all()
    assert "loss alone" in ranked.attrs["notes"][0]
    assert set(ranked.index) == set(range(100, ROWS))
    assert (ranked["loss"].rank().to_numpy() == ranked["suspicion"].rank().to_numpy()).all()


def test_records_of_one_subject_are_judged_together_and_it_can_be_cancelled(flipped: Any) -> None:
    twins = pd.concat([flipped[0][:200]] * 2, ignore_index=True).assign(person=[*range(200)] * 2)
    alone, together = (
        case_of(HistGradientBoostingClassifier(max_iter=20), twins, **roles) for roles in ({}, {"subject_id": "person"})
    )
    losses = [core.suspicious_labels(case, n_folds=3)["loss"].mean() for case in (alone, together)]
    assert losses[1] > losses[0] + 0.1

    def stop(share: float, what: str) -> None:
        if "part 2" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.suspicious_labels(alone, n_folds=3, progress=stop)
    with pytest.raises(core.RedressError, match="from 2 to the records of the rarest class"):
        core.suspicious_labels(alone, n_folds=1)
