"""Work off the script thread: handed over once, or given up."""

from __future__ import annotations

import time
from threading import Event

import pytest
from numba.core import event

from dashboard.components import waiting
from dashboard.jobs import GivenUpError, Job, Report
from dashboard.turns import Turns


def test_a_result_is_handed_over() -> None:
    got: list[int] = []
    job = Job("Counting", lambda _: 7, got.append).start()
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
    job = Job("Slow", work, got.append).start()
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
    job = Job("Endless", work, got.append).start()
    assert begun.wait(5.0)
    job.cancel()
    assert ended.wait(5.0), "the thread goes on although the work was given up"
    assert job.settle(1.0)
    assert got == []


def test_what_the_work_raises_reaches_the_page() -> None:
    def work(_: Report) -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Job("Failing", work, lambda _: None).start().settle(5.0)


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
    job = Job("Searching", work, got.append, partial=True).start()
    assert begun.wait(5.0)
    job.stop()
    assert not job.settle(0.01)
    go.set()
    assert job.settle(5.0)
    assert got == ["half"]


def test_work_that_ends_just_after_it_was_looked_at_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    go = Event()
    got: list[int] = []
    job = Job("Ending", lambda _: go.wait(5.0) and 3, got.append).start()
    future = job._future
    assert future is not None
    result = future.result

    def ends_meanwhile(timeout: float | None = None) -> int:
        if timeout is not None:
            go.set()
            result()
            raise TimeoutError
        return int(result())

    monkeypatch.setattr(future, "result", ends_meanwhile)
    assert not job.settle(0.01)
    go.set()
    assert job.settle(5.0)
    assert got == [3]


def test_kernels_that_are_compiled_are_what_is_waited_for() -> None:
    go = Event()
    job = Job("Opening", lambda report: (report(0.0, "reading"), go.wait(5.0)), lambda _: None).start()
    while not job.doing:
        go.wait(0.01)
    assert waiting._doing(job) == ": reading"
    with event.trigger_event("numba:compile"), event.trigger_event("numba:compile"):
        assert "preparing kernels, the first time on this machine" in waiting._doing(job)
    assert waiting._doing(job) == ": reading"
    go.set()
    assert job.settle(5.0)


def test_of_two_that_want_the_same_the_second_waits_and_may_give_up() -> None:
    turns, held, looked, go = Turns(), Event(), Event(), Event()

    def first(_: Report) -> None:
        with turns.take("a"):
            held.set()
            go.wait(5.0)

    def second(report: Report) -> str:
        with turns.take("a", lambda: (looked.set(), report(0.0, ""))[0]):
            return "mine"

    holder = Job("First", first, lambda _: None).start()
    assert held.wait(5.0)
    got: list[str] = []
    impatient, patient = (Job("Second", second, got.append).start() for _ in range(2))
    assert looked.wait(5.0)
    impatient.cancel()
    assert not patient.settle(0.05)
    go.set()
    assert holder.settle(5.0)
    assert patient.settle(5.0)
    assert got == ["mine"]
    with turns.take("a"):
        pass
    until = time.monotonic() + 5.0
    while turns._held and time.monotonic() < until:
        time.sleep(0.02)  # the impatient one looks a few times a second whether it was given up
    assert not turns._held


def test_work_given_up_before_it_began_is_tidied_up_once() -> None:
    tidied: list[str] = []
    queued = Job("Queued", lambda _: None, lambda _: None, never=lambda: tidied.append("queued"))
    queued.cancel()
    queued.cancel()
    ended = Job("Ended", lambda _: 7, lambda _: None, never=lambda: tidied.append("ended")).start()
    assert ended.settle(5.0)
    ended.cancel()
    assert tidied == ["queued"], "what was handed over stays"


def test_work_that_hands_nothing_over_is_tidied_up_after_once_it_has_ended() -> None:
    tidied: list[str] = []
    go, begun = Event(), Event()

    def fails(_: Report) -> None:
        begun.set()
        go.wait(5.0)
        raise MemoryError

    late = Job(
        "Late", lambda _: begun.set() or go.wait(5.0), lambda _: None, never=lambda: tidied.append("late")
    ).start()
    assert begun.wait(5.0)
    late.cancel()
    assert not tidied, "it may still write"
    go.set()
    assert late._future is not None
    assert late._future.result(5.0), "given up too late to end early"
    broken = Job("Broken", fails, lambda _: None, never=lambda: tidied.append("broken")).start()
    with pytest.raises(MemoryError):
        broken.settle(5.0)
    broken.cancel()
    until = time.monotonic() + 5.0
    while len(tidied) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert tidied == ["late", "broken"]


def test_a_result_whose_taking_over_is_cut_off_is_tidied_up_after() -> None:
    tidied: list[str] = []

    def cut_off(_: int) -> None:
        raise KeyboardInterrupt

    job = Job("Cut off", lambda _: 7, cut_off, never=lambda: tidied.append("cut off")).start()
    with pytest.raises(KeyboardInterrupt):
        job.settle(5.0)
    assert not tidied, "the next run of the page may take it over"
    job.cancel()
    assert tidied == ["cut off"]
