"""The process with all imports done, which forks a keeper and a worker for each request.

It has one thread and opens nothing itself, so that it may be forked. Linux only.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from core.files.models.isolation.confine import ChildLimits, seen
from core.files.models.isolation.worker import to_nowhere, work_on_request

PRELOADED = ("core.files.models.proving", "core.files.models.trial")
LONGEST_REQUEST = 10_000
TRAILER = struct.Struct(">8s12si")
MARK = b"\x00redress"
_LOOK_MS = 50


def serve_requests(control_fd: int) -> NoReturn:
    """Wait for requests until the caller has ended.

    Each request is a socket, with the limits for the bytes that come through it.
    """
    sys.dont_write_bytecode = True
    control = socket.socket(fileno=control_fd)
    for name in PRELOADED:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system takes note of keepers that have ended
    gc.collect()
    gc.freeze()
    while True:
        message, fds, _, _ = socket.recv_fds(control, LONGEST_REQUEST, 1)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            with suppress(BaseException):
                _keep(fds[0], ChildLimits(**json.loads(message)))
            os._exit(0)
        os.close(fds[0])


def _keep(job: int, limits: ChildLimits) -> None:
    """Make a worker, watch it, and say at last how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    alive, held = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        os.setsid()
        to_nowhere()
        work_on_request(job, job, limits)
    os.close(held)  # reading ends when the worker does
    why, status = _watch(pid, job, alive, limits)
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)  # what it may have started
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
    left = memoryview(TRAILER.pack(MARK, why.encode(), number))
    while left:
        left = left[os.write(job, left) :]


def _watch(pid: int, job: int, alive: int, limits: ChildLimits) -> tuple[str, int]:
    looking = select.poll()
    looking.register(alive, select.POLLIN)
    looking.register(job, 0)  # hanging up alone
    start, why = time.monotonic(), ""
    while True:
        found = dict(looking.poll(_LOOK_MS))
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return why, status
        if alive in found:
            looking.unregister(alive)
        why = why or ("left" if job in found else _passed(pid, start, limits))
        if why:
            os.kill(pid, signal.SIGKILL)
            return why, os.waitpid(pid, 0)[1]


def _passed(pid: int, start: float, limits: ChildLimits) -> str:
    return "time" if time.monotonic() - start > limits.max_seconds else seen(pid, limits)
