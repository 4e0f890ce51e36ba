"""Text on a terminal."""

from __future__ import annotations

from core.errors import RedressError
from core.words import printable as plain

__all__ = ["BadArgumentError", "plain"]


class BadArgumentError(RedressError, ValueError):
    """An argument on the command line cannot be used."""
