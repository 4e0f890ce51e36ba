"""The command that serves the dashboard."""

from __future__ import annotations

import errno
import os
import runpy
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.command_line.terminal import BadArgumentError
from core.files.home import days_kept

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PORT, ADDRESS = 8501, "127.0.0.1"
PORTS_TRIED = 100
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PATIENCE = 10
"""By how much work in the background steps back behind that of other programs."""


def run_command(args: Namespace) -> int:
    """Serve the dashboard until it is stopped, and return the exit status of Streamlit.

    Streamlit reads its settings from `.streamlit` beside the main script, wherever it is started; what follows on the command line
    goes before them.
    """
    if not 1 <= args.port <= 65535:
        raise BadArgumentError(f"--port must be from 1 to 65535. Got {args.port} instead.")
    days_kept()  # Refuses a number of days that is none, before anything is served.
    port = free_port(args.address, args.port)
    if port != args.port:
        print(f"Port {args.port} is in use.")
    host = f"[{args.address}]" if ":" in args.address else args.address
    print(f"Redress is at http://{host}:{port} (stop with Ctrl-C)", flush=True)
    place = [f"--server.address={args.address}", f"--server.port={port}"]
    if args.address not in LOOPBACK:
        place.append("--server.allowedHosts=*")
    with compiling_ahead():
        return _streamlit(["run", str(APP), *place, *args.rest])


def free_port(address: str, first: int) -> int:
    """Return the first port from `first` on that nothing at `address` listens on."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError:
                continue
            except OSError as error:
                if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                    wrong = f"--address must be one of this machine's addresses. Got {address!r} instead."
                    raise BadArgumentError(wrong) from None
                continue
            return port
    raise BadArgumentError(
        f"A free port is needed; {first} to {first + PORTS_TRIED - 1} are taken. Give another with --port."
    )


@contextmanager
def compiling_ahead() -> Iterator[None]:
    """Compile the kernels of every model family meanwhile, at low priority.

    The first removal does not wait for them then.
    """
    command = f"import sys; sys.path[:] = {sys.path!r}; from core.command_line.main import main; main(['kernels'])"
    compiler = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=None if os.name == "nt" else lambda: os.nice(PATIENCE),
    )
    try:
        yield
    finally:
        compiler.terminate()
        compiler.wait()


def _streamlit(arguments: list[str]) -> int:
    """Do in this process what ``python -m streamlit`` does in another.

    Another might not find the package by the same path.
    """
    sys.argv = ["streamlit", *arguments]
    try:
        runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0
