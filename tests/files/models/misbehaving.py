"""What code that opens a file could come to do; called in a child."""

import ctypes
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import NotSupportedError


def crash(_: Any) -> None:
    ctypes.string_at(0)


def abort(_: Any) -> None:
    os.abort()


def leave(_: Any) -> None:
    os._exit(0)


def spin(_: Any) -> None:
    while True:
        pass


def sleep(_: Any) -> None:
    time.sleep(1000)


def fill(_: Any) -> None:
    held = [np.ones(1 << 24) for _ in range(1000)]
    raise AssertionError(len(held))


def fill_python(_: Any) -> None:
    held: list[Any] = []
    while True:
        held.append([None] * 1_000_000)


def fill_unseen(_: Any) -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    while True:
        place = libc.malloc(1 << 26)
        if not place:
            raise MemoryError
        ctypes.memset(place, 1, 1 << 26)


def recurse(_: Any) -> Any:
    return recurse(_)


def refuse(_: Any) -> None:
    raise NotSupportedError("`method` must fit. It does not.")


def fail(_: Any) -> None:
    raise KeyError("secret")


def many_threads(n: int) -> None:
    for _ in range(n):
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    time.sleep(1000)


def talk(n: int) -> bytes:
    return bytes(n)


def what_is_allowed(folder: str) -> dict[str, str]:
    def said(call: Any) -> str:
        try:
            call()
        except (OSError, RuntimeError) as error:
            return type(error).__name__
        return "done"

    return {
        "write": said(lambda: Path(folder, "canary").write_text("x")),
        "system": said(lambda: os.system(f"touch {folder}/canary")),  # noqa: S605
        "process": said(lambda: subprocess.run(["touch", f"{folder}/canary"], check=False)),
        "fork": said(os.fork),
        "connect": said(lambda: socket.create_connection(("127.0.0.1", 9))),
        "files": said(lambda: [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]),
        "environment": ",".join(sorted(os.environ)),
    }


def by_hand(folder: str) -> None:
    """Begin a process in a way that Python does not see."""
    if ctypes.CDLL(None).fork() == 0:
        time.sleep(1)
        ctypes.CDLL(None).creat(f"{folder}/canary".encode(), 0o600)
        os._exit(0)
    time.sleep(1000)
