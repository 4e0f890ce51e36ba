"""Building a model from an inert tree, part by part."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from core.errors import InputError, LimitError
from core.files.models.allowed import BOOSTERS, CLASSES, FUNCTIONS, LOSSES, TREES, VALUES, canonical
from core.files.models.boosters.build import build_booster
from core.files.models.building.special import generator_of, malformed, random_state_of, tree_of
from core.files.models.building.versions import release_of
from core.files.models.inert import InertArray, Made, Name, named
from core.files.models.pickles.calls import dtype_of
from core.files.models.porting.port import port
from core.files.tables.limits import ModelLimits, show_bytes

_LONGEST_ATTRIBUTE = 80
_PLAIN = (bool, int, float, complex, str, bytes, np.generic, type(None))


def rebuild(tree: Any, limits: ModelLimits) -> tuple[Any, tuple[str, ...]]:
    """Build the model of an inert tree for the installed scikit-learn.

    The tree's types and shape have been checked: `check_shape`, `check_types`.

    Parameters
    ----------
    tree : object
        Inert.
    limits : ModelLimits
        `max_unzipped` bounds the bytes of all arrays.

    Returns
    -------
    object
        As the tree says; what compiled code trusts in it is still to be checked.
    tuple of str
        What a user should know, a sentence each.

    Raises
    ------
    InputError
        If a part is not as scikit-learn makes it.
    """
    builder = _Builder(limits)
    try:
        return builder.build(tree, None), tuple(dict.fromkeys(builder.notes))
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        if isinstance(error, InputError):
            raise
        raise malformed(f"a part is missing or of another kind ({type(error).__name__})") from error


class _Builder:
    def __init__(self, limits: ModelLimits) -> None:
        self.notes: list[str] = []
        self._limits = limits
        self._left = limits.max_unzipped
        self._built: dict[int, Any] = {}

    def build(self, part: Any, release: int | None) -> Any:
        """Return what a part stands for; one that is shared is built once.

        Calls go as deep as the tree, whose levels are limited.
        """
        if isinstance(part, _PLAIN):
            return part
        if isinstance(part, Name):
            return _value(str(part))
        if id(part) not in self._built:
            self._built[id(part)] = self._make(part, release)
        return self._built[id(part)]

    def _make(self, part: Any, release: int | None) -> Any:
        if isinstance(part, list | tuple | set | frozenset):
            return type(part)([self.build(one, release) for one in part])
        if isinstance(part, dict):
            return {self.build(key, release): self.build(value, release) for key, value in part.items()}
        if isinstance(part, InertArray):
            return self._array(part, release)
        return self._object(part, release)

    def _array(self, part: InertArray, release: int | None) -> Any:
        values = part.values
        if values is None:
            raise malformed("an array has no items")
        self._left -= values.nbytes
        if self._left < 0:
            raise LimitError(
                f"A model's arrays can take at most {show_bytes(self._limits.max_unzipped)}. Got more; save a smaller model."
            )
        if values.dtype != object:
            return np.array(values, dtype=values.dtype.newbyteorder("="), order="K", copy=True)
        built = np.empty(values.shape, dtype=object)
        for place, one in enumerate(values.ravel().tolist()):
            built.flat[place] = self.build(one, release)
        return built

    def _object(self, part: Made, release: int | None) -> Any:
        name = canonical(named(part.maker))
        if name in CLASSES:
            return self._instance(part, name, release)
        if name in BOOSTERS:
            made, notes = build_booster(part)
            self.notes += notes
            return made
        if name in LOSSES or name in TREES:
            return None
        if make := _SPECIAL.get(name):
            return make(part)
        args = part.args if isinstance(part.args, tuple) else ()
        if name == "builtins.slice" and len(args) == 3 and all(one is None or type(one) is int for one in args):
            return slice(*args)
        if name == "sklearn.compose._column_transformer._RemainderColsList":
            return self.build(part.attributes.get("data"), release)
        if name in ("collections.OrderedDict", "builtins.dict", "sklearn.utils._bunch.Bunch"):
            return self._mapping(part, args, release, plain=not name.endswith("Bunch"))
        raise malformed(f"{name or 'an object'} is not made as it should be")

    def _mapping(self, part: Made, args: tuple[Any, ...], release: int | None, *, plain: bool) -> Any:
        pairs = [*part.pairs]
        for given in args:
            pairs += list(given.items()) if isinstance(given, dict) else [tuple(pair) for pair in given]
        built = {self.build(key, release): self.build(value, release) for key, value in pairs}
        return built if plain else Bunch(**built)

    def _instance(self, part: Made, name: str, release: int | None) -> Any:
        kind = getattr(import_module(CLASSES[name]), name.rpartition(".")[2])
        held = part.attributes
        if part.items or part.pairs or not (held or part.state in (None, {})):
            raise malformed(f"a {kind.__name__} has a state of another kind")
        release = release_of(held.get("_sklearn_version"), release)
        made = kind.__new__(kind)
        attributes = {key: self.build(value, release) for key, value in held.items() if key != "_sklearn_version"}
        for key in attributes:
            _check_attribute(kind, key)
        vars(made).update(attributes)
        try:
            self.notes += port(made, release)
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            if isinstance(error, InputError):
                raise
            raise malformed(f"a part of {kind.__name__} is missing or of another kind") from error
        return made


def _check_attribute(kind: type, name: str) -> None:
    """Raise where an attribute would take the place of a method."""
    held = getattr(kind, name, None)
    replaces = callable(held) or isinstance(held, property) or hasattr(held, "__set__")
    if len(name) > _LONGEST_ATTRIBUTE or not name.isidentifier() or name.startswith("__") or replaces:
        raise malformed(f"{name[:_LONGEST_ATTRIBUTE]!r} takes the place of what is part of every {kind.__name__}")


def _value(text: str) -> Any:
    name = canonical(text)
    if name not in VALUES and name not in FUNCTIONS:
        raise malformed(f"{name} stands where a value should")
    module, _, last = name.rpartition(".")
    return getattr(import_module(module), last)


_SPECIAL: dict[str, Callable[[Made], Any]] = {
    "sklearn.tree._tree.Tree": tree_of,
    "numpy.dtype": dtype_of,
    "numpy.random._pickle.RandomState": random_state_of,
    "numpy.random._pickle.__randomstate_ctor": random_state_of,
    "numpy.random._pickle.Generator": generator_of,
    "numpy.random._pickle.__generator_ctor": generator_of,
}
