"""Work that takes longer than a page should wait.

It runs off the script thread and can be given up.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any

Report = Callable[[float, str], None]
"""Called by the work with the share done and what it is doing; raises where the work was given up."""

QUICK_S = 0.3
"""Work done within this time is never shown as waiting."""

LONG_S = 2.0
"""After longer work, what it left behind is collected at once."""

_POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="redress")


class GivenUpError(Exception):
    """The work was given up; its thread is to end."""


class Job:
    """One piece of work, under way once it is started.

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
    never : callable, optional
        Called once if the result is not handed over, as the work was given up or failed; not before the work has ended.
    """

    def __init__(
        self,
        title: str,
        work: Callable[[Report], Any],
        then: Callable[[Any], None],
        name: tuple[Any, ...] = (),
        *,
        partial: bool = False,
        never: Callable[[], None] | None = None,
    ) -> None:
        self.title = title
        self.name = name
        self.partial = partial
        self.stopping = False
        self.share = 0.0
        self.doing = ""
        self._then = then
        self._never = never
        self._started = time.monotonic()
        self._given_up = Event()
        self._work = work
        self._future: Future[Any] | None = None

    def start(self) -> Job:
        """Begin, once; return the job."""
        if self._future is None:
            self._future = _POOL.submit(self._do, self._work)
        return self

    def _do(self, work: Callable[[Report], Any]) -> Any:
        try:
            return work(self._report)
        finally:
            if self.seconds > LONG_S:
                gc.collect()

    def _report(self, share: float, doing: str) -> None:
        if self._given_up.is_set():
            raise GivenUpError
        self.share, self.doing = min(max(share, 0.0), 1.0), doing

    @property
    def seconds(self) -> float:
        """Time since it was started."""
        return time.monotonic() - self._started

    @property
    def queued(self) -> bool:
        """Whether the job waits for other work on this server to end."""
        return self._future is None or not (self._future.running() or self._future.done())

    @property
    def done(self) -> bool:
        """Whether the job has ended, well or badly."""
        return self._future is not None and self._future.done()

    def stop(self) -> None:
        """Tell the work to end at its next report; its partial result is waited for."""
        self.stopping = True
        self._given_up.set()

    def cancel(self) -> None:
        """Give the work up: it ends at its next report, and a result that still comes is dropped."""
        self.stopping = False
        self._given_up.set()
        never, self._never = self._never, None
        if self._future is not None:
            self._future.cancel()
        if never is None:
            return
        if self._future is None:
            never()
        else:
            self._future.add_done_callback(lambda _: never())

    def settle(self, wait_s: float = 0.0) -> bool:
        """Hand the result over if it is there within `wait_s` seconds; raise what the work raised."""
        if self._given_up.is_set() and not self.stopping:
            return True
        if self._future is None or not wait([self._future], wait_s).done:
            return False
        result = self._future.result()
        never, self._never = self._never, None  # The next work takes this one's place, and gives it up, within `then`.
        try:
            self._then(result)
        except BaseException:
            self._never = never
            raise
        return True
