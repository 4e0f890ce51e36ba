"""A forest's recorded randomness as plain arrays, for a case saved after removals.

It goes on as if it had not been saved.

Kept are every retained row's weight in every tree, and what each tree drew: the features tried at each node, and the shape of the
tree as it was fitted, which says where a node's draws belong. A row that was forgotten has no entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import NotSupportedError
from core.numerics.trees.arrays import MOST_IN_ALL, MOST_WEIGHT, Draws
from core.typing import Array

KIND = "forest"
FORMAT = 1
DRAWN = ("drawn_rows", "weight_bound")
"""Arrays of forests whose draws move."""


def to_arrays(draws: Sequence[Draws], weights_of: Callable[[int], Array], known_order: bool) -> dict[str, Array]:
    """Return the arrays of a forest's state that have to be kept.

    The draws of its trees, and the weights of its rows in each.
    """
    by_tree = np.stack([weights_of(index) for index in range(len(draws))]).astype(np.int64)
    arrays = {"format": np.array(FORMAT), "known_order": np.array(known_order), "tree_weights": _small(by_tree)}
    for name in Draws._fields:
        parts = [np.atleast_1d(getattr(one, name)) for one in draws]
        together = np.concatenate(parts)
        arrays[f"draws_{name}"] = _small(together) if together.dtype == np.int32 else together
        arrays[f"ends_{name}"] = np.cumsum([len(part) for part in parts])
    return arrays


def drawn_arrays(drawn: Sequence[Array], bound: float) -> dict[str, Array]:
    """Return the arrays that have to be kept of draws that move.

    The row of each, as a place among the retained ones, in every tree, and `bound` of `ClassBootstrap`.
    """
    return {"drawn_rows": _small(np.stack(drawn)), "weight_bound": np.array(bound)}


def drawn_from(values: Mapping[str, Array], weights: Array) -> tuple[list[Array], float]:
    """Return the row of every draw in every tree, and the bound of weights.

    Raises
    ------
    NotSupportedError
        If they are damaged, or do not give the rows' weights.
    """
    drawn, bound = values.get("drawn_rows"), values.get("weight_bound")
    n_trees, n_rows = weights.shape
    if drawn is None or bound is None or drawn.ndim != 2 or drawn.dtype.kind != "u" or len(drawn) != n_trees:
        raise _damaged("it does not say which row each draw fell on")
    if bound.shape != () or not 0.0 < float(bound) < np.inf:
        raise _damaged("the bound of weights is not a positive number")
    for mine, weight in zip(drawn, weights, strict=True):
        if mine.max(initial=0) >= n_rows or not np.array_equal(np.bincount(mine, minlength=n_rows), weight):
            raise _damaged("the rows that draws fell on are not those that weights were counted from")
    return [mine.astype(np.int32) for mine in drawn], float(bound)


def _small(values: Array) -> Array:
    """Return whole numbers in the smallest type that holds them."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    return values.astype(np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high)))


def weights_from(values: Mapping[str, Array], n_trees: int, n_rows: int) -> Array:
    """Return the rows' weights, shape (n_trees, n_rows).

    Raises
    ------
    NotSupportedError
        If they are damaged.
    """
    expected = {"format", "known_order", "tree_weights"} | {
        f"{part}_{name}" for part in ("draws", "ends") for name in Draws._fields
    }
    if set(values) - set(DRAWN) != expected or values["format"] != FORMAT or values["known_order"].shape != ():
        raise _damaged("it is of another version")
    weights = values["tree_weights"]
    if weights.dtype.kind != "u" or weights.shape != (n_trees, n_rows):
        raise _damaged(f"it does not hold the weights of {n_rows:,} rows in {n_trees:,} trees")
    if (
        weights.max() > MOST_WEIGHT
        or weights.sum(axis=1, dtype=np.int64).max() > MOST_IN_ALL
        or not weights.any(axis=1).all()
    ):
        raise _damaged("a tree's weights are none or too large")
    return weights


def draws_from(values: Mapping[str, Array], n_trees: int, n_features: int) -> list[Draws]:
    """Return every tree's draws, checked so far that compiled code can follow them.

    Raises
    ------
    NotSupportedError
        If they are damaged.
    """
    parts = {}
    for name in Draws._fields:
        together, ends = values[f"draws_{name}"], values[f"ends_{name}"]
        if (
            together.ndim != 1
            or together.dtype.kind not in "iu"
            or ends.shape != (n_trees,)
            or ends.dtype.kind not in "iu"
        ):
            raise _damaged(f"{name} is not a list of whole numbers for every tree")
        if (np.diff(ends, prepend=0) < 0).any() or ends[-1] != len(together):
            raise _damaged(f"{name} is not as long as it says")
        parts[name] = np.split(together, ends[:-1])
    draws = []
    for index in range(n_trees):
        mine = {name: part[index] for name, part in parts.items()}
        _check_draws(mine, n_features)
        shorts = ("left", "right", "first", "features")
        typed: dict[str, Any] = {
            name: values.astype(np.int32 if name in shorts else np.int64) for name, values in mine.items()
        }
        draws.append(Draws(**{**typed, "seed": np.uint64(mine["seed"][0])}))
    return draws


def _check_draws(mine: Mapping[str, Array], n_features: int) -> None:
    left, right, first, features = (mine[name].astype(np.int64) for name in ("left", "right", "first", "features"))
    n = len(left)
    whole = len(mine["seed"]) == 1 and len(right) == n >= 1 and len(first) == n + 1 and first[0] == 0
    if not whole or (np.diff(first) < 0).any() or first[-1] != len(features):
        raise _damaged("a tree's draws are not as long as they say")
    inner = left != -1
    children = np.stack([left[inner], right[inner]])
    if ((right != -1) != inner).any() or ((children <= np.flatnonzero(inner)) | (children >= n)).any():
        raise _damaged("a tree points outside itself")
    if ((features < 0) | (features >= n_features)).any():
        raise _damaged("a feature was drawn that does not exist")
    node = np.repeat(np.arange(n), np.diff(first))
    if len(np.unique(node * n_features + features)) != len(features):
        raise _damaged("a feature was drawn twice at one node")
    if any(
        len(mine[name]) not in (0, len(features)) for name in mine if name not in ("seed", "left", "right", "first")
    ):
        raise _damaged("what was drawn along with the features is not as long as they are")


def _damaged(why: str) -> NotSupportedError:
    return NotSupportedError(f"what the case was saved with for removals cannot be used, as {why}")
