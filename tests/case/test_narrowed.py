"""Cases that look only at some test rows: everything on them equals the same on a table of these rows alone."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError, NotSupportedError
from tests.conftest import make_table

METRIC = "equal_opportunity_difference"


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    train, test = make_table(1200, 0).fillna({"income": 28.0}), make_table(1600, 1).fillna({"income": 28.0})
    train.loc[(train["sex"] == "f") & (train["age"] < 30), "granted"] = 0
    return train, test


def case_of(train: pd.DataFrame, test: pd.DataFrame, threshold: object = None) -> core.Case:
    features = ["age", "income", "debt"]
    encoded = [table.assign(man=(table["sex"] == "m").astype(int)) for table in (train, test)]
    model = LogisticRegression(max_iter=500).fit(encoded[0][[*features, "man"]], encoded[0]["granted"])
    roles = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person", bins={"age": [30, 50]})
    return core.Case(model, *encoded, roles, threshold, confirm=False)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pair(tables: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[core.Case, core.Case]:
    """Return a case, and the same on a test table of clerks alone."""
    train, test = tables
    return case_of(train, test), case_of(train, test[test["job"] == "clerk"])


WHERE = "job = 'clerk'"


def test_every_call_on_a_slice_equals_the_call_on_its_rows_alone(pair: tuple[core.Case, core.Case]) -> None:
    whole, alone = pair
    ids = whole.record_ids[:60]
    after, other = core.unlearn(whole, ids).case, core.unlearn(alone, ids).case
    report, expected = core.audit(whole, where=WHERE, on="test"), core.audit(alone, on="test")
    pd.testing.assert_frame_equal(report.gaps, expected.gaps)
    pd.testing.assert_frame_equal(report.by_group, expected.by_group)
    assert repr(report).startswith(f"Audit of {len(alone.test):,} test rows where job = 'clerk', 95% intervals")
    pd.testing.assert_frame_equal(core.compare(whole, after, where=WHERE), core.compare(alone, other))
    side, own = core.guardrails(whole, after, where=WHERE), core.guardrails(alone, other)
    pd.testing.assert_frame_equal(side.groups, own.groups)
    assert side.verdict == own.verdict
    assert "test rows searched where job = 'clerk'" in side.sentence
    pd.testing.assert_series_equal(core.influence(whole, METRIC, where=WHERE), core.influence(alone, METRIC))
    best, same = (
        core.take_harmful(whole, METRIC, where=WHERE, expected=False),
        core.take_harmful(alone, METRIC, expected=False),
    )
    assert best.forget.tolist() == same.forget.tolist()
    assert best.after == same.after
    assert "rows searched where job = 'clerk'" in repr(best)


def test_rules_and_plans_for_a_slice_equal_those_for_its_rows_alone(pair: tuple[core.Case, core.Case]) -> None:
    whole, alone = pair
    found, same = (
        core.explain_gap(whole, METRIC, where=WHERE, max_predicates=2, top_k=2, min_responsibility=0.0),
        core.explain_gap(alone, METRIC, max_predicates=2, top_k=2, min_responsibility=0.0),
    )
    pd.testing.assert_frame_equal(found.table, same.table)
    assert f"on {found.n_rows:,} explore rows where job = 'clerk'" in repr(found)
    again, other = core.expected_gains(found), core.expected_gains(same)
    assert again[0].expected is not None
    assert other[0].expected is not None
    assert again[0].expected.gain == pytest.approx(other[0].expected.gain)
    options = {"target": 0.02, "max_utility_drop": 0.2, "max_records": 60, "n_random": 0, "expected": False}
    plan, planned = (
        core.plan_removal(whole, METRIC, where=WHERE, **options),
        core.plan_removal(alone, METRIC, **options),
    )  # type: ignore[arg-type]
    assert plan.forget.tolist() == planned.forget.tolist()
    assert "searched where job = 'clerk'" in repr(plan)
    assert plan.case.where == ""
    assert len(plan.case.rows("test")) == len(whole.test)


def test_an_alert_capacity_is_shared_among_all_rows(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    case = case_of(*tables, threshold=core.AtRate(0.1))
    chosen, clerks = case.only(WHERE), (case.test["job"] == "clerk").to_numpy()
    np.testing.assert_array_equal(chosen.decisions("test"), case.decisions("test")[clerks])
    assert chosen.cut("test") == case.cut("test")
    with pytest.raises(NotSupportedError, match=r"scores of all rows.*set a threshold"):
        chosen.decide(chosen.scores("test"))


def test_conditions_add_up_and_can_be_left_again(pair: tuple[core.Case, core.Case]) -> None:
    case = pair[0]
    both = case.only(WHERE).only("age >= 40")
    assert both.where == "job = 'clerk' and age >= 40"
    np.testing.assert_array_equal(both.rows("test"), case.only(both.where).rows("test"))
    assert both.key not in (case.key, case.only(WHERE).key)
    assert both.whole().key == case.key
    assert case.only(None) is case
    assert case.whole() is case
    assert copy.deepcopy(both).rows("test").tolist() == both.rows("test").tolist()


def test_wrong_slices_end_in_a_sentence(pair: tuple[core.Case, core.Case]) -> None:
    case = pair[0]
    with pytest.raises(InputError, match="None of the 1,600 test rows has age > 200"):
        case.only("age > 200")
    with pytest.raises(InputError, match="Did you mean 'job'"):
        core.audit(case, where="jobs = 'clerk'")
    with pytest.raises(InputError, match="the rows looked at"):
        core.compare(case, core.unlearn(case, case.record_ids[:3]).case.only(WHERE))
    none = case.only("granted = 0")
    with pytest.raises(InputError, match="defined on the explore rows where granted = 0"):
        core.influence(none, METRIC)
