"""Errors a user can act on: what must hold, what was got, and the way out.

Each is one sentence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from numbers import Integral


class RedressError(Exception):
    """Base of every error that Redress raises on purpose.

    A value that takes several lines is shown on one.
    """

    def __init__(self, *parts: object) -> None:
        super().__init__(*(re.sub(r"\s*\n\s*", " ", part) if isinstance(part, str) else part for part in parts))


class InputError(RedressError, ValueError):
    """A value that was handed in cannot be used."""


class InputTypeError(RedressError, TypeError):
    """An object of the wrong kind was handed in."""


class LimitError(InputError):
    """A file or table exceeds a limit at the door."""


class FrozenError(RedressError, AttributeError):
    """An attribute of a frozen object was to be set or deleted."""


class NotSupportedError(InputError):
    """A method does not fit this model or this request; the sentence says why."""


class StorageError(InputError, OSError):
    """A file or folder cannot be read or written; nothing is half written."""


class LedgerError(RedressError, OSError):
    """A ledger, or the folder of its keys, cannot be read or written; nothing is half written."""


def nearest(name: object, candidates: Iterable[object], *, most: int = 3) -> str:
    """Return a hint naming the candidates closest to `name`, or an empty string.

    Parameters
    ----------
    name : object
        What was asked for.
    candidates : iterable of object
        What exists.
    most : int
        How many to name at most.

    Returns
    -------
    str
        For example ``" Did you mean 'income'?"``, with a leading space.

    Examples
    --------
    >>> nearest("incme", ["income", "age"])
    " Did you mean 'income'?"
    >>> nearest("zzz", ["income", "age"])
    ''
    """
    texts = {str(candidate): candidate for candidate in candidates}
    lowered = {text.lower(): text for text in texts}
    found = difflib.get_close_matches(str(name).lower(), list(lowered), n=most, cutoff=0.6)
    if not found:
        return ""
    return " Did you mean " + " or ".join(repr(lowered[text]) for text in found) + "?"


def said(error: Exception) -> str:
    r"""Return what another library's error says, on one line and without a full stop.

    Its kind where it says nothing.

    Examples
    --------
    >>> said(ValueError("Input X contains NaN.\nSee the docs.")), said(ValueError())
    ('Input X contains NaN', 'ValueError')
    """
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__


def listed(items: Iterable[object], *, most: int = 5) -> str:
    """Return up to `most` items as text, and how many more there are.

    Examples
    --------
    >>> listed([1, 2, 3], most=2)
    '1, 2 and 1 more'
    >>> listed(["a"])
    "'a'"
    """
    values = list(items)
    text = ", ".join(repr(getattr(value, "item", lambda value=value: value)()) for value in values[:most])
    return text if len(values) <= most else f"{text} and {len(values) - most:,} more"


def whole_number(name: str, value: object) -> int:
    """Return a count that was handed in.

    Raises
    ------
    InputError
        Unless it is a whole number of at least 1.

    Examples
    --------
    >>> whole_number("most", 3)
    3
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"`{name}` must be a whole number of at least 1. Got {value!r}.")
    return int(value)
