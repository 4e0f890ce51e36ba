"""How far a model is from its refit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError
from core.verification.retrain_gap import SEED
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


def forest_case() -> core.Case:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(900, 3)), columns=["a", "b", "c"])
    table["label"] = (table["a"] + draw.normal(size=900) > 0).astype(int)
    table["group"] = np.where(table["b"] > 0, "x", "y")
    model = RandomForestClassifier(8, random_state=0).fit(table[["a", "b", "c"]][:600], table["label"][:600])
    roles = core.Roles("label", 1, 1, ["group"], features=["a", "b", "c"])
    return core.Case(model, table[:600], table[600:].reset_index(drop=True), roles)


def test_a_forest_says_that_its_draws_were_held_fixed_and_how_far_other_seeds_lie_apart():
    case = forest_case()
    result = core.unlearn(case, range(30))
    assert result.meaning == "equals training again on the retained records with the same random draws"
    assert core.unlearn(case, range(30), method="refit").meaning == "equals training again on the retained records"
    gap = core.retrain_gap(result.case, n_seeds=2)
    rows, kept = case.X_test.iloc[case.rows("explore")], result.case.retained
    scores = [
        RandomForestClassifier(8, random_state=seed)
        .fit(case.X_train[kept], case.train_labels[kept])
        .predict_proba(rows)[:, 1]
        for seed in (0, SEED + 1, SEED + 2)
    ]
    assert gap.spread_mean == pytest.approx(np.mean([np.abs(one - scores[0]).mean() for one in scores[1:]]))
    assert gap.spread_flipped == pytest.approx(
        np.mean([((one > 0.5) != (scores[0] > 0.5)).mean() for one in scores[1:]])
    )
    assert f"in {gap.spread_flipped:.1%} of decisions" in gap.sentence
    assert core.retrain_gap(result.case).n_seeds == 0


def test_beside_a_certificate_it_is_said_why_a_plain_refit_may_lie_farther():
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"a": draw.normal(size=300), "group": ["x", "y"] * 150})
    table["label"] = (table["a"] + draw.normal(size=300) > 0).astype(int)
    model = LogisticRegression().fit(table[["a"]], table["label"])
    case = core.Case(model, table, table, core.Roles("label", 1, 1, ["group"]))
    gap = core.retrain_gap(core.unlearn(case, [1, 2]).case, n_seeds=3)
    assert gap.n_seeds == 0
    assert "the solver 'lbfgs' stops short of it (tol=0.0001)" in gap.sentence


def test_the_number_of_seeds_must_be_whole():
    with pytest.raises(InputError, match="`n_seeds` must be a whole number"):
        core.retrain_gap(forest_case(), n_seeds=-1)
