"""Arguments checked before they are used, so that a wrong kind ends in a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np

from core.errors import InputError, InputTypeError, nearest


def check_number(name: str, value: object) -> None:
    """Raise unless an argument is a finite number."""
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(float(value)):
        raise InputTypeError(f"`{name}` must be a finite number. Got {value!r} instead.")


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise unless an argument is one of some names.

    Examples
    --------
    >>> check_choice("by", "records", ("record", "subject"))
    Traceback (most recent call last):
    core.errors.InputError: `by` must be one of record, subject. Got 'records'. Did you mean 'record'?
    """
    known = tuple(choices)
    if not isinstance(value, str) or value not in known:
        raise InputError(f"`{name}` must be one of {', '.join(known)}. Got {value!r}.{nearest(value, known)}")


def check_flag(name: str, value: object) -> None:
    """Raise unless an argument is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InputTypeError(f"`{name}` must be True or False. Got {value!r} instead.")


def check_count(name: str, value: object) -> None:
    """Raise unless an argument is a whole number from 0 up."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise InputError(f"`{name}` must be a whole number, 0 or above. Got {value!r} instead.")


def check_path(value: Any, what: str) -> None:
    """Raise unless an argument is a path."""
    if not isinstance(value, (str, os.PathLike)):
        raise InputTypeError(f"{what} must be given as a path. Got {type(value).__name__}; hand in a text or a Path.")


def check_items(name: str, value: object, of: str) -> None:
    """Raise unless an argument can be gone through, as a list can; a text cannot."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InputTypeError(f"`{name}` must be a list of {of}. Got {value!r} instead.")
