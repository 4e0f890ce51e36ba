"""The process that opens a file: one request, one answer, and it ends."""

from __future__ import annotations

import contextlib
import os
import struct
import warnings
from importlib import import_module
from typing import Any, NoReturn

from core.errors import RedressError
from core.files.models.isolation.confine import ChildLimits, confine, give_back
from core.files.models.isolation.messages import pack, unpack

LENGTH = struct.Struct(">Q")
_PIECE = 1 << 20


def work_on_request(source: int, sink: int, limits: ChildLimits) -> NoReturn:
    """Answer one request under limits, and end this process.

    Parameters
    ----------
    source, sink : int
        Files open for reading the request, preceded by its length, and for writing the answer.
    limits : ChildLimits
    """
    code = 1
    with contextlib.suppress(BaseException):
        warnings.simplefilter("ignore")
        confine(limits)
        _write(sink, _answer(read_message(source)))
        code = 0
    os._exit(code)


def _answer(request: bytes) -> bytes:
    try:
        asked = unpack(request)
        del request
        module, _, name = asked["function"].partition(":")
        return pack({"answer": getattr(import_module(module), name)(asked["payload"])})
    except RedressError as error:
        said: dict[str, Any] = {"error": [type(error).__name__, str(error)]}
    except MemoryError:
        said = {"memory": True}
    except Exception as error:
        said = {"failed": type(error).__name__}
    give_back()
    return pack(said)


def read_message(source: int) -> bytes:
    """Read what is preceded by its length."""
    (length,) = LENGTH.unpack(_read(source, LENGTH.size))
    return _read(source, length)


def _read(source: int, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = os.read(source, min(_PIECE, length - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _write(sink: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(sink, left[:_PIECE]) :]


def to_nowhere() -> None:
    """Let what this process prints go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for one in (0, 1, 2):
        os.dup2(nowhere, one)
    os.close(nowhere)
