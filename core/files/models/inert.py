"""Contents of a model file as data.

Names that nothing resolves, stand-ins that nothing builds, arrays.

Readers of every format end in a tree of these. `None`, `bool`, `int`, `float`, `str`, `bytes`, numpy's scalars, `list`, `tuple`, `dict`, `set` and
`frozenset` stand for themselves; what is shared in the file is one object here, so a tree may be a graph, with cycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InputError, LimitError
from core.files.tables.limits import ModelLimits

MODULES_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg", "UserDict": "collections"}
"""Modules under the names that Python 2 gave them, as protocols 0 to 2 write them."""

LONGEST_NAME = 300
MOST_PATHS = 5_000_000
"""Objects met by someone who walks a tree without noting where they have been."""


@dataclass(frozen=True)
class Name:
    """A class or function as a file names it; it is never imported from here.

    Parameters
    ----------
    module, name : str
        As in the file, save for modules that were renamed since.
    """

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def named(part: Any) -> str:
    """Return a name as ``module.name``, and nothing for whatever else stands in its place.

    The text of that may be without end.
    """
    return str(part) if isinstance(part, Name) else ""


class Made:
    """A stand-in for an object that a file asks to be made.

    It holds what would have been called, with what, and what state it would get.

    Parameters
    ----------
    maker : Name or object
        What would have been called: a class or a function.
    args : tuple
    kwargs : dict
    """

    __slots__ = ("args", "items", "kwargs", "maker", "pairs", "state")

    def __init__(self, maker: Any, args: Any = (), kwargs: dict[Any, Any] | None = None) -> None:
        self.maker = maker
        self.args = args
        self.kwargs = kwargs or {}
        self.state: Any = None
        self.items: list[Any] = []
        self.pairs: list[tuple[Any, Any]] = []

    @property
    def attributes(self) -> dict[str, Any]:
        """The state by name: empty where the file gives none, or another kind of state."""
        state = self.state
        if isinstance(state, tuple) and len(state) == 2:
            state = {**(state[0] or {}), **(state[1] or {})} if all(isinstance(s, dict | None) for s in state) else {}
        return state if isinstance(state, dict) and all(isinstance(key, str) for key in state) else {}


class InertArray:
    """A stand-in for an array: empty until its state has been read.

    Parameters
    ----------
    values : numpy.ndarray, optional
        Read-only where it shares the file's memory; elements of object arrays are parts of the tree.
    """

    __slots__ = ("values",)

    def __init__(self, values: np.ndarray[Any, Any] | None = None) -> None:
        self.values = values


def children(part: Any) -> Iterator[Any]:
    """Yield what a part of a tree holds."""
    if isinstance(part, list | tuple | set | frozenset):
        yield from part
    elif isinstance(part, dict):
        yield from part
        yield from part.values()
    elif isinstance(part, Made):
        yield from (part.maker, part.args, part.state)
        for held in (part.kwargs, part.items, part.pairs):
            if held:
                yield held
    elif isinstance(part, InertArray) and part.values is not None and part.values.dtype == object:
        yield from part.values.ravel(order="K").tolist()


_HOLDERS = (list, tuple, set, frozenset, dict, Made, InertArray)


def parts(tree: Any) -> Iterator[Any]:
    """Yield every part of a tree that can hold others, once, however often it is shared."""
    pending, seen = [tree], set()
    while pending:
        part = pending.pop()
        if isinstance(part, _HOLDERS) and id(part) not in seen:
            seen.add(id(part))
            yield part
            pending.extend(children(part))


def check_shape(tree: Any, limits: ModelLimits) -> None:
    """Check that a tree can be walked by code that notes nothing.

    It has no cycle, few levels, and not too much shared over and over.

    Cost grows with the number of parts and links between them. Nothing here calls itself.

    Parameters
    ----------
    tree : object
        Inert.
    limits : ModelLimits
        `max_depth` bounds the levels.

    Raises
    ------
    InputError
        If a part holds itself.
    LimitError
        If there are more levels, or more ways through the tree, than the limits allow.
    """
    done: dict[int, tuple[int, int]] = {}
    entered: set[int] = set()
    pending: list[tuple[Any, bool]] = [(tree, False)]
    while pending:
        part, left = pending.pop()
        if left:
            entered.discard(id(part))
            done[id(part)] = _below(part, done, limits)
        elif isinstance(part, _HOLDERS) and id(part) not in done:
            if id(part) in entered:
                raise InputError(
                    "A model file must hold objects that do not contain themselves. Got one that does; save the fitted model alone."
                )
            entered.add(id(part))
            pending.append((part, True))
            pending.extend((held, False) for held in _new(part, done))


def _new(part: Any, done: dict[int, tuple[int, int]]) -> Iterator[Any]:
    # Each held object once: the same one twice in a list is not a cycle.
    seen = set()
    for held in children(part):
        if isinstance(held, _HOLDERS) and id(held) not in done and id(held) not in seen:
            seen.add(id(held))
            yield held


def _below(part: Any, done: dict[int, tuple[int, int]], limits: ModelLimits) -> tuple[int, int]:
    levels, paths = 0, 1
    for held in children(part):
        below = done.get(id(held), (0, 1)) if isinstance(held, _HOLDERS) else (0, 1)
        levels, paths = max(levels, below[0]), paths + below[1]
    if levels >= limits.max_depth:
        raise LimitError(f"A model file can nest at most {limits.max_depth} levels. Got more; save a simpler model.")
    if paths > MOST_PATHS:
        raise LimitError(
            f"A model file can hold at most {MOST_PATHS:,} objects, shared ones counted wherever they stand. Got more; save a simpler model."
        )
    return levels + 1, paths
