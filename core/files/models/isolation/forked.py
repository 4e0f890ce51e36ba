"""Asking the starter process for a worker (Linux)."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from core.files.models.isolation.command import ENVIRONMENT, NotStartedError, code
from core.files.models.isolation.confine import ChildLimits
from core.files.models.isolation.starter import MARK, TRAILER
from core.files.models.isolation.worker import LENGTH

_LOOK_S = 0.1
_STARTING_S = 120.0
_PIECE = 1 << 20


class Starter:
    """The starter process of this process; begun on first need, and again where it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, job: socket.socket, limits: ChildLimits) -> None:
        """Hand over a socket through which a request will come.

        Nobody waits here for another's file.
        """
        said = [json.dumps(asdict(limits)).encode()]
        with self._lock:
            for again in (False, True):
                if again or self._ended():
                    self._start()
                try:
                    socket.send_fds(self._running(), said, [job.fileno()])
                except OSError:
                    if again:
                        raise
                else:
                    return

    def start(self) -> None:
        """Begin it, so that the first file need not wait for it."""
        with self._lock:
            if self._ended():
                self._start()

    def stop(self) -> None:
        """End it, once what it has under way is done."""
        with self._lock:
            if self._control is not None and self._owner == os.getpid():
                self._control.close()
                self._control = None

    def _running(self) -> socket.socket:
        if self._control is None:
            raise OSError("no starter")
        return self._control

    def _ended(self) -> bool:
        # A process made by forking this one has a starter of its own.
        return self._process is None or self._owner != os.getpid() or self._process.poll() is not None

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                code(f"core.files.models.isolation.starter:serve_requests({theirs.fileno()})"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # not interrupted from the keyboard
            )
        self._control, self._owner = ours, os.getpid()


STARTER = Starter()
atexit.register(STARTER.stop)


def ask_forked(request: bytes, limits: ChildLimits, looking: Callable[[], None]) -> tuple[bytes, str, int]:
    """Return a worker's answer, the limit it passed, and the signal or code it ended with."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            try:
                STARTER.send(theirs, limits)
            except OSError as error:
                raise NotStartedError(error.strerror) from error
        ours.settimeout(_LOOK_S)
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended; what it said is still to be read
            _send(ours, LENGTH.pack(len(request)), looking)
            _send(ours, request, looking)
        return _receive(ours, limits, looking)


def _send(job: socket.socket, data: bytes, looking: Callable[[], None]) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[job.send(left[:_PIECE]) :]
        except TimeoutError:
            looking()


def _receive(job: socket.socket, limits: ChildLimits, looking: Callable[[], None]) -> tuple[bytes, str, int]:
    data, until = bytearray(), time.monotonic() + limits.max_seconds + _STARTING_S
    while True:
        try:
            piece = job.recv(_PIECE)
        except TimeoutError:
            looking()
            if time.monotonic() > until:
                return b"", "time", 0
            continue
        except ConnectionResetError:
            piece = b""
        data += piece
        if len(data) > limits.max_answer:
            return b"", "answer", 0
        if not piece:
            break
    said = bytes(data[-TRAILER.size :])
    if len(said) < TRAILER.size or not said.startswith(MARK):
        raise NotStartedError("it ended")
    _, why, number = TRAILER.unpack(said)
    return bytes(data[: -TRAILER.size]), why.rstrip(b"\0").decode(), number
