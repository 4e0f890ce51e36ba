"""Sums and values of one boosted tree's nodes, and the way back from them to rows.

Values are kept within the bounds that monotonic constraints set.

A split on a constrained feature bounds all values below it by the middle of its two children's: from above on the side that has to stay
below, from below on the other. Where refitted children come in the wrong order, both take the value of the node above.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.numerics.kernel import compiled
from core.typing import Floats, Positions

COUNT, SUM_OF_WEIGHTS, GRADIENT, HESSIAN, SQUARE = range(5)
"""Columns of node sums; the last is of weighted squared gradients."""
LEAST_HESSIAN = 1e-150
"""A leaf whose second derivatives sum to less stays at 0."""
FREE, MIDDLE, ABOVE = range(3)
"""Where a node's value comes from: its own sums, the middle of two other nodes' values, or the node above it."""

Signs = npt.NDArray[np.int8]


@compiled
def newton(gradient: float, hessian: float, ridge: float) -> float:
    """Return the value of a node without bounds."""
    return 0.0 if hessian + ridge < LEAST_HESSIAN else -gradient / (hessian + ridge)


@compiled
def widest_tree(first: Positions) -> int:
    """Return the most nodes that a tree owns."""
    most = 0
    for t in range(len(first) - 1):
        most = max(most, first[t + 1] - first[t])
    return most


@compiled
def node_values(
    sums: Floats,
    left: Positions,
    right: Positions,
    signs: Signs,
    ridge: float,
    values: Floats,
    source: Positions,
    origin: Positions,
) -> None:
    """Add one tree's leaves up to its inner nodes, and write the values of all nodes.

    Values are written top down, with where each comes from.

    Parameters
    ----------
    sums : ndarray, shape (n_nodes, 5)
        Sums over every leaf's rows; inner nodes are overwritten.
    left, right : ndarray of int, shape (n_nodes,)
        Children, after their parents; at a leaf `left` is negative.
    signs : ndarray of int, shape (n_nodes,)
        1 where values on the right may not be below those on the left, -1 where they may not be above, else 0.
    ridge : float
        Added to every node's second derivative.
    values : ndarray, shape (n_nodes,)
        Overwritten. A node without rows takes the value of the node above it, within its bounds.
    source, origin : ndarray of int, shape (n_nodes,)
        Overwritten: `FREE`, `MIDDLE` or `ABOVE`, and the node that the middle's two are children of, or the one above.
    """
    n = len(sums)
    for k in range(n - 1, -1, -1):
        if left[k] >= 0:
            for column in range(sums.shape[1]):
                sums[k, column] = sums[left[k], column] + sums[right[k], column]
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    low_from, high_from = np.full(n, -1), np.full(n, -1)
    values[0], source[0], origin[0] = newton(sums[0, GRADIENT], sums[0, HESSIAN], ridge), FREE, -1
    for k in range(n):
        if left[k] < 0:
            continue
        one, other = left[k], right[k]
        a, b = values[k], values[k]
        if sums[one, COUNT] > 0.0:
            a = newton(sums[one, GRADIENT], sums[one, HESSIAN], ridge)
        if sums[other, COUNT] > 0.0:
            b = newton(sums[other, GRADIENT], sums[other, HESSIAN], ridge)
        within_a, within_b = min(max(a, low[k]), high[k]), min(max(b, low[k]), high[k])
        wrong = signs[k] * (within_b - within_a) < 0.0
        for child in (one, other):
            value = values[k] if wrong else (a if child == one else b)
            source[child], origin[child] = (FREE, -1) if sums[child, COUNT] > 0.0 and not wrong else (ABOVE, k)
            if value < low[k]:
                value, source[child], origin[child] = low[k], MIDDLE, low_from[k]
            elif value > high[k]:
                value, source[child], origin[child] = high[k], MIDDLE, high_from[k]
            values[child] = value
            low[child], high[child], low_from[child], high_from[child] = low[k], high[k], low_from[k], high_from[k]
        if signs[k] != 0:
            under, over = (one, other) if signs[k] > 0 else (other, one)
            high[under] = low[over] = (values[one] + values[other]) / 2.0
            high_from[under] = low_from[over] = k


@compiled
def pull_back(
    pull: Floats,
    sums: Floats,
    values: Floats,
    left: Positions,
    right: Positions,
    source: Positions,
    origin: Positions,
    ridge: float,
    by_gradient: Floats,
    by_hessian: Floats,
) -> None:
    """Write what a row's gradient and second derivative do, through the nodes above its leaf.

    Nodes whose values bound others pass on to these what reaches them.

    Parameters
    ----------
    pull : ndarray, shape (n_nodes,)
        Derivative of the quantity of interest by every node's value; overwritten by what is left at nodes whose value is their own.
    sums, values, left, right, source, origin, ridge
        As `node_values` takes and gives them.
    by_gradient, by_hessian : ndarray, shape (n_nodes,)
        Overwritten: minus the derivatives by the sums of gradients and second derivatives of rows at the node, the node itself included.
    """
    n = len(sums)
    depth = np.zeros(n, dtype=np.intp)
    for k in range(n):
        if left[k] >= 0:
            depth[left[k]] = depth[right[k]] = depth[k] + 1
    for level in range(depth.max(), 0, -1):
        for k in range(n):
            if depth[k] != level or source[k] == FREE:
                continue
            if source[k] == ABOVE:
                pull[origin[k]] += pull[k]
            else:
                pull[left[origin[k]]] += pull[k] / 2.0
                pull[right[origin[k]]] += pull[k] / 2.0
            pull[k] = 0.0
    by_gradient[0] = by_hessian[0] = 0.0
    for k in range(n):
        scale = sums[k, HESSIAN] + ridge
        if scale >= LEAST_HESSIAN:
            by_gradient[k] += pull[k] / scale
            by_hessian[k] += pull[k] * values[k] / scale
        if left[k] >= 0:
            for child in (left[k], right[k]):
                by_gradient[child], by_hessian[child] = by_gradient[k], by_hessian[k]
