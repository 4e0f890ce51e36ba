"""Following rows through trees that changed little.

Only rows whose path changed are routed again.
"""

from __future__ import annotations

import numpy as np

from core.numerics.kernel import entry, int64, kernel
from core.numerics.trees.build import FEATURE, LEFT, MISSING_LEFT, RIGHT, THRESHOLD
from core.typing import Array


@kernel
def _leaf_below(words: Array, reals: Array, row: Array, node: int) -> int:
    """Return the leaf that a row reaches from a node."""
    while words[node, LEFT] >= 0:
        value = row[words[node, FEATURE]]
        left = (words[node, MISSING_LEFT] & 255) != 0 if np.isnan(value) else value <= reals[node, THRESHOLD]
        node = words[node, LEFT] if left else words[node, RIGHT]
    return int(node)


@entry
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
        leaf[i] = _leaf_below(words, reals, X[i], int64(0))


@kernel
def _await(stack: Array, at: int, node: int, end: int, other: int) -> None:
    stack[at, 0] = node
    stack[at, 1] = end
    stack[at, 2] = other


@kernel
def _find_leaves(old: Array, old_reals: Array, new: Array, new_reals: Array, stack: Array, found: Array) -> None:
    """Write for every leaf of a tree the leaf of another at the same path.

    Where the paths part, it is -2 less the node where they do.
    """
    _await(stack, int64(0), int64(0), len(old), int64(0))
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
            and (old[node, MISSING_LEFT] & 255) == (new[other, MISSING_LEFT] & 255)
        ):
            _await(stack, waiting, right, end, new[other, RIGHT])
            _await(stack, waiting + 1, left, right, new[other, LEFT])
            waiting += 2
        else:
            for i in range(node, end):
                found[i] = -2 - other


@entry
def reroute(
    old: Array, old_reals: Array, new: Array, new_reals: Array, X: Array, leaf: Array, stack: Array, found: Array
) -> int:
    """Bring `leaf` from one tree to another; return how many rows had to be routed.

    Parameters
    ----------
    old, old_reals, new, new_reals : ndarray, shape (n_nodes, 8)
        scikit-learn's node records, depth first.
    X : ndarray of float32, shape (n_rows, n_features)
    leaf : ndarray of int32, shape (n_rows,)
        Leaves in the old tree; changed to those in the new one.
    stack : ndarray of int64, shape (n_nodes + 2, 3)
    found : ndarray of int32, shape (n_nodes,)
        Room to work in, for as many nodes as the old tree has.
    """
    routed = 0
    _find_leaves(old, old_reals, new, new_reals, stack, found)
    for i in range(len(leaf)):
        at = int64(found[leaf[i]])
        if at < 0:
            at = _leaf_below(new, new_reals, X[i], -2 - at)
            routed += 1
        leaf[i] = at
    return routed


@entry
def add_shares(shares: Array, leaf: Array, out: Array) -> None:
    """Add each row's leaf's share to `out`."""
    for i in range(len(leaf)):
        out[i] += shares[leaf[i]]
