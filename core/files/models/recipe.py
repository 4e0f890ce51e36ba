"""The recipe of a model: class and parameters, as code to train it anew."""

from __future__ import annotations

from importlib import import_module
from inspect import Parameter, signature
from math import isfinite
from typing import Any

from core.files.models.allowed import CLASSES, canonical
from core.files.models.inert import Made, Name, named

_MOST = 12
_DEEPEST = 12
_PLAIN = (bool, int, float, str, type(None))
_MOST_PIECES = 400
_LONGEST = 1_500
_NOT_ASKED = frozenset({"verbose", "copy", "n_jobs", "memory", "warm_start"})
_USUAL = {
    ("penalty", "l2"),
    ("l1_ratio", None),
    ("max_features", "auto"),
    ("eta0", 0.0),
    ("multi_class", "auto"),
    ("loss", "deviance"),
}
_FORMERLY = {"base_estimator": "estimator", "sparse": "sparse_output"}


def recipe(tree: Any) -> str:
    """Return code that makes an unfitted model like the one in a tree.

    It goes as far as the tree tells.

    Parameters at their defaults are left out.

    Examples
    --------
    >>> forest = Made(Name("sklearn.ensemble._forest", "RandomForestClassifier"))
    >>> forest.state = {"n_estimators": 7, "max_depth": None, "classes_": 3}
    >>> recipe(forest)
    'RandomForestClassifier(n_estimators=7)'
    """
    text = _code(tree, 0, [_MOST_PIECES])
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _code(part: Any, depth: int, left: list[int]) -> str:
    left[0] -= 1
    if depth > _DEEPEST or left[0] < 0:
        return "..."
    if isinstance(part, Made) and named(part.maker):
        return _made(part, depth, left)
    if isinstance(part, Name):
        return part.name
    if isinstance(part, list | tuple):
        inner = ", ".join(_code(one, depth + 1, left) for one in part[:_MOST]) + (", ..." if len(part) > _MOST else "")
        if isinstance(part, list):
            return f"[{inner}]"
        return f"({inner},)" if len(part) == 1 else f"({inner})"
    if isinstance(part, dict):
        pairs = list(part.items())[:_MOST]
        return (
            "{"
            + ", ".join(f"{_code(key, depth + 1, left)}: {_code(value, depth + 1, left)}" for key, value in pairs)
            + "}"
        )
    if isinstance(part, float):  # numpy's among them, which show themselves in another way
        return repr(float(part)) if isfinite(part) else f'float("{float(part)}")'
    if part is None or isinstance(part, bool | int):
        return repr(part)
    return repr(part[:60]) if isinstance(part, str) else "..."


def _made(part: Made, depth: int, left: list[int]) -> str:
    name = canonical(named(part.maker))
    kind = name.rpartition(".")[2]
    held = {_FORMERLY.get(key, key): value for key, value in part.attributes.items()}
    given = []
    for parameter, default in _parameters(name, held).items():
        if parameter in held and parameter not in _NOT_ASKED and not _same(parameter, held[parameter], default):
            given.append(f"{parameter}={_code(held[parameter], depth + 1, left)}")
    return f"{kind}({', '.join(given[:_MOST])})"


def _parameters(name: str, held: dict[str, Any]) -> dict[str, Any]:
    """Return parameters and their defaults; of a class that is not known, what may be one."""
    if name in CLASSES:
        kind = getattr(import_module(CLASSES[name]), name.rpartition(".")[2])
        return {one.name: one.default for one in signature(kind).parameters.values()}
    return {
        key: Parameter.empty
        for key, value in held.items()
        if not key.startswith("_") and not key.endswith("_") and isinstance(value, _PLAIN) and value is not None
    }


def _same(name: str, value: Any, default: Any) -> bool:
    """Tell whether a parameter stands at its default, of today or of earlier releases."""
    if isinstance(value, str) and value in ("deprecated", "warn"):
        return True
    if isinstance(value, Name) and isinstance(default, type):
        return value.name == default.__name__
    if isinstance(value, tuple) and isinstance(default, tuple):
        return len(value) == len(default) and all(_same("", a, b) for a, b in zip(value, default, strict=True))
    if not isinstance(value, _PLAIN):
        return False
    if (name, value) in _USUAL or (isinstance(value, float) and isinstance(default, float) and value != value):
        return (name, value) in _USUAL or default != default
    return isinstance(default, _PLAIN) and value == default and type(value) is type(default)
