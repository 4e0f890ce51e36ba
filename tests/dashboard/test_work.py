"""The work on a case: a tree of versions that forgets nothing, as kept and as read again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import core
from core.errors import InputError
from dashboard.history import Step
from dashboard.news import News, news_of
from dashboard.work import Work

A, B, C, D = (Step("unlearn", (i,)) for i in range(4))
START = Work("id", None, "equal_opportunity_difference", "sex")


def test_work_survives_being_written_and_read() -> None:
    steps = (Step("converge"), Step("unlearn", (3, 5), "newton"))
    work = Work("id", core.AtRate(0.1), "precision_ratio", ("sex", "age"), steps, at=1)
    assert START.restored(json.loads(json.dumps(work.to_dict()))) == work
    assert START.restored({"name": "only a name"}) == START


def test_a_record_from_before_versions_branched_is_read() -> None:
    kept = {"steps": [A.to_dict(), B.to_dict()], "at": 1, "threshold": None, "rate": None}
    found = START.restored({**kept, "metric": START.metric, "feature": "sex"})
    assert (found.steps, found.at, found.made) == ((A, B), 1, ((A,), (A, B)))


def test_a_step_after_undo_branches_and_the_abandoned_path_stays() -> None:
    work = Work("id", None, "m", "sex", (A, B), at=1, selection=("a",))
    after = work.taking(C)
    assert (after.steps, after.at, after.selection) == ((A, C), 2, ())
    assert after.made == ((A,), (A, B), (A, C))
    assert [after.parent(i) for i in (1, 2, 3)] == [0, 1, 1]
    assert work.steps == (A, B), "what was there is not changed"
    back = after.going(2)
    assert (back.steps, back.at, back.number) == ((A, B), 2, 2)
    assert back.going(1).steps == (A, B), "redo stays on the path in force"
    assert back.going(3).going(0).steps == (A, C)


def test_going_to_a_version_beside_the_path_redoes_to_what_was_made_from_it_last() -> None:
    work = START.taking(A).taking(B).going(1).taking(C).going(0).taking(D)
    assert work.going(1).steps == (A, C)
    assert work.going(99).number == 0


def test_taking_the_undone_step_again_is_redo() -> None:
    work = START.taking(A).taking(B).going(0)
    again = work.taking(A)
    assert again.made == work.made
    assert (again.steps, again.at) == ((A, B), 1)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=12))
def test_no_version_is_ever_lost_or_renumbered(moves: list[tuple[bool, int]]) -> None:
    work = START
    for take, number in moves:
        before = work.made
        work = work.taking(Step("unlearn", (number,))) if take else work.going(number)
        assert work.made[: len(before)] == before
        assert work.path(work.number) == work.applied
        assert all(work.parent(i) < i for i in range(1, len(work.made) + 1))
        assert START.restored(json.loads(json.dumps(work.to_dict()))) == work


@pytest.mark.parametrize(
    "change",
    [
        {"versions": 3},
        {"versions": [{"parent": 1, **A.to_dict()}]},
        {"versions": [{"parent": 0, "kind": "unlearn"}]},
        {"now": 7},
        {"now": -1},
        {"leaf": "x"},
        {"metric": "no such"},
        {"threshold": "high"},
        {"rate": 7},
        {"feature": None, "metric": 3},
    ],
)
def test_a_damaged_record_is_one_sentence(change: dict[str, object]) -> None:
    kept = START.taking(A).to_dict()
    with pytest.raises(InputError, match="must be as it was written"):
        START.restored({**kept, **change})


def test_news_are_what_others_made_moved_or_set() -> None:
    last = START.taking(A)
    theirs = last.going(0).taking(B)
    own = last.taking(C).knowing(theirs.made, first=True)
    assert news_of(last, theirs, own) == News(made=(2,), there=2, own=(3,))
    assert news_of(last, theirs, last.knowing(theirs.made)) == News(made=(2,), there=2)
    assert news_of(last, last.going(0), last) == News(made=(), there=0)
    assert news_of(last, replace(last, metric="precision_ratio"), last) is None
    assert news_of(last, replace(last, threshold=0.3), last) == News((), 1, threshold=True)
