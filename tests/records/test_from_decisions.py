"""Influence on decisions against leave-one-out, and the choice of decisions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

import core
from core.attribution.decisions import QUANTITIES, DecisionQuantity
from core.families.boosting.unlearner import LeafRefit
from tests.conftest import make_table

FEATURES = ["age", "debt"]


def simple(model: Any) -> core.Case:
    train, test = make_table(400, 3), make_table(500, 4)
    roles = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person")
    return core.Case(model.fit(train[FEATURES], train["granted"]), train, test, roles)


def mean_of(case: core.Case, rows: Any, quantity: str, decided: Any) -> float:
    place = case.test_ids[case.rows("explore")].isin(rows)
    p = case.scores("explore")[place]
    if quantity == "favorable_score":
        return float(p.mean())
    own = np.where(decided[place] if quantity == "confidence" else case.y("explore")[place], p, 1.0 - p)
    return float(own.mean() if quantity == "confidence" else -np.log(own).mean())


def test_it_predicts_leave_one_out_in_logistic_regression(small_case: core.Case) -> None:
    rows = core.choose_decisions(small_case, "wrongly_refused", sensitive_feature="sex", group="f")
    drawn = np.random.default_rng(0).choice(small_case.record_ids, 20, replace=False)
    without = [core.unlearn(small_case, [one], tolerance=1e-9).case for one in drawn]
    decided = small_case.decisions("explore")
    for quantity in QUANTITIES:
        effects = core.influence_on_decisions(small_case, rows, quantity=quantity)[drawn]
        before = mean_of(small_case, rows, quantity, decided)
        really = [mean_of(case, rows, quantity, decided) - before for case in without]
        assert spearmanr(effects, really).statistic > 0.97
        assert np.polyfit(effects, really, 1)[0] == pytest.approx(1.0, abs=0.15)


def test_it_predicts_leaf_refits_in_boosting() -> None:
    case = simple(GradientBoostingClassifier(n_estimators=20, max_depth=2, random_state=0))
    rows, decided = case.test_ids[case.rows("explore")[:5]], case.decisions("explore")
    effects = core.influence_on_decisions(case, rows, quantity="confidence")
    before, drawn = mean_of(case, rows, "confidence", decided), effects.index[::10]
    really = [
        mean_of(LeafRefit().remove(case, case.positions([one]), 1e-6).case, rows, "confidence", decided)
        for one in drawn
    ]
    assert np.corrcoef(effects[drawn], np.array(really) - before)[0, 1] > 0.95


def test_removing_what_holds_decisions_up_weakens_them_in_forests() -> None:
    case = simple(RandomForestClassifier(10, max_depth=6, random_state=0))
    rows, decided = (
        core.choose_decisions(case, "refused", sensitive_feature="sex", group="m")[:20],
        case.decisions("explore"),
    )
    effects = core.influence_on_decisions(case, rows)
    before = mean_of(case, rows, "confidence", decided)
    order = core.harmful(effects)
    worst, best = (
        mean_of(core.unlearn(case, ids).case, rows, "confidence", decided) - before for ids in (order[:20], order[-20:])
    )
    assert worst < -0.03
    assert worst < best - 0.03


@pytest.mark.parametrize("floor", [None, 0.01])
@pytest.mark.parametrize("quantity", list(QUANTITIES))
def test_derivatives_are_those_of_the_value(small_case: core.Case, quantity: str, floor: float | None) -> None:
    smooth = DecisionQuantity(np.array([3, 5, 8]), quantity).smooth(small_case, "explore", floor)
    eta = np.random.default_rng(0).uniform(0.1, 0.9, len(small_case.rows("explore")))
    gradient = smooth.gradient(eta)
    for row in (3, 4, 8):
        step = 1e-6 * (np.arange(len(eta)) == row)
        slope = (smooth.value(eta + step) - smooth.value(eta - step)) / 2e-6
        assert gradient[row] == pytest.approx(slope, abs=1e-8)


def test_the_causes_come_first_whatever_is_asked(small_case: core.Case) -> None:
    row = core.choose_decisions(small_case, "refused")[:1]
    confidence, score = (
        core.influence_on_decisions(small_case, row, quantity=one) for one in ("confidence", "favorable_score")
    )
    assert core.harmful(confidence)[:20].equals(core.harmful(score)[:20])
    np.testing.assert_allclose(confidence, -score)


def test_decisions_are_chosen_by_kind_and_group(small_case: core.Case) -> None:
    places, decided, label = small_case.rows("explore"), small_case.decisions("explore"), small_case.y("explore")
    women, rows = (small_case.test["sex"].iloc[places] == "f").to_numpy(), small_case.test["person"].iloc[places]
    assert core.choose_decisions(small_case).tolist() == rows[decided != label].tolist()
    assert (
        core.choose_decisions(small_case, "refused", sensitive_feature="sex", group="f").tolist()
        == rows[~decided & women].tolist()
    )
    assert core.choose_decisions(small_case, "wrongly_granted").tolist() == rows[decided & ~label].tolist()
    fraud = core.Case(
        small_case.model, small_case.train, small_case.test, small_case.roles.with_(favorable_label=0), confirm=False
    )
    assert core.choose_decisions(fraud, "refused").equals(fraud.test_ids[fraud.decisions("test")])


def test_a_test_row_is_named_by_its_id_or_by_where_it_stands(small_case: core.Case) -> None:
    assert small_case.test_ids.tolist() == small_case.test["person"].tolist()
    for test in (
        small_case.test.drop(columns="person"),
        small_case.test.assign(person="p1"),
        small_case.test.assign(person=np.where(small_case.test["person"] == "p1", None, small_case.test["person"])),
    ):
        case = core.Case(small_case.model, small_case.train, test.iloc[::-1], small_case.roles)
        assert case.test_ids.equals(pd.RangeIndex(len(test), name="row"))
        with pytest.raises(core.RedressError, match="name rows by their original position"):
            core.influence_on_decisions(case, [0], by="record")
        rows = core.choose_decisions(case)[:3]
        assert np.isin(rows, case.rows("explore")).all()
        assert core.influence_on_decisions(case, rows).index.equals(case.retained_ids)


def test_positions_of_test_rows_still_work_and_say_that_ids_are_asked_for(small_case: core.Case) -> None:
    places = small_case.rows("explore")[:2]
    by_id = core.influence_on_decisions(small_case, small_case.test["person"].iloc[places], by="record")
    assert by_id.equals(core.influence_on_decisions(small_case, small_case.test_ids[places]))
    for given, by in ((places, None), (places.tolist(), None), (places, "position")):
        with pytest.warns(DeprecationWarning, match=r"will go. Write case.test_ids\[positions\]"):
            assert by_id.equals(core.influence_on_decisions(small_case, given, by=by))


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([], {}, "At least one test row"),
        ([99_999], {}, "Every id must be that of a test row. Unknown: 99999"),
        ([1.5], {}, "Unknown: 1.5"),
        ([99_999], {"by": "position"}, "from 0 to 1,199"),
        ([1.5], {"by": "position"}, "whole numbers"),
        ("p1", {}, "as a list"),
        (["nobody"], {"by": "record"}, "Unknown: 'nobody'"),
        ([0], {"quantity": "confidance"}, "Did you mean 'confidence'"),
    ],
)
def test_what_cannot_be_asked_is_refused(small_case: core.Case, rows: Any, options: Any, said: str) -> None:
    with pytest.raises(core.RedressError, match=said):
        core.influence_on_decisions(small_case, rows, **options)


def test_confirm_rows_and_repeats_are_refused(small_case: core.Case) -> None:
    held, free = (small_case.test_ids[small_case.rows(on)[:1]] for on in ("confirm", "explore"))
    with pytest.raises(core.RedressError, match="must not look at the confirm rows"):
        core.influence_on_decisions(small_case, held)
    with pytest.raises(core.RedressError, match="drop the repeats"):
        core.influence_on_decisions(small_case, [*free, *free])
