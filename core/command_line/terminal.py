"""Text on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import RedressError
from core.words import printable as plain

__all__ = ["BROKEN", "BadArgumentError", "Output", "plain"]

BROKEN = 1
"""Exit status of a check that found something wrong."""


@dataclass(frozen=True)
class Output:
    """The findings of a command.

    Parameters
    ----------
    text : str
        For people.
    data : dict
        For programs; plain values only.
    status : int
        Exit status.
    """

    text: str
    data: dict[str, Any]
    status: int = 0


class BadArgumentError(RedressError, ValueError):
    """An argument on the command line cannot be used."""
