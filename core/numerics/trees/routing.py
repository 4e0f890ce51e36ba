"""Counts and sums at every node of a tree, of rows routed through it."""

from __future__ import annotations

import numpy as np

from core.numerics.kernel import compiled
from core.typing import Array


@compiled
def sum_upwards(left: Array, right: Array, sums: Array) -> None:
    """Add what the leaves hold to every node above them.

    Parameters
    ----------
    left, right : ndarray of int, shape (n_nodes,)
        Children, -1 at leaves; they stand after their parent.
    sums : ndarray of float64, shape (n_nodes, n_columns)
        Filled at the leaves, 0 elsewhere.
    """
    for node in range(len(left) - 1, -1, -1):
        if left[node] >= 0:
            for c in range(sums.shape[1]):
                sums[node, c] += sums[left[node], c] + sums[right[node], c]


def node_sums(left: Array, right: Array, leaf: Array, codes: Array, weight: Array, n_classes: int) -> Array:
    """Return how many rows reach every node, and their weight by class.

    Parameters
    ----------
    left, right : ndarray of int, shape (n_nodes,)
        As in `sum_upwards`.
    leaf : ndarray of int, shape (n_rows,)
        The leaf of every row.
    codes : ndarray of int, shape (n_rows,)
        Their classes.
    weight : ndarray of float64, shape (n_rows,)
        Their weights in this tree; rows of weight 0 are not in it.
    n_classes : int

    Returns
    -------
    ndarray of float64, shape (n_nodes, 1 + n_classes)

    Examples
    --------
    >>> left, right = np.array([1, -1, -1]), np.array([2, -1, -1])
    >>> node_sums(left, right, np.array([1, 2, 2]), np.array([0, 1, 1]), np.array([1.0, 2.0, 0.0]), 2)
    array([[2., 1., 2.],
           [1., 1., 0.],
           [1., 0., 2.]])
    """
    sums = np.empty((len(left), 1 + n_classes))
    sums[:, 0] = np.bincount(leaf, weight > 0, len(left))
    cells = np.bincount(leaf * n_classes + codes, weight, len(left) * n_classes)
    sums[:, 1:] = cells.reshape(len(left), n_classes)
    sum_upwards(left, right, sums)
    return sums
