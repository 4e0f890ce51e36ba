"""Plain values as TOML text, as case.toml holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tomli_w

from core.errors import InputTypeError


def to_toml(sections: Mapping[str, Mapping[str, Any]]) -> str:
    r"""Write sections of plain values as TOML text.

    Parameters
    ----------
    sections : mapping of str to mapping
        Values are texts, numbers, truth values, lists and mappings of these; None is left out.

    Raises
    ------
    InputTypeError
        If a value is none of these.

    Examples
    --------
    >>> print(to_toml({"roles": {"target": "granted", "bins": {"age": [25.0, 40.0]}}}), end="")
    [roles]
    target = "granted"
    <BLANKLINE>
    [roles.bins]
    age = [
        25.0,
        40.0,
    ]
    """
    return tomli_w.dumps({name: _plain(section) for name, section in sections.items()})


def _plain(value: Any) -> Any:
    """Return a value as Python's own kinds, mappings without what is None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    raise InputTypeError(
        f"A role must be text, a number or a truth value to be saved. Got {value!r} ({type(value).__name__}); use one of these."
    )
