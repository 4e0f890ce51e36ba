"""The shortest prefix of a ranking that has most of what it can gain."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError, NotSupportedError
from core.plans.prefix import sizes_up_to

GAP = "equal_opportunity_difference"
FEATURES = ["income", "debt", "branch", "female"]


def table(n: int, seed: int, *, planted: bool) -> pd.DataFrame:
    """Return applicants; where planted, the favourable labels of women at branch 0 were taken away."""
    draw = np.random.default_rng(seed)
    found = pd.DataFrame(
        {
            "income": draw.normal(size=n),
            "debt": draw.normal(size=n),
            "branch": draw.integers(0, 4, n),
            "female": draw.integers(0, 2, n),
        }
    )
    granted = found["income"] - 0.6 * found["debt"] + 0.8 * draw.logistic(size=n) > 0
    if planted:
        granted &= ~((found["female"] == 1) & (found["branch"] <= 1) & (draw.random(n) < 0.7))
    return found.assign(granted=granted.astype(int))


MODELS: dict[str, Any] = {
    "logistic": lambda: LogisticRegression(),
    "forest": lambda: RandomForestClassifier(20, min_samples_leaf=5, random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=20, random_state=0),
}


@cache
def case_of(name: str, *, planted: bool = True) -> core.Case:
    train, test = table(1600, 1, planted=planted), table(3000, 2, planted=False)
    model = MODELS[name]().fit(train[FEATURES], train["granted"])
    return core.Case(model, train, test, core.Roles("granted", 1, 1, ["female"], features=FEATURES))


def value(case: core.Case, on: str = "explore") -> float:
    return float(core.audit(case, GAP, on=on).gaps["value"].iloc[0])


@pytest.mark.parametrize("name", MODELS)
def test_the_gap_that_is_said_is_that_of_real_removal_and_smaller(name: str) -> None:
    case = case_of(name)
    best = core.take_harmful(case, GAP, expected=False)
    assert len(best.forget) > 0
    assert best.before == pytest.approx(value(case))
    assert best.after == pytest.approx(value(core.unlearn(case, best.forget).case))
    assert best.after < 0.6 * best.before


@pytest.mark.parametrize("name", ["logistic", "forest"])
def test_the_curve_is_what_real_removal_of_each_prefix_gives(name: str) -> None:
    case = case_of(name)
    best = core.take_harmful(case, GAP, expected=False, n_sizes=6)
    for row in best.curve.iloc[[1, -2, -1]].itertuples():
        after = core.unlearn(case, best.ranking[: row.n_removed]).case
        assert row.gap == pytest.approx(value(after), abs=2e-3)
        assert row.gap_low <= row.gap <= row.gap_high
        report = core.audit(after, GAP, on="explore")
        rates = report.by_group["true_positive_rate"]
        assert row.worst_rate == pytest.approx(rates.min(), abs=2e-3)
        assert row.utility == pytest.approx((after.decisions("explore") == after.y("explore")).mean(), abs=2e-3)


def test_the_prefix_is_the_shortest_with_four_fifths_of_the_best_gain_and_stops_before_groups_change_places() -> None:
    case = case_of("logistic")
    best = core.take_harmful(case, GAP, expected=False)
    curve = best.curve
    behind = curve["worst_group"].iloc[0]
    turned = curve.index[(curve["worst_group"] != behind)]
    assert len(turned), "the ranking goes on past zero, or this test shows nothing"
    before_turning = curve.loc[: turned[0] - 1]
    gains = best.before - before_turning["gap"]
    enough = before_turning["n_removed"][gains >= 0.8 * gains.max()]
    assert len(best.forget) == enough.iloc[0]
    assert list(best.forget) == list(core.harmful(core.influence(case, GAP))[: len(best.forget)])


@pytest.mark.parametrize("seed", range(4))
def test_no_larger_gap_is_left_than_was_found_without_any_planted_cause(seed: int) -> None:
    train, test = table(500, 10 + seed, planted=False), table(800, 20 + seed, planted=False)
    model = LogisticRegression().fit(train[FEATURES], train["granted"])
    case = core.Case(model, train, test, core.Roles("granted", 1, 1, ["female"], features=FEATURES))
    best = core.take_harmful(case, GAP, expected=False)
    assert best.after <= best.before
    assert value(core.unlearn(case, best.forget).case) <= value(case)


def test_a_planted_cause_is_expected_to_help_elsewhere_and_none_is_not() -> None:
    true = core.take_harmful(case_of("logistic"), GAP).expected
    assert true is not None
    assert true.helps
    assert true.low < true.gain < true.high
    null = core.take_harmful(case_of("logistic", planted=False), GAP).expected
    assert null is not None
    assert not null.helps


def test_ratios_rates_and_intersections_are_searched_too() -> None:
    case = case_of("logistic")
    ratio = core.take_harmful(case, "equal_opportunity_ratio", expected=False)
    assert ratio.after > ratio.before
    rate = core.take_harmful(case, "accuracy", expected=False)
    assert rate.after >= rate.before
    assert rate.curve["worst_rate"].isna().all()


def test_fewer_records_may_be_asked_for() -> None:
    best = core.take_harmful(case_of("logistic"), GAP, max_records=5, expected=False)
    assert len(best.forget) <= 5
    assert len(best.ranking) == 5


def test_sizes_are_spread_on_a_logarithmic_scale() -> None:
    assert sizes_up_to(0, 5) == []
    assert sizes_up_to(1, 5) == [1]
    assert sizes_up_to(1000, 4) == [1, 10, 100, 1000]


def test_what_cannot_be_searched_is_refused_in_a_sentence() -> None:
    case = case_of("logistic")
    with pytest.raises(InputError, match="confirm"):
        core.take_harmful(case, GAP, on="confirm")
    with pytest.raises(InputError, match="better end"):
        core.take_harmful(case, "flagged_rate")
    with pytest.raises(InputError, match="max_records"):
        core.take_harmful(case, GAP, max_records=0)
    train, test = table(300, 1, planted=True), table(300, 2, planted=False)
    bayes = core.Case(
        AdaBoostClassifier(n_estimators=5).fit(train[FEATURES], train["granted"]),
        train,
        test,
        core.Roles("granted", 1, 1, ["female"], features=FEATURES),
    )
    with pytest.raises(NotSupportedError, match="AdaBoostClassifier"):
        core.take_harmful(bayes, GAP)


def test_it_can_be_cancelled_and_says_how_far_it_is() -> None:
    shares: list[float] = []

    def stop(share: float, doing: str) -> None:
        shares.append(share)
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.take_harmful(case_of("logistic"), GAP, progress=stop)
    assert shares == sorted(shares)
