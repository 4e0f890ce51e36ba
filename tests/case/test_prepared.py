"""What is prepared for a case is made once, on first need, and shared, handed over, dropped and freed as promised."""

from __future__ import annotations

import copy
import gc
import pickle  # noqa: TID251
import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.case.prepared import Prepared
from core.errors import NotSupportedError
from core.families.forest.points import state_of
from core.families.forest.unlearner import Forest
from core.families.logistic.unlearner import Newton
from tests.conftest import make_pipeline_for, make_table

TRAIN, TEST = make_table(400, 1), make_table(300, 2)
NUMBERS = ["age", "debt"]
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")
GAP = "demographic_parity_difference"


def linear() -> core.Case:
    return core.Case(LogisticRegression().fit(TRAIN[NUMBERS], TRAIN["granted"]), TRAIN, TEST, ROLES)


def forest(**options: Any) -> core.Case:
    model = RandomForestClassifier(5, random_state=0, **options).fit(TRAIN[NUMBERS], TRAIN["granted"])
    return core.Case(model, TRAIN, TEST, ROLES)


def boosting() -> core.Case:
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(TRAIN[NUMBERS], TRAIN["granted"])
    return core.Case(model, TRAIN, TEST, ROLES)


METHODS = {"newton": linear, "forest": forest, "leaf_refit": boosting}


def count_adoptions(monkeypatch: pytest.MonkeyPatch, unlearner: type) -> list[str]:
    made, adopt = [], unlearner.adopt

    def counted(self: Any, case: core.Case, progress: Any = None) -> Any:
        made.append(threading.current_thread().name)
        time.sleep(0.05)
        return adopt(self, case, progress)

    monkeypatch.setattr(unlearner, "adopt", counted)
    return made


@pytest.mark.parametrize(("unlearner", "make"), [(Newton, linear), (Forest, forest)])
def test_eight_threads_on_a_fresh_case_prepare_once(monkeypatch: Any, unlearner: Any, make: Any) -> None:
    made, case = count_adoptions(monkeypatch, unlearner), make()
    start, results = threading.Barrier(8), {}

    def ask(number: int) -> None:
        start.wait()
        if number % 2:
            results[number] = core.unlearn(case, [f"p{number}"], method=unlearner.name).case.scores("test")
        else:
            results[number] = core.influence(case, GAP).to_numpy()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(results) == 8
    alone = core.unlearn(make(), ["p3"], method=unlearner.name).case.scores("test")
    np.testing.assert_allclose(results[3], alone, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_the_first_call_pays_and_the_second_does_not(method: str) -> None:
    case = METHODS[method]()
    first, second = (core.unlearn(case, [name], method=method) for name in ("p1", "p2"))
    assert 0.0 < first.seconds_prepare < first.seconds
    assert second.seconds_prepare == 0.0 < second.seconds
    assert core.unlearn(first.case, ["p2"], method=method).seconds_prepare == 0.0
    assert core.unlearn(case, ["p1"], method="refit").seconds_prepare == 0.0


def test_preparing_early_fills_the_slot_of_the_case_itself() -> None:
    case, seen = linear(), []
    assert core.prepare(case, progress=lambda share, _: seen.append(share)) is case
    assert seen[-1] == 1.0
    assert core.prepare(case, progress=lambda *_: pytest.fail("it was prepared")) is case
    assert core.unlearn(case, ["p1"]).seconds_prepare == 0.0


class GivenUpError(Exception):
    pass


@pytest.mark.parametrize("method", METHODS)
def test_a_cancelled_run_leaves_the_slot_empty(method: str) -> None:
    case = METHODS[method]()

    def stop(share: float, _: str) -> None:
        if share > 0.2:
            raise GivenUpError

    with pytest.raises(GivenUpError):
        core.prepare(case, method=method, progress=stop)
    assert method not in case.prepared
    assert core.unlearn(case, ["p1"], method=method).seconds_prepare > 0.0
    assert method in case.prepared


def test_the_next_in_line_makes_what_a_cancelled_run_left() -> None:
    prepared, inside, cancel = Prepared(), threading.Event(), threading.Event()

    def given_up() -> str:
        inside.set()
        cancel.wait()
        raise GivenUpError

    def first() -> None:
        with pytest.raises(GivenUpError):
            prepared.get("trees", given_up)

    found = []
    one = threading.Thread(target=first)
    one.start()
    inside.wait()
    other = threading.Thread(target=lambda: found.append(prepared.get("trees", lambda: "made")))
    other.start()
    cancel.set()
    one.join()
    other.join()
    assert found == ["made"]
    assert prepared.get("trees", lambda: pytest.fail("it was made")) == "made"


def test_who_waits_is_asked_whether_to_go_on() -> None:
    prepared, inside, go_on = Prepared(), threading.Event(), threading.Event()

    def make() -> str:
        inside.set()
        go_on.wait()
        return "made"

    thread = threading.Thread(target=lambda: prepared.get("trees", make))
    thread.start()
    inside.wait()

    def stop(_: float, what: str) -> None:
        assert what.startswith("Waiting")
        raise GivenUpError

    with pytest.raises(GivenUpError):
        prepared.get("trees", lambda: pytest.fail("another makes it"), stop)
    go_on.set()
    thread.join()
    assert "trees" in prepared


def test_a_refusal_is_kept_and_shared_by_thresholds(monkeypatch: Any) -> None:
    model = RandomForestClassifier(3, random_state=0).fit(TRAIN[NUMBERS], 1 - TRAIN["granted"])
    case, made = core.Case(model, TRAIN, TEST, ROLES), count_adoptions(monkeypatch, Forest)
    for same in (case, case.with_threshold(0.4)):
        with pytest.raises(NotSupportedError, match="these rows do not give the fitted trees"):
            core.unlearn(same, ["p1"], method="forest")
    assert len(made) == 1
    assert case.prepared.refusal("forest").startswith("these rows do not give")


def test_cases_that_differ_in_threshold_or_split_share_one_preparation(monkeypatch: Any) -> None:
    made, case = count_adoptions(monkeypatch, Forest), forest()
    other, swapped = case.with_threshold(0.3), case.with_confirm_rows(~case.confirm_mask)
    core.unlearn(other, ["p1"], method="forest")
    for same in (case, other, swapped):
        assert core.unlearn(same, ["p2"], method="forest").seconds_prepare == 0.0
        core.influence(same, GAP)
    assert len(made) == 1
    fresh = core.Case(case.model, TRAIN, TEST, ROLES).with_confirm_rows(~case.confirm_mask)
    np.testing.assert_array_equal(core.influence(swapped, GAP), core.influence(fresh, GAP))


def test_edits_start_afresh_unless_the_unlearner_hands_over() -> None:
    case = core.prepare(linear())
    assert "newton" not in case.with_edits(case.model, case.edits).prepared
    assert "newton" not in core.edit(case, relabel={"p1": 1 - int(case.train_codes[1])}, method="refit").case.prepared
    assert "newton" in core.edit(case, relabel={"p1": 1 - int(case.train_codes[1])}, method="newton").case.prepared


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda case: pickle.loads(pickle.dumps(case))])  # noqa: S301
@pytest.mark.parametrize("method", METHODS)
def test_copies_and_pickles_leave_preparation_out(copied: Any, method: str) -> None:
    case = core.prepare(METHODS[method](), method=method)
    other = copied(case)
    assert method in case.prepared
    assert method not in other.prepared
    assert other.prepared.kept is None
    one, twin = (core.unlearn(of, ["p5"], method=method).case.scores("test") for of in (case, other))
    np.testing.assert_allclose(one, twin, rtol=1e-9)


def test_a_pickle_is_no_larger_for_what_was_prepared() -> None:
    case = forest()
    before = len(pickle.dumps(case))
    core.influence(core.prepare(case), GAP)
    assert len(pickle.dumps(case)) == before


@pytest.mark.parametrize("gone", ["released", "pickled"])
def test_of_a_forest_that_forgot_the_draws_stay(gone: str) -> None:
    case = core.unlearn(forest(), ["p1", "p2"], method="forest").case
    expected = core.unlearn(case, ["p3"], method="forest").case
    if gone == "pickled":
        case = pickle.loads(pickle.dumps(case))  # noqa: S301
    case.release()
    assert "forest" not in case.prepared
    again = core.unlearn(case, ["p3"], method="forest")
    assert again.seconds_prepare > 0.0
    np.testing.assert_array_equal(again.case.scores("test"), expected.scores("test"))
    for tree, twin in zip(state_of(again.case).trees, state_of(expected).trees, strict=True):
        assert (tree.grown.words == twin.grown.words).all()


@pytest.mark.parametrize("method", METHODS)
def test_release_frees_memory(method: str) -> None:
    case = METHODS[method]()
    core.influence(core.prepare(case, method=method), GAP)
    after = core.unlearn(case, ["p1"], method=method).case
    states = [weakref.ref(next(iter(one.prepared._common.slots.values())).value) for one in (case, after)]
    scores, same = [one.scores("test") for one in (case, after)], after.with_threshold(0.4)
    for one in (case, after):
        one.release()
    gc.collect()
    assert [state() for state in states] == [None, None]
    assert method not in same.prepared
    for one, before in zip((case, after), scores, strict=True):
        np.testing.assert_allclose(one.keeping(None).scores("test"), before, rtol=1e-9)
        assert core.unlearn(one, ["p7"], method=method).seconds_prepare > 0.0


def test_a_case_that_nobody_holds_frees_what_was_prepared() -> None:
    case = core.prepare(core.Case(make_pipeline_for(TRAIN), TRAIN, TEST, ROLES))
    core.unlearn(case, ["p1"])
    state = weakref.ref(Newton().prepare(case))
    del case
    assert state() is None
