"""Parameters of a classifier in a file, as plain values; what is none is left out by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_WORD = re.compile(r"[\w :,.()\[\]{}+-]{0,200}")
_MOST = 2_000
_DEEPEST = 3


class NotPlainError(Exception):
    """A value that is more than numbers, words and lists of them."""


def plain_value(value: Any, depth: int = 0) -> Any:
    """Return a value made of numbers, short words, lists and dictionaries of them.

    Raises
    ------
    NotPlainError
        If it is anything else: a path, a function, an object.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    if depth < _DEEPEST and isinstance(value, list | tuple) and len(value) <= _MOST:
        return type(value)(plain_value(one, depth + 1) for one in value)
    if depth < _DEEPEST and isinstance(value, dict) and len(value) <= _MOST:
        return {plain_value(key, depth + 1): plain_value(one, depth + 1) for key, one in value.items()}
    raise NotPlainError


def plain_parameters(held: Mapping[str, Any], allowed: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters that are plain and allowed, and the names of all others."""
    found: dict[str, Any] = {}
    left: list[str] = []
    known = set(allowed)
    for name, value in held.items():
        try:
            if name not in known:
                raise NotPlainError
            found[name] = plain_value(value)
        except NotPlainError:
            left.append(str(name)[:60])
    return found, left


def one_thread(value: Any) -> int | None:
    """Return a number of threads that a file may ask for: one, or as the machine has it."""
    return 1 if type(value) is int and value == 1 else None
