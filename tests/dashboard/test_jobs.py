"""Work off the script thread: handed over once, or given up."""

from __future__ import annotations

from threading import Event

import pytest

from dashboard.jobs import GivenUpError, Job, Report


def test_a_result_is_handed_over() -> None:
    got: list[int] = []
    job = Job("Counting", lambda _: 7, got.append)
    assert job.settle(5.0)
    assert got == [7]


def test_slow_work_is_not_waited_for_and_shows_how_far_it_is() -> None:
    go, begun = Event(), Event()

    def work(report: Report) -> int:
        report(0.5, "halfway")
        begun.set()
        go.wait(5.0)
        return 1

    got: list[int] = []
    job = Job("Slow", work, got.append)
    assert begun.wait(5.0)
    assert not job.settle(0.01)
    assert (job.share, job.doing) == (0.5, "halfway")
    go.set()
    assert job.settle(5.0)
    assert got == [1]


def test_work_that_was_given_up_ends_and_hands_nothing_over() -> None:
    begun, ended = Event(), Event()

    def work(report: Report) -> int:
        try:
            begun.set()
            while True:
                report(0.1, "turning")
        finally:
            ended.set()

    got: list[int] = []
    job = Job("Endless", work, got.append)
    assert begun.wait(5.0)
    job.cancel()
    assert ended.wait(5.0), "the thread goes on although the work was given up"
    assert job.settle(1.0)
    assert got == []


def test_what_the_work_raises_reaches_the_page() -> None:
    def work(_: Report) -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Job("Failing", work, lambda _: None).settle(5.0)


def test_work_told_to_stop_hands_over_what_it_has() -> None:
    begun, go = Event(), Event()

    def work(report: Report) -> str:
        begun.set()
        go.wait(5.0)
        try:
            report(0.5, "halfway")
        except GivenUpError:
            return "half"
        return "all"

    got: list[str] = []
    job = Job("Searching", work, got.append, partial=True)
    assert begun.wait(5.0)
    job.stop()
    assert not job.settle(0.01)
    go.set()
    assert job.settle(5.0)
    assert got == ["half"]
