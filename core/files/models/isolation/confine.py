"""Limits on the process that opens a file.

What the system holds by itself where it can (`resource`), what Python refuses, and what a watcher sees.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MIB = 1 << 20


@dataclass(frozen=True)
class ChildLimits:
    """Limits of a process that opens a file.

    Parameters
    ----------
    max_memory : int
        Bytes.
    max_cpu_seconds : int
        Time on the processor.
    max_seconds : float
        Time on the clock.
    max_files : int
        Files open at once.
    max_threads : int
        Threads.
    max_answer : int
        Bytes handed back.
    """

    max_memory: int = 1_900 * MIB
    max_cpu_seconds: int = 45
    max_seconds: float = 60.0
    max_files: int = 64
    max_threads: int = 16
    max_answer: int = 768 * MIB


_KEPT_BACK = 48 * MIB
"""Memory with which a worker whose memory has run out still says so."""

_REFUSED = (
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "os.kill",
    "os.killpg",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "pty.spawn",
    "shutil.",
    "socket.",
    "subprocess.Popen",
    "urllib.Request",
    "webbrowser.open",
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def confine(limits: ChildLimits) -> None:
    """Put this process under limits, for good.

    Where there is no `resource` only what Python refuses holds; time and memory are then the watcher's. The system's limit on processes does not
    bind root, and counts all of a user's: Python refuses them too, and the watcher counts.
    """
    if resource is not None:
        ceiling = _address_space(limits)
        _limit("RLIMIT_AS", ceiling - _KEPT_BACK, ceiling)
        spent = ceil(time.process_time())  # on imports
        _limit("RLIMIT_CPU", spent + limits.max_cpu_seconds, spent + limits.max_cpu_seconds + 5)
        _limit("RLIMIT_NOFILE", limits.max_files, limits.max_files)
        _limit("RLIMIT_FSIZE", 0, 0)
        _limit("RLIMIT_CORE", 0, 0)
        _limit("RLIMIT_NPROC", *(2 * [_tasks_of_user() + limits.max_threads]))
    sys.addaudithook(_refuse)


def give_back() -> None:
    """Let this process use the memory kept back."""
    if resource is not None:
        _, ceiling = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    writes = event == "open" and isinstance(args[2], int) and args[2] & _WRITES
    if writes or event.startswith(_REFUSED):
        raise PermissionError(f"{event} is refused in a process that opens files")


def _limit(name: str, soft: int, hard: int) -> None:
    which = getattr(resource, name, None)
    if which is None:
        return
    _, most = resource.getrlimit(which)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    try:
        resource.setrlimit(which, (soft, hard))
    except (ValueError, OSError):  # macOS takes no limit on the address space
        return


def _address_space(limits: ChildLimits) -> int:
    """Return the address space with which a process stays within its memory.

    Memory that it has mapped without using it comes on top.
    """
    try:
        mapped, used = (int(one) * resource.getpagesize() for one in Path("/proc/self/statm").read_text().split()[:2])
    except (OSError, ValueError):
        mapped, used = 1024 * MIB, 256 * MIB
    return max(mapped - used, 0) + limits.max_memory


def _tasks_of_user() -> int:
    """Return how many threads the processes of this user have."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.getuid():
                count += len(os.listdir(process / "task"))
        except OSError:  # it has ended
            continue
    return count


def seen(pid: int, limits: ChildLimits) -> str:
    """Return the limit that a process has passed: ``"memory"``, ``"processes"`` or none."""
    used, threads = usage(pid)
    if used is not None and used > limits.max_memory:
        return "memory"
    return "processes" if threads > limits.max_threads or _has_children(pid) else ""


def usage(pid: int) -> tuple[int | None, int]:
    """Return the bytes of memory that a process uses, and the number of its threads.

    The memory is None where it cannot be told.
    """
    try:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
        return int(lines["VmRSS"].split()[0]) * 1024, int(lines["Threads"])
    except (OSError, KeyError, ValueError):
        return _resident_by_ps(pid), 0


def _resident_by_ps(pid: int) -> int | None:
    if sys.platform.startswith(("linux", "win")):
        return None
    try:
        said = subprocess.run(["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False, timeout=5)  # noqa: S603
        return int(said.stdout) * 1024
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _has_children(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text().strip())
    except OSError:
        return False
