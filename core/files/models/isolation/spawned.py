"""A new process for each request, for systems without forking.

A thread of the caller watches it.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from typing import IO, NoReturn

from core.files.models.isolation.command import ENVIRONMENT, NotStartedError, code
from core.files.models.isolation.confine import ChildLimits, seen
from core.files.models.isolation.starter import PRELOADED
from core.files.models.isolation.worker import LENGTH, to_nowhere, work_on_request

_LOOK_S = 0.05
_PIECE = 1 << 20


def serve_request(limits: str) -> NoReturn:
    """Answer the one request on standard input."""
    source, sink = os.dup(0), os.dup(1)
    to_nowhere()
    for name in PRELOADED:
        import_module(name)
    work_on_request(source, sink, ChildLimits(**json.loads(limits)))


def ask_spawned(request: bytes, limits: ChildLimits, looking: Callable[[], None]) -> tuple[bytes, str, int]:
    """Return a worker's answer, the limit it passed, and the signal or code it ended with."""
    worker = _begin(limits)
    answer = _Answer(worker, request, limits.max_answer)
    try:
        why = _watch(worker, answer, limits, looking)
    finally:
        worker.kill()
        worker.wait()
        answer.close()
    return bytes(answer.data), why or answer.why, -worker.returncode


def _begin(limits: ChildLimits) -> subprocess.Popen[bytes]:
    said = json.dumps(asdict(limits))
    try:
        return subprocess.Popen(  # noqa: S603
            code(f"core.files.models.isolation.spawned:serve_request({said!r})"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.path.abspath(os.sep),
            env=ENVIRONMENT,
            start_new_session=True,
        )
    except OSError as error:
        raise NotStartedError(error.strerror) from error


def _watch(worker: subprocess.Popen[bytes], answer: _Answer, limits: ChildLimits, looking: Callable[[], None]) -> str:
    until = time.monotonic() + limits.max_seconds
    while not answer.whole.wait(_LOOK_S):
        looking()
        why = "time" if time.monotonic() > until else seen(worker.pid, limits)
        if why:
            return why
    with suppress(subprocess.TimeoutExpired):
        worker.wait(max(until - time.monotonic(), 1.0))
    return ""


class _Answer:
    """Threads that write a request to a worker and read what it says until its end."""

    def __init__(self, worker: subprocess.Popen[bytes], request: bytes, most: int) -> None:
        self.data = bytearray()
        self.why = ""
        self.whole = threading.Event()
        self._most = most
        if worker.stdin is None or worker.stdout is None:
            raise OSError("a worker without pipes")
        self._pipes = (worker.stdin, worker.stdout)
        self._threads = [
            threading.Thread(target=self._tell, args=(worker.stdin, request), daemon=True),
            threading.Thread(target=self._hear, args=(worker.stdout,), daemon=True),
        ]
        for one in self._threads:
            one.start()

    def close(self) -> None:
        """Let go of the pipes of a worker that has ended."""
        for one in self._threads:
            one.join()
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.close()

    def _tell(self, pipe: IO[bytes], request: bytes) -> None:
        with suppress(OSError):
            pipe.write(LENGTH.pack(len(request)))
            pipe.write(request)
            pipe.flush()

    def _hear(self, pipe: IO[bytes]) -> None:
        with suppress(OSError):
            while piece := pipe.read1(_PIECE):  # type: ignore[attr-defined]
                self.data += piece
                if len(self.data) > self._most:
                    self.why = "answer"
                    break
        self.whole.set()
