"""Work on threads: every item once, in its place, nested or failing."""

from __future__ import annotations

import threading

import joblib
import pytest

from core.unlearning import threads


def test_every_item_is_done_once_and_stands_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: 4)
    done = []

    def square(number: int) -> int:
        done.append(number)
        return number * number

    assert threads.on_threads(square, [(number,) for number in range(200)]) == [number**2 for number in range(200)]
    assert sorted(done) == list(range(200))
    assert threads.on_threads(square, []) == []


def test_calls_within_calls_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: 4)

    def sums(number: int) -> int:
        return sum(threads.on_threads(lambda other: other + number, [(other,) for other in range(8)]))

    assert threads.on_threads(sums, [(number,) for number in range(32)]) == [28 + 8 * number for number in range(32)]


def test_another_thread_takes_part_and_its_error_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: 2)
    threads._pool.cache_clear()
    met = threading.Barrier(2, timeout=10)

    def meet(name: str) -> str:
        met.wait()
        return threading.current_thread().name

    assert len(set(threads.on_threads(meet, [("a",), ("b",)]))) == 2

    def fail(number: int) -> int:
        met.wait()
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("not here")
        return number

    with pytest.raises(ValueError, match="not here"):
        threads.on_threads(fail, [(1,), (2,)])


def test_another_backend_gets_the_work() -> None:
    with joblib.parallel_config(backend="loky", n_jobs=1):
        assert threads.on_threads(abs, [(-1,), (2,)]) == [1, 2]
