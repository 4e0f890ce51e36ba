"""Work that takes longer than a page should wait: it runs off the script thread and can be given up."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

Report = Callable[[float, str], None]
"""Called by the work with the share done and what it is doing; raises where the work was given up."""

QUICK_S = 0.3
"""Work done within this time is never shown as waiting."""

_POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="redress")


class GivenUpError(Exception):
    """The work was given up; its thread is to end."""


class Job:
    """One piece of work under way.

    Parameters
    ----------
    title : str
        What is being done, as the page says it.
    work : callable
        Does it on another thread; gets a `Report`.
    then : callable
        Called on the script thread with the result, once.
    name : tuple
        What tells it from other work of its kind.
    partial : bool
        Whether the work, told to stop, ends with what it has found by then; it is waited for.
    """

    def __init__(
        self,
        title: str,
        work: Callable[[Report], Any],
        then: Callable[[Any], None],
        name: tuple[Any, ...] = (),
        *,
        partial: bool = False,
    ) -> None:
        self.title = title
        self.name = name
        self.partial = partial
        self.stopping = False
        self.share = 0.0
        self.doing = ""
        self._then = then
        self._started = time.monotonic()
        self._given_up = Event()
        self._future: Future[Any] = _POOL.submit(work, self._report)

    def _report(self, share: float, doing: str) -> None:
        if self._given_up.is_set():
            raise GivenUpError
        self.share, self.doing = min(max(share, 0.0), 1.0), doing

    @property
    def seconds(self) -> float:
        """Time since it was started."""
        return time.monotonic() - self._started

    @property
    def done(self) -> bool:
        """Whether it has ended, well or badly."""
        return self._future.done()

    def stop(self) -> None:
        """Tell the work to end at its next report; its partial result is waited for."""
        self.stopping = True
        self._given_up.set()

    def cancel(self) -> None:
        """Give the work up: it ends at its next report, and a result that still comes is dropped."""
        self.stopping = False
        self._given_up.set()
        self._future.cancel()

    def settle(self, wait_s: float = 0.0) -> bool:
        """Hand the result over if it is there within `wait_s` seconds; raise what the work raised."""
        if self._given_up.is_set() and not self.stopping:
            return True
        try:
            result = self._future.result(timeout=wait_s)
        except TimeoutError:
            if self._future.done():
                raise
            return False
        self._then(result)
        return True
