"""Rows on threads, matrices on one: how the passes over the rows use the machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from itertools import pairwise
from threading import Event
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import ThreadpoolController

ROWS_PER_TASK = 100_000
SPREAD = 64**3
"""OpenBLAS spreads a product of matrices over threads from about this many multiplications."""


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to the calling thread: on small matrices its own threads wait for one another longer than they work.

    Entering and leaving costs about 0.1 ms.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


def spare_threads(multiplications: int) -> AbstractContextManager[None]:
    """Return `one_blas_thread` for work that BLAS would spread over threads, and nothing for work it would not."""
    return one_blas_thread() if multiplications > SPREAD else nullcontext()


def on_threads(task: Callable[..., Any], work: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return what `task` gives for each item of work: in place for one item, else through joblib's threads (or its Dask backend)."""
    if len(work) == 1:
        return [task(*work[0])]
    return Parallel(n_jobs=-1, prefer="threads")(delayed(task)(*item) for item in work)  # type: ignore[no-any-return]


def in_turn(task: Callable[..., Any], work: Sequence[tuple[Any, ...]]) -> Generator[Any, None, None]:
    """Give what `task` makes of each item of work as soon as it is made, in the order of the work.

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
