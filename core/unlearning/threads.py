"""Rows on threads, matrices on one: how the passes over the rows use the machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from itertools import count, pairwise
from threading import Event
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed
from joblib.parallel import ThreadingBackend, get_active_backend
from threadpoolctl import ThreadpoolController

ROWS_PER_TASK = 100_000
SPREAD = 64**3
"""OpenBLAS spreads a product of matrices over threads from about this many multiplications."""


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to the calling thread.

    On small matrices its own threads wait for one another longer than they work.

    Entering and leaving costs about 0.1 ms.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


def spare_threads(multiplications: int) -> AbstractContextManager[None]:
    """Return `one_blas_thread` for work that BLAS would spread, and nothing for other work."""
    return one_blas_thread() if multiplications > SPREAD else nullcontext()


@cache
def processors() -> int:
    """Return how many processors this process may use.

    Asked once, since the answer is read from files.
    """
    return int(cpu_count())


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(processors(), thread_name_prefix="redress-rows")


def on_threads(task: Callable[..., Any], work: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return what `task` gives for each item of work.

    In place for one item, else on this machine's threads.

    Where joblib is told to use another backend, such as Dask, that one gets the work. joblib's own threads are not used: it looks every 10
    milliseconds whether they are done, which is longer than many a removal takes.
    """
    if len(work) == 1:
        return [task(*work[0])]
    if not isinstance(get_active_backend(prefer="threads")[0], ThreadingBackend):
        return Parallel(n_jobs=-1, prefer="threads")(delayed(task)(*item) for item in work)  # type: ignore[no-any-return]
    return _on_own_threads(task, work)


def _on_own_threads(task: Callable[..., Any], work: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Deal the work out to the pool and to the calling thread.

    The thread waits for nobody who has not begun, so that calls may be nested.
    """
    results: list[Any] = [None] * len(work)
    turn = count()

    def take_turns() -> None:
        while (index := next(turn)) < len(work):
            results[index] = task(*work[index])

    others = [_pool().submit(take_turns) for _ in range(min(processors(), len(work)) - 1)]
    try:
        take_turns()
    finally:
        begun = [other for other in others if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()
    return results


def in_turn(task: Callable[..., Any], work: Sequence[tuple[Any, ...]]) -> Generator[Any, None, None]:
    """Give what `task` makes of each item of work as soon as it is made.

    In the order of the work.

    Always on this machine's threads. The caller's code runs in its own thread; where it closes the generator early, work not yet
    begun is left undone.
    """
    stopped = Event()

    def unless_stopped(*item: Any) -> Any:
        return None if stopped.is_set() else task(*item)

    made = Parallel(n_jobs=-1, backend="threading", return_as="generator")(
        delayed(unless_stopped)(*item) for item in work
    )
    try:
        for one in made:  # noqa: UP028 - closing must not reach joblib, which warns of results nobody asked for
            yield one
    finally:
        stopped.set()
        deque(made, maxlen=0)


def spans(n: int) -> list[tuple[int, int]]:
    """Return consecutive spans of rows, one per task.

    Examples
    --------
    >>> spans(150_000)
    [(0, 75000), (75000, 150000)]
    """
    tasks = max(1, -(-n // ROWS_PER_TASK))
    edges = np.linspace(0, n, tasks + 1).astype(int).tolist()
    return list(pairwise(edges))
