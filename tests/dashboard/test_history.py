"""Versions: kept, replayed when dropped, and told apart by their steps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

import core
from dashboard.history import Step, Versions, revision
from dashboard.kept import Kept


@pytest.fixture
def loads(small_case: core.Case) -> tuple[Versions, list[str]]:
    asked: list[str] = []

    def load(case_id: str) -> core.Case:
        asked.append(case_id)
        return small_case

    return Versions(load, Kept(cases=2)), asked


def test_a_version_is_made_once(loads: tuple[Versions, list[str]]) -> None:
    versions, asked = loads
    steps = (Step("unlearn", (1, 2, 3)),)
    first = versions.get("a", steps)
    assert versions.get("a", steps) is first
    assert asked == ["a"]
    assert first.case.n_retained == 1497
    assert first.result is not None
    assert first.result.n_forgotten == 3


def test_two_that_open_a_case_at_once_make_it_once_and_both_hear_how_far_it_is(
    loads: tuple[Versions, list[str]], small_case: core.Case
) -> None:
    versions, asked = loads
    small_case.release()  # another test may have prepared it
    halfway, heard = Event(), Event()

    def first(share: float, what: str) -> None:
        halfway.set()
        assert heard.wait(10.0)

    def second(share: float, what: str) -> None:
        if what:
            heard.set()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(versions.get, "a", (), first)
        assert halfway.wait(10.0)
        other = pool.submit(versions.get, "a", (), second)
        assert other.result(20.0) is one.result(20.0)
    assert asked == ["a"]


def test_what_was_dropped_is_replayed_to_the_same_model(loads: tuple[Versions, list[str]]) -> None:
    versions, asked = loads
    steps = (Step("unlearn", (1, 2)), Step("unlearn", (7,)))
    before = versions.get("a", steps).case
    versions.kept.drop("a")
    assert versions.peek("a", steps) is None
    after = versions.get("a", steps).case
    assert asked == ["a", "a"]
    assert (before.scores("explore") == after.scores("explore")).all()


def test_only_the_cases_used_last_are_kept(loads: tuple[Versions, list[str]]) -> None:
    versions, _ = loads
    for case_id in ("a", "b", "a", "c"):
        versions.get(case_id)
    assert [case_id for case_id in "abc" if versions.peek(case_id, ()) is not None] == ["a", "c"]


def test_revisions_tell_steps_apart() -> None:
    one, other = Step("unlearn", (1, 23)), Step("unlearn", (12, 3))
    names = {revision(steps) for steps in ((), (one,), (other,), (one, other), (other, one), (Step("converge"),))}
    assert len(names) == 6
    assert revision((one,)) != revision((Step("unlearn", (1, 23), "refit"),))


def test_converging_is_a_version_without_removed_records(loads: tuple[Versions, list[str]]) -> None:
    versions, _ = loads
    version = versions.get("a", (Step("converge"),))
    assert version.result is None
    assert version.case.n_retained == 1500
