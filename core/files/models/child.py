"""Calling a function on bytes from outside in a process of its own, under limits."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from core import errors
from core.errors import InputError, LimitError, RedressError
from core.files.models.isolation import forked, spawned
from core.files.models.isolation.command import NotStartedError
from core.files.models.isolation.confine import ChildLimits
from core.files.models.isolation.messages import pack, unpack
from core.files.tables.limits import show_bytes

LIMITS = ChildLimits()
FORKS = sys.platform.startswith("linux")
"""Whether workers are forked from a process that has everything imported; otherwise each starts anew, which takes a few seconds."""

MOST_AT_ONCE = 8
_PLACES = threading.BoundedSemaphore(MOST_AT_ONCE)
_WAITING_S = 0.1
_KINDS = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, RedressError)
}


def in_child(
    function: str,
    payload: Any,
    *,
    what: str = "A file must open",
    limits: ChildLimits = LIMITS,
    looking: Callable[[], None] | None = None,
) -> Any:
    """Return what a function answers that runs in a process of its own, under limits.

    Whatever becomes of that process, this one lives. Costs about 30 ms more than the function and the copying of payload and answer; the first call
    some seconds more, in which the modules are imported.

    Parameters
    ----------
    function : str
        ``"core.module:function"``; it takes the payload alone.
    payload : object
        Plain: `None`, numbers, texts, bytes, numpy's arrays of numbers, and lists, tuples and dictionaries of these. So is the answer.
    what : str
        What must be done within the limits, as errors begin.
    limits : ChildLimits
        On memory, time, open files, threads and the size of the answer.
    looking : callable, optional
        Called again and again meanwhile, by this thread; may raise to give up, which ends the process.

    Returns
    -------
    object

    Raises
    ------
    RedressError
        Of the same kind and with the same sentence as the function raised.
    LimitError
        If a limit is passed.
    InputError
        If the process breaks down, as when compiled code follows a forged number, or the function raises another error.

    Notes
    -----
    The process has no environment, no terminal, and may neither begin others nor write to files or connect to anything. On Linux the system
    limits its memory, processor time, files and threads, and a second process watches memory, time and threads; so no limit hangs on whether one is
    root. Elsewhere a thread of the caller watches time, and memory where ``ps`` tells it; where there is no `resource` (Windows), time alone.

    Examples
    --------
    >>> in_child("core.words:with_article", "elephant")
    'an elephant'
    """
    request = pack({"function": function, "payload": payload})
    look = looking or _not_looking
    while not _PLACES.acquire(timeout=_WAITING_S):
        look()
    try:
        data, why, number = (forked.ask_forked if FORKS else spawned.ask_spawned)(request, limits, look)
    except NotStartedError as error:
        raise RedressError(
            f"A file from outside must be opened in a process of its own. That could not be started ({error}); try again, or make room for it."
        ) from error
    finally:
        _PLACES.release()
    return _answer(data, why, number, limits, what)


def start_early() -> None:
    """Have the process from which children are made ready before the first file comes."""
    if FORKS:
        forked.STARTER.start()


def _answer(data: bytes, why: str, number: int, limits: ChildLimits, what: str) -> Any:
    if why or number:
        raise _ended(why, number, limits, what)
    try:
        said = unpack(data)
        if "answer" in said:
            return said["answer"]
        if "error" in said:
            kind, sentence = said["error"]
            raise _KINDS.get(kind, InputError)(str(sentence))
        if "memory" in said:
            raise _too_much(limits, what)
        failed = str(said["failed"])[:60]
    except (ValueError, LookupError, TypeError) as error:
        if isinstance(error, RedressError):
            raise
        raise _broken("no whole answer came", what) from error
    raise _broken(f"it failed ({failed})", what)


def _ended(why: str, number: int, limits: ChildLimits, what: str) -> RedressError:
    busy = not why and number == getattr(signal, "SIGXCPU", None)
    if why == "time" or busy:
        most = limits.max_cpu_seconds if busy else limits.max_seconds
        return LimitError(
            f"{what} within {most:g} s. This was still being done then, and was given up; save a smaller model."
        )
    if why == "memory":
        return _too_much(limits, what)
    if why == "processes":
        return LimitError(
            f"{what} with one process and {limits.max_threads} threads. This took more, and was given up; set n_jobs to 1 and save the model again."
        )
    if why == "answer":
        return LimitError(
            f"What is opened from a file can take at most {show_bytes(limits.max_answer)}. Got more; save a smaller model."
        )
    return _broken(f"it broke down{f' ({signal.Signals(number).name})' if number > 0 else ''}", what)


def _too_much(limits: ChildLimits, what: str) -> LimitError:
    return LimitError(
        f"{what} within {show_bytes(limits.max_memory)} of memory. This needs more; save a smaller model."
    )


def _broken(how: str, what: str) -> InputError:
    return InputError(f"{what} without breaking the process that does so. Here {how}; save the model again.")


def _not_looking() -> None:
    """Look at nothing."""
