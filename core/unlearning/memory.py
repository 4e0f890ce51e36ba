"""How much memory is free, and refusing what would not fit before any of it is taken."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np

from core.errors import InputError, LimitError
from core.files.tables.limits import MIB, show_bytes

VARIABLE = "REDRESS_MAX_MEMORY_MB"
"""Environment variable with the megabytes that one preparation may take, in place of what is free."""

LARGEST_MAPPED = 32 * MIB - 8192
"""Bytes of the largest block that glibc maps on its own and, once it is freed, takes for an ordinary one."""

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def available_memory() -> int | None:
    """Return how many bytes may be taken now.

    What the variable says, else the least of what system, container and process leave free.

    None where nothing of this can be learned.

    Raises
    ------
    InputError
        If the variable holds no number above 0.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        try:
            megabytes = float(given)
        except ValueError:
            megabytes = 0.0
        if not 0.0 < megabytes < float("inf"):
            raise InputError(
                f"{VARIABLE} must be a number of megabytes above 0. Got {given!r}; correct it, or take it out."
            )
        return int(megabytes * MIB)
    found = [free for free in (_of_system(), _of_container(), _of_process()) if free is not None]
    return min(found) if found else None


def check_memory(needed: int, what: str, way_out: str) -> None:
    """Refuse work that needs more memory than there is.

    Parameters
    ----------
    needed : int
        Bytes, estimated.
    what : str
        Begins the sentence: ``"Adopting a forest"``.
    way_out : str
        Ends it.

    Raises
    ------
    LimitError
        Naming both figures.
    """
    free = available_memory()
    if free is not None and needed > free:
        raise LimitError(
            f"{what} must fit into memory. It takes about {show_bytes(needed)} and {show_bytes(free)} are available; {way_out}."
        )


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep up to 64 MiB of what each thread frees, once for the process.

    Large trees are made and let go with every removal; where their memory went back to the system each time, taking it again, page
    by page, took a seventh of one. glibc gives back what exceeds twice the largest block that was mapped on its own, of up to 32 MiB,
    and freed: one is, untouched. Where it was told another size, or is not the allocator, nothing changes.
    """
    np.empty(LARGEST_MAPPED, np.uint8)


def _of_system() -> int | None:
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines) if rest.split()}
    return int(kilobytes["MemAvailable"]) * 1024 if "MemAvailable" in kilobytes else None


def _of_container() -> int | None:
    """Return what the control group leaves free; file pages that can be dropped count as free."""
    try:
        limit = (CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((CGROUP / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used + int(stat.get("inactive_file", 0)))


def _of_process() -> int | None:
    """Return what the limit of the process's address space leaves free."""
    try:
        import resource
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    return max(0, limit - used)
