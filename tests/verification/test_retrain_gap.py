"""How far a model is from its refit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

import core
from tests.families.boosting.test_unlearner import HIST, make_case


@pytest.mark.parametrize("on", ["explore", "test"])
def test_figures_are_those_of_the_two_models_row_by_row(on):
    case = make_case(HistGradientBoostingClassifier, HIST["plain"])
    done = core.unlearn(case, case.record_ids[case.y_train][:150], method="leaf_refit").case
    gap = core.retrain_gap(done, on=on)
    rows = case.X_test.iloc[case.rows(on)]
    fresh = HistGradientBoostingClassifier(**HIST["plain"]).fit(
        case.X_train[done.retained], case.train_labels[done.retained]
    )
    one, other = (model.predict_proba(rows)[:, 1] for model in (done.model, fresh))
    assert gap.mean == pytest.approx(np.abs(one - other).mean())
    assert gap.largest == pytest.approx(np.abs(one - other).max())
    assert gap.n_flipped == int(((one > 0.5) != (other > 0.5)).sum()) > 0
    assert gap.n == len(rows)
    assert f"{gap.n_flipped:,} of {gap.n:,} decisions" in gap.sentence


def test_refit_itself_has_none():
    case = make_case(HistGradientBoostingClassifier, HIST["plain"])
    gap = core.retrain_gap(core.unlearn(case, case.record_ids[:20], method="refit").case)
    assert (gap.mean, gap.largest, gap.flipped) == (0.0, 0.0, 0.0)
    assert core.retrain_gap(gap.refit).largest == 0.0
