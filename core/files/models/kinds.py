"""Kinds of parts in an inert tree: classes by name, chains, classifiers, what is fitted."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from sklearn.base import ClassifierMixin

from core.files.models.allowed import BOOSTERS, CLASSES, canonical
from core.files.models.inert import InertArray, Made, named, parts
from core.files.models.read import unwrapped


def kind_of(tree: Any) -> str:
    """Return the class of a part of a tree, without its module."""
    if isinstance(tree, Made):
        return canonical(named(tree.maker)).rpartition(".")[2] or "call"
    return "ndarray" if isinstance(tree, InertArray) else type(tree).__name__


def chain_of(model: Any) -> list[Any]:
    """Return the steps of a pipeline, or another object itself.

    Steps of a pipeline within it stand in its place.
    """
    chain, pending = [], [model]
    while pending:
        part = pending.pop(0)
        steps = part.attributes.get("steps") if isinstance(part, Made) and kind_of(part) == "Pipeline" else None
        if isinstance(steps, list) and steps and all(isinstance(one, tuple) and len(one) == 2 for one in steps):
            pending[:0] = [one[1] for one in steps]
        else:
            chain.append(part)
    return chain


@cache
def class_of(name: str) -> type | None:
    """Return the class of the closed table that goes by a name."""
    kind = getattr(import_module(CLASSES[name]), name.rpartition(".")[2]) if name in CLASSES else None
    return kind if isinstance(kind, type) else None


def is_model(part: Any) -> bool:
    """Tell whether a part is a classifier of the closed table."""
    if isinstance(part, Made) and named(part.maker) in BOOSTERS:
        return True
    kind = class_of(canonical(named(part.maker))) if isinstance(part, Made) else None
    return kind is not None and (issubclass(kind, ClassifierMixin) or kind.__name__ == "ThresholdOptimizer")


def holds_model(tree: Any) -> bool:
    """Tell whether a dictionary or a list holds a classifier somewhere."""
    return any(is_model(part) or kind_of(part).endswith("Classifier") for part in parts(tree) if isinstance(part, Made))


def is_fitted(tree: Any) -> bool:
    """Tell whether fitting has left anything in a part, or in the last step of a chain."""
    last = chain_of(unwrapped(tree)[0])[-1]
    attributes = last.attributes if isinstance(last, Made) else {}
    if isinstance(last, Made) and named(last.maker) in BOOSTERS:
        return bool({"_Booster", "__model", "handle", "_handle"} & set(attributes))
    return any(name.endswith("_") and not name.startswith("_") for name in attributes)
