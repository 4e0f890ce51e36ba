"""Whether a model is still what it was when a case took it.

A case relies on its model: scores, preparation and digests are kept. A model is the user's object all the same, and nothing stops them from
writing to its coefficients or fitting it again. So its content is marked when a case takes it, and compared before records leave it, before
it is saved, and before it is held against one trained again. Marks hold within one process and cost a reading of the model's memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from core.case.group_thresholds import scorer
from core.case.libraries.models import content_of
from core.case.scoring import final_estimator
from core.errors import InputError
from core.typing import Array

SHORT = 1 << 15
"""Bytes up to which Python's own hash is as quick."""
PLAIN = frozenset({str, bytes, int, bool, type(None)})
BY_PARTS = ("data", "indices", "indptr", "row", "col", "offsets", "shape")
"""What a sparse matrix is; the rest of it is what it remembers having looked at."""
TREE = ("sklearn.tree._tree", "Tree")
SEARCH_TREES = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")
"""They count how often they were asked."""

ORDINARY: frozenset[Any] = frozenset(
    {object.__reduce_ex__, object.__reduce__, object.__getstate__, BaseEstimator.__getstate__}
)
"""Ways to copy an object that take its attributes and nothing else."""
HOLDERS = (dict, list, tuple, set, frozenset, str, bytes, int, float, complex)
"""What they hold is not among their attributes."""

_plain_state: dict[type, bool] = {}


class ModelMark:
    """The mark of a model's content, taken when it is made.

    Parameters
    ----------
    model : estimator
    like : ModelMark, optional
        Of a model that may share trees with it: these are not read again.
    """

    __slots__ = ("_mark", "_model", "_trees")

    def __init__(self, model: Any, like: ModelMark | None = None) -> None:
        walk = _Walk({} if like is None else like._trees)
        self._model, self._mark = model, walk.of(model)
        self._trees: dict[int, int] = walk.trees

    def check(self) -> None:
        """Raise if the model was changed since.

        Raises
        ------
        InputError
            Naming the model and the way out.
        """
        if _Walk({}).of(self._model) != self._mark:
            raise InputError(
                f"The model of a case must stay as it was when the case was made. This {type(final_estimator(scorer(self._model))).__name__} "
                "was changed in place since; make a case of it as it is now with core.Case(...), and leave the model of a case alone."
            )


class _Walk:
    """Walk through all that a model holds; `trees` gathers marks of trees by identity."""

    __slots__ = ("_above", "_known", "trees")

    def __init__(self, known: Mapping[int, int]) -> None:
        self._known = known
        self._above: set[int] = set()
        self.trees: dict[int, int] = {}

    def of(self, value: Any) -> int:
        kind = type(value)
        if kind in PLAIN:
            return hash((kind, value))
        if kind is float:
            return hash((kind, value if value == value else "nan"))
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, np.generic):
            return hash((kind, value.tobytes()))
        if isinstance(value, type) or hasattr(value, "__qualname__") or isinstance(value, np.dtype):
            return hash(value) if isinstance(value, np.dtype) else id(value)
        if id(value) in self._above:
            return hash(kind)
        self._above.add(id(value))
        try:
            return hash((kind, self._parts(value, kind)))
        finally:
            self._above.discard(id(value))

    def _parts(self, value: Any, kind: type) -> Any:
        if kind is list or kind is tuple:
            return tuple([self.of(part) for part in value])
        if kind is dict:
            return tuple([(self.of(key), self.of(part)) for key, part in value.items()])
        if kind is set or kind is frozenset:
            return frozenset([self.of(part) for part in value])
        if isinstance(value, np.random.RandomState | np.random.Generator):
            return None  # drawing from it is no change of the model
        if issparse(value):
            return tuple([self.of(getattr(value, name)) for name in BY_PARTS if hasattr(value, name)])
        if (content := content_of(value)) is not None:
            return self.of(content)
        if (kind.__module__, kind.__name__) == TREE:
            return self._tree(value)
        if kind.__module__ in SEARCH_TREES:
            return self.of([np.asarray(part) for part in value.get_arrays()])
        if has_plain_state(kind):
            return tuple([(name, self.of(part)) for name, part in vars(value).items()])
        try:
            made = value.__reduce_ex__(4)  # how it would be copied
        except (TypeError, ValueError, AttributeError, NotImplementedError):
            return id(value)
        return made if isinstance(made, str) else tuple([self.of(_listed(part)) for part in made])

    def _tree(self, tree: Any) -> int:
        found = self._known.get(id(tree))
        if found is None:
            state = tree.__getstate__()
            found = self.of([state["node_count"], state["nodes"], state["values"]])
        self.trees[id(tree)] = found
        return found

    def _array(self, values: Array) -> int:
        if values.dtype.hasobject:
            return hash((values.shape, tuple([self.of(one) for one in values.ravel().tolist()])))
        short = values.nbytes <= SHORT
        content = hash(values.tobytes()) if short else _of_memory(np.ascontiguousarray(values))
        return hash((values.shape, values.dtype.str, content))


def has_plain_state(kind: type) -> bool:
    """Return whether objects of a type are copied by their attributes alone."""
    found = _plain_state.get(kind)
    if found is None:
        ways = {getattr(kind, name) for name in ("__reduce_ex__", "__reduce__", "__getstate__")}
        found = ways <= ORDINARY and kind.__dictoffset__ != 0 and not issubclass(kind, HOLDERS)
        _plain_state[kind] = found
    return found


def _listed(part: Any) -> Any:
    return list(part) if hasattr(part, "__next__") else part


def _of_memory(values: Array) -> int:
    from core.numerics.mixing import mixed_words  # numba is imported for large models only

    memory = values.reshape(-1).view(np.uint8)
    whole = len(memory) - len(memory) % 8
    return hash((int(mixed_words(memory[:whole].view(np.uint64))), memory[whole:].tobytes()))
