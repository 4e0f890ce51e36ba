"""The recipe of a pipeline as a script that makes it, to be trained anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from inspect import Parameter, signature
from math import isfinite
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator

from core.case.libraries.models import library_of

_NOT_ASKED = frozenset({"verbose", "copy", "n_jobs", "memory", "warm_start"})
_WIDE = 100


def script_of(model: Any, columns: Sequence[str]) -> str:
    """Return a script that makes a pipeline like a fitted one, not yet trained.

    Parameters
    ----------
    model : object
        A classifier or pipeline.
    columns : sequence of str
        What it takes; empty where it has no names for its columns.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> print(script_of(LogisticRegression(C=0.5), ["income"]).partition("import ")[2])
    LogisticRegression
    <BLANKLINE>
    columns = ["income"]
    model = LogisticRegression(C=0.5)
    <BLANKLINE>
    <BLANKLINE>
    def train(table, label):
        return model.fit(table[columns], table[label])
    <BLANKLINE>
    """
    imports: set[tuple[str, str]] = set()
    made = _code(model, imports, 0)
    lines = [f"# scikit-learn {sklearn.__version__}"]
    lines += ["import numpy as np"] if "np." in made else []
    modules = {module: sorted(name for one, name in imports if one == module) for module, _ in sorted(imports)}
    lines += [f"from {module} import {', '.join(names)}" for module, names in modules.items()]
    table = "table[columns]" if columns else "table.drop(columns=[label]).to_numpy()"
    lines += ["", *([f"columns = {_code(list(columns), imports, 0)}"] if columns else []), f"model = {made}", "", ""]
    return "\n".join([*lines, "def train(table, label):", f"    return model.fit({table}, table[label])", ""])


def _code(value: Any, imports: set[tuple[str, str]], depth: int) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, BaseEstimator) or library_of(value):
        return _estimator(value, imports, depth)
    if isinstance(value, list | tuple):
        return _sequence(value, imports, depth)
    if isinstance(value, dict):
        pairs = (f"{_code(key, imports, depth)}: {_code(one, imports, depth)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, type) and value.__module__ == "numpy":
        return f"np.{value.__name__}"
    if isinstance(value, np.ufunc):
        return f"np.{value.__name__}"
    if isinstance(value, type):
        return value.__name__
    if type(value).__module__.startswith("sklearn."):
        imports.add((_public(type(value)), type(value).__name__))
    return repr(value)


_UNSET = Parameter("value", Parameter.KEYWORD_ONLY, default=None)
"""For what a library takes beside the parameters its classifier lists."""


def _estimator(made: BaseEstimator, imports: set[tuple[str, str]], depth: int) -> str:
    kind = type(made)
    imports.add((_public(kind), kind.__name__))
    given, first = [], True
    held = made.get_params(deep=False) if library_of(made) else {}
    known = {name: one for name, one in signature(kind).parameters.items() if one.kind is not Parameter.VAR_KEYWORD}
    for name, parameter in {**{name: _UNSET for name, value in held.items() if value is not None}, **known}.items():
        value = held.get(name) if held else getattr(made, name)
        if name not in _NOT_ASKED and (parameter.default is Parameter.empty or not _same(value, parameter.default)):
            code = _code(value, imports, depth)
            given.append(code if first and parameter.default is Parameter.empty else f"{name}={code}")
        first = False
    return f"{kind.__name__}({', '.join(given)})"


def _sequence(value: Any, imports: set[tuple[str, str]], depth: int) -> str:
    parts = [_code(one, imports, depth + 1) for one in value]
    opening, closing = ("[", "]") if isinstance(value, list) else ("(", ",)" if len(parts) == 1 else ")")
    flat = opening + ", ".join(parts) + closing
    if len(flat) <= _WIDE or not any(isinstance(one, list | tuple | BaseEstimator) for one in value):
        return flat
    inner = "".join(f"{'    ' * (depth + 1)}{part},\n" for part in parts)
    return f"{opening}\n{inner}{'    ' * depth}{closing.lstrip(',')}"


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, float) and isinstance(default, float) and value != value:
        return default != default
    return type(value) is type(default) and bool(np.all(value == default)) and np.shape(value) == np.shape(default)


def _public(kind: type) -> str:
    """Return the module that a class is imported from: private ones below it left out."""
    parts = kind.__module__.split(".")
    kept = [part for place, part in enumerate(parts) if not any(one.startswith("_") for one in parts[: place + 1])]
    return ".".join(kept)
