"""Following rows through trees that changed little: only rows whose path changed are routed again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from core.numerics.tree_build import FEATURE, LEFT, MISSING, RIGHT, THRESHOLD

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True)
def _leaf_below(words: Array, reals: Array, row: Array, node: int) -> int:
    """Return the leaf that a row reaches from a node."""
    while words[node, LEFT] >= 0:
        value = row[words[node, FEATURE]]
        left = (words[node, MISSING] & 255) != 0 if np.isnan(value) else value <= reals[node, THRESHOLD]
        node = words[node, LEFT] if left else words[node, RIGHT]
    return int(node)


@njit(cache=True, nogil=True)
def route(words: Array, reals: Array, X: Array, leaf: Array) -> None:
    """Fill `leaf` with the leaf of every row.

    Parameters
    ----------
    words, reals : ndarray, shape (n_nodes, 8)
        scikit-learn's node records.
    X : ndarray of float32, shape (n_rows, n_features)
    leaf : ndarray of int32, shape (n_rows,)
    """
    for i in range(len(X)):
        leaf[i] = _leaf_below(words, reals, X[i], 0)


@njit(cache=True, nogil=True)
def _where_now(old: Array, old_reals: Array, new: Array, new_reals: Array) -> Array:
    """Return for every leaf of a tree the leaf of another at the same path, or -2 less the node where their paths part."""
    found = np.empty(len(old), np.int32)
    stack = np.empty((len(old) + 2, 3), np.int64)
    stack[0] = (0, len(old), 0)
    waiting = 1
    while waiting > 0:
        waiting -= 1
        node, end, other = stack[waiting]
        left, right = old[node, LEFT], old[node, RIGHT]
        if left < 0 and new[other, LEFT] < 0:
            found[node] = other
        elif (
            left >= 0
            and new[other, LEFT] >= 0
            and old[node, FEATURE] == new[other, FEATURE]
            and old_reals[node, THRESHOLD] == new_reals[other, THRESHOLD]
            and (old[node, MISSING] & 255) == (new[other, MISSING] & 255)
        ):
            stack[waiting] = (right, end, new[other, RIGHT])
            stack[waiting + 1] = (left, right, new[other, LEFT])
            waiting += 2
        else:
            found[node:end] = -2 - other
    return found


@njit(cache=True, nogil=True)
def reroute(old: Array, old_reals: Array, new: Array, new_reals: Array, X: Array, leaf: Array) -> int:
    """Bring `leaf` from one tree to another; return how many rows had to be routed.

    Parameters
    ----------
    old, old_reals, new, new_reals : ndarray, shape (n_nodes, 8)
        scikit-learn's node records, depth first.
    X : ndarray of float32, shape (n_rows, n_features)
    leaf : ndarray of int32, shape (n_rows,)
        Leaves in the old tree; changed to those in the new one.
    """
    now, routed = _where_now(old, old_reals, new, new_reals), 0
    for i in range(len(leaf)):
        at = now[leaf[i]]
        if at < 0:
            at = _leaf_below(new, new_reals, X[i], -2 - at)
            routed += 1
        leaf[i] = at
    return routed


@njit(cache=True, nogil=True)
def add_shares(shares: Array, leaf: Array, out: Array) -> None:
    """Add each row's leaf's share to `out`."""
    for i in range(len(leaf)):
        out[i] += shares[leaf[i]]
