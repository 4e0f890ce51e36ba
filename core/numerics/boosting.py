"""Leaf values of boosted trees whose structure is kept: refitting them stage by stage, and differentiating that.

Nodes of all trees stand one after another; tree t owns ``first[t]`` to ``first[t + 1]``, parents before their children. A leaf's
value is ``-G / (H + ridge)``, G and H the sums of its rows' gradients and second derivatives of the logistic loss at the
prediction that the trees before it make.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]
Nodes = npt.NDArray[np.uint16] | npt.NDArray[np.int32]

COUNT, WEIGHT, GRADIENT, HESSIAN, SQUARE = range(5)
"""Columns of node sums; the last is of weighted squared gradients."""
TINY = 1e-150
"""A leaf whose second derivatives sum to less stays at 0."""


@njit(cache=True, nogil=True)
def _derivatives(raw: float, y: float) -> tuple[float, float, float]:
    """Return gradient, second derivative and 1 - 2p of the logistic loss, without cancellation."""
    if raw > -37.0:
        e = np.exp(-raw)
        p = 1.0 / (1.0 + e)
        q = e * p
    else:
        p, q = np.exp(raw), 1.0
    return p - y * (p + q), p * q, q - p


@njit(cache=True, nogil=True)
def _value(gradient: float, hessian: float, ridge: float) -> float:
    return 0.0 if hessian + ridge < TINY else -gradient / (hessian + ridge)


@njit(cache=True, nogil=True)
def refit_stages(
    nodes: Nodes,
    first: Ints,
    y: Floats,
    weight: Floats,
    keep: Bools,
    raw: Floats,
    ridge: float,
    rate: float,
    histogram: bool,
) -> Floats:
    """Refit every leaf, one tree after the other: O(n_rows * n_trees).

    Parameters
    ----------
    nodes : ndarray of int, shape (n_trees, n_rows)
        The leaf that every row falls in, counted within its tree.
    first : ndarray of int, shape (n_trees + 1,)
        Where each tree's nodes start.
    y, weight : ndarray, shape (n_rows,)
        Labels, 0 or 1, and weights.
    keep : ndarray of bool, shape (n_rows,)
        The rows to fit on.
    raw : ndarray, shape (n_rows,)
        Predictions before the first tree; overwritten with those after the last one.
    ridge : float
        Added to every leaf's second derivative.
    rate : float
        Learning rate.
    histogram : bool
        Whether derivatives are rounded to single precision first and a tree without splits adds nothing, as in histogram boosting.

    Returns
    -------
    ndarray, shape (n_nodes, 5)
        Sums over every leaf's rows; inner nodes hold 0. With `histogram`, weights and squares are left out.
    """
    sums = np.zeros((first[-1], 5))
    step = np.zeros(np.max(first[1:] - first[:-1]))
    for t in range(len(nodes)):
        own, leaf = sums[first[t] : first[t + 1]], nodes[t]
        for i in range(len(y)):
            if not keep[i]:
                continue
            g, h, _ = _derivatives(raw[i], y[i])
            target = own[leaf[i]]
            target[COUNT] += 1.0
            if histogram:
                target[GRADIENT] += np.float32(weight[i] * g)
                target[HESSIAN] += np.float32(weight[i] * h)
            else:
                target[WEIGHT] += weight[i]
                target[GRADIENT] += weight[i] * g
                target[HESSIAN] += weight[i] * h
                target[SQUARE] += weight[i] * g * g
        if histogram and len(own) == 1:
            continue
        for k in range(len(own)):
            step[k] = rate * _value(own[k, GRADIENT], own[k, HESSIAN], ridge)
        for i in range(len(y)):
            raw[i] += step[leaf[i]]
    return sums


@njit(cache=True, nogil=True)
def complete(sums: Floats, first: Ints, left: Ints, right: Ints, ridge: float, histogram: bool) -> Floats:
    """Add leaves up to the inner nodes, in place, and return every node's value.

    Parameters
    ----------
    sums : ndarray, shape (n_nodes, 5)
        What `refit_stages` gave.
    first : ndarray of int, shape (n_trees + 1,)
        Where each tree's nodes start.
    left, right : ndarray of int, shape (n_nodes,)
        Children, counted within their tree; at a leaf `left` is negative.
    ridge : float
        Added to every node's second derivative.
    histogram : bool
        Whether a tree without splits adds nothing.

    Returns
    -------
    ndarray, shape (n_nodes,)
        Without the learning rate. A node without rows takes the value of the node above it.
    """
    values = np.zeros(len(sums))
    for t in range(len(first) - 1):
        start = first[t]
        for k in range(first[t + 1] - 1, start - 1, -1):
            if left[k] >= 0:
                sums[k] = sums[start + left[k]] + sums[start + right[k]]
        for k in range(start, first[t + 1]):
            if sums[k, COUNT] > 0.0:
                values[k] = _value(sums[k, GRADIENT], sums[k, HESSIAN], ridge)
            if left[k] >= 0:
                values[start + left[k]] = values[k]
                values[start + right[k]] = values[k]
        if histogram and first[t + 1] - start == 1:
            values[start] = 0.0
    return values


@njit(cache=True, nogil=True)
def effects_of_removal(
    nodes: Nodes,
    first: Ints,
    sums: Floats,
    values: Floats,
    y: Floats,
    weight: Floats,
    keep: Bools,
    raw: Floats,
    pull: Floats,
    ridge: float,
    rate: float,
    histogram: bool,
) -> tuple[Floats, Floats, Floats]:
    """Differentiate refitted leaves backwards through the stages: O(n_rows * n_trees) for all rows together.

    Parameters
    ----------
    nodes, first, y, weight, keep, ridge, rate, histogram
        As for `refit_stages`.
    sums, values : ndarray
        What `complete` left and gave.
    raw : ndarray, shape (n_rows,)
        Predictions after the last tree; overwritten.
    pull : ndarray, shape (n_nodes,)
        Derivative of the quantity of interest by each leaf's contribution, through the rows it is taken on.

    Returns
    -------
    effect : ndarray, shape (n_rows,)
        Change when the row leaves its leaves, the leaf's own change being exact and what follows from it first order.
    slope : ndarray, shape (n_rows,)
        Derivative by the row's weight, through its leaves.
    carried : ndarray, shape (n_rows,)
        Derivative by the row's prediction before the first tree.
    """
    n = len(y)
    effect, slope, carried = np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(len(nodes) - 1, -1, -1):
        leaf, start = nodes[t], first[t]
        if histogram and first[t + 1] - start == 1:
            continue
        total = pull[start : first[t + 1]].copy()
        for i in range(n):
            if keep[i]:
                total[leaf[i]] += carried[i]
        for i in range(n):
            if not keep[i]:
                continue
            k = start + leaf[i]
            raw[i] -= rate * values[k]
            scale = sums[k, HESSIAN] + ridge
            if scale < TINY:
                continue
            g, h, tilt = _derivatives(raw[i], y[i])
            by_value = rate * total[leaf[i]]
            residual = g + values[k] * h
            left = scale - weight[i] * h
            slope[i] -= by_value * residual / scale
            effect[i] += by_value * weight[i] * residual / max(left, 1e-3 * scale)
            carried[i] -= by_value * weight[i] * h * (1.0 + values[k] * tilt) / scale
    return effect, slope, carried
