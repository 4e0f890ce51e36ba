"""Writing plain values as TOML, which the standard library only reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import InputTypeError


def to_toml(sections: Mapping[str, Mapping[str, Any]]) -> str:
    r"""Return sections of plain values as TOML text.

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
    >>> print(to_toml({"roles": {"target": "granted", "bins": {"age": [25.0, 40.0]}}}))
    [roles]
    target = "granted"
    bins = {"age" = [25.0, 40.0]}
    """
    blocks = []
    for name, section in sections.items():
        lines = [f"{key} = {_value(value)}" for key, value in section.items() if value is not None]
        blocks.append("\n".join([f"[{name}]", *lines]))
    return "\n\n".join(blocks)


def _value(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(key)} = {_value(item)}" for key, item in value.items()) + "}"
    raise InputTypeError(
        f"A role must be text, a number or a truth value to be saved. Got {value!r} ({type(value).__name__}); use one of these."
    )


def _quoted(text: str) -> str:
    # TOML shares JSON's escapes, but allows no bare DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
