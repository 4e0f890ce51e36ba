"""Building tables of tree nodes, random states and types of data."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.tree._tree import NODE_DTYPE, Tree

from core.errors import InputError
from core.files.models.inert import InertArray, Made

MT19937_WORDS = 624
_MOST_OUTPUTS = 100
_WORD = 1 << 128


def malformed(why: str) -> InputError:
    """Return the error for a model that no training leaves."""
    return InputError(
        f"A model file must hold a model as scikit-learn fitted it. In this one {why}; save the model again."
    )


def whole_within(value: Any, least: int, most: int, what: str) -> int:
    """Return a whole number, checked."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise malformed(f"{what} is not a whole number from {least:,} to {most:,}")
    return int(value)


def values_of(part: Any, what: str) -> np.ndarray[Any, Any]:
    """Return the values of an array of numbers."""
    if not isinstance(part, InertArray) or part.values is None or part.values.dtype.hasobject:
        raise malformed(f"{what} is no array of numbers")
    return part.values


def tree_of(part: Made) -> Tree:
    """Return a table of tree nodes, padded to what nodes hold today.

    What nodes and values say is looked at later; here only that the table is as long as it says.
    """
    state = part.attributes
    if not isinstance(part.args, tuple) or len(part.args) != 3:
        raise malformed("a tree lacks its size")
    n_features = whole_within(part.args[0], 1, 1 << 31, "a tree's number of columns")
    n_outputs = whole_within(part.args[2], 1, _MOST_OUTPUTS, "a tree's number of outputs")
    n_classes = values_of(part.args[1], "a tree's number of classes").astype(np.intp)
    if n_classes.shape != (n_outputs,) or not ((n_classes >= 1) & (n_classes <= 1 << 20)).all():
        raise malformed("a tree's number of classes is not a number for each output")
    given = values_of(state.get("nodes"), "a tree's table of nodes")
    values = values_of(state.get("values"), "a tree's values").astype(np.float64)
    count = whole_within(state.get("node_count"), 1, max(len(np.atleast_1d(given)), 1), "a tree's number of nodes")
    expected = (count, n_outputs, int(n_classes.max()))
    if given.ndim != 1 or len(given) != count or values.shape != expected:
        raise malformed("a tree's number of nodes is not that of its table")
    tree = Tree(n_features, n_classes, n_outputs)
    tree.__setstate__(
        {
            "max_depth": whole_within(state.get("max_depth"), 0, count, "a tree's depth"),
            "node_count": count,
            "nodes": node_records(given, NODE_DTYPE, ("missing_go_to_left",)),
            "values": np.ascontiguousarray(values),
        }
    )
    return tree


def node_records(
    given: np.ndarray[Any, Any], dtype: np.dtype[Any], may_lack: tuple[str, ...] = ()
) -> np.ndarray[Any, Any]:
    """Return a table of records with the fields of `dtype`, those lacking filled with zeros."""
    held, asked = set(given.dtype.names or ()), set(dtype.names or ())
    if not held <= asked or not asked - held <= set(may_lack):
        raise malformed("a tree's table of nodes has other columns than trees have")
    table = np.zeros(given.shape, dtype=dtype)
    for name in held:
        column = given[name]
        if column.dtype.kind not in "biuf" or (column.dtype.kind == "f" and dtype[name].kind != "f"):
            raise malformed("a tree's table of nodes has columns of another type")
        table[name] = column
        if dtype[name].kind != "f" and not np.array_equal(table[name], column):
            raise malformed("a tree's table of nodes has numbers that are too large")
    return table


def random_state_of(part: Made) -> np.random.RandomState:
    """Return a random state: only a Mersenne twister that stands within its table."""
    state = part.state
    inner = state.get("state") if isinstance(state, dict) else None
    if not isinstance(inner, dict) or state.get("bit_generator") != "MT19937":
        raise malformed("a random state is not of the usual kind")
    key = values_of(inner.get("key"), "a random state's table")
    if key.shape != (MT19937_WORDS,) or key.dtype.kind not in "iu":
        raise malformed("a random state's table has another size")
    position = inner.get("pos")
    if type(position) is not int or not 0 <= position <= MT19937_WORDS:
        raise malformed("a random state stands outside its table")
    gauss = state.get("gauss", 0.0)
    random = np.random.RandomState()
    random.set_state(
        (
            "MT19937",
            key.astype(np.uint32),
            position,
            whole_within(state.get("has_gauss", 0), 0, 1, "what a random state keeps"),
            float(gauss) if isinstance(gauss, float | int) else 0.0,
        )
    )
    return random


def generator_of(part: Made) -> np.random.Generator:
    """Return a random generator: numpy's default one, where it stood."""
    generator = np.random.default_rng(0)
    state = _generator_state(part)
    inner = state.get("state") if state else None
    if not isinstance(inner, dict):
        raise malformed("a random generator has no state")
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {
            name: whole_within(inner.get(name), 0, _WORD - 1, "a random generator's state") for name in ("state", "inc")
        },
        "has_uint32": whole_within(state.get("has_uint32"), 0, 1, "what a random generator keeps"),
        "uinteger": whole_within(state.get("uinteger"), 0, (1 << 32) - 1, "what a random generator keeps"),
    }
    return generator


def _generator_state(part: Made) -> dict[str, Any]:
    """Return where a generator stood: releases of numpy and skops keep it in different places."""
    inner = part.args[0] if isinstance(part.args, tuple) and part.args else None
    found = [part.state, inner.state if isinstance(inner, Made) else None]
    found += [one[0] for one in found if isinstance(one, tuple) and one]
    found += [one.get("bit_generator") for one in found if isinstance(one, dict)]
    for one in found:
        if isinstance(one, dict) and isinstance(one.get("bit_generator"), str):
            if one["bit_generator"] != "PCG64":
                raise malformed("a random generator is not of the usual kind")
            return one
    return {}
