"""Refitted leaves of boosted trees differentiated by the weights of their rows, and predictions by such leaves.

Nodes and trees stand as in `core.numerics.boosting`. Predictions have one column, that of class 1, or a column for each of more than
two classes; then every stage has as many trees, whose leaves all follow from the predictions of the stages before.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from core.numerics.boosting import FARTHEST, HESSIAN, TINY, Bools, Floats, Ints, Nodes, softmax


@njit(cache=True, nogil=True)
def _derivatives(raw: float, y: float) -> tuple[float, float, float]:
    """Return gradient, second derivative and 1 - 2p of the logistic loss, without cancellation."""
    e = np.exp(min(-raw, FARTHEST))
    p = 1.0 / (1.0 + e)
    q = e * p
    return -q if y > 0.0 else p, p * q, q - p


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


@njit(cache=True, nogil=True)
def effects_of_removal_of_classes(
    nodes: Nodes,
    first: Ints,
    sums: Floats,
    values: Floats,
    y: Ints,
    weight: Floats,
    keep: Bools,
    raw: Floats,
    pull: Floats,
    ridge: float,
    rate: float,
    factor: float,
    histogram: bool,
) -> tuple[Floats, Floats, Floats]:
    """Differentiate refitted leaves where a stage has a tree for each class, all of which follow from the stages before.

    Parameters
    ----------
    nodes, first, sums, weight, keep, pull, ridge, rate, histogram
        As for `effects_of_removal`.
    values : ndarray, shape (n_nodes,)
        Values without the learning rate, `factor` included.
    y : ndarray of int, shape (n_rows,)
        Classes.
    raw : ndarray, shape (n_rows, n_classes)
        Predictions after the last tree; overwritten.
    factor : float
        What leaf values are multiplied by.

    Returns
    -------
    effect, slope : ndarray, shape (n_rows,)
        As for `effects_of_removal`.
    carried : ndarray, shape (n_rows, n_classes)
        Derivative by the row's predictions before the first tree.
    """
    n, width = raw.shape
    effect, slope, carried = np.zeros(n), np.zeros(n), np.zeros((n, width))
    p, back, total = np.empty(width), np.empty(width), pull.copy()
    for stage in range(len(nodes) - width, -1, -width):
        for k in range(width):
            start, leaf = first[stage + k], nodes[stage + k]
            for i in range(n):
                if keep[i]:
                    total[start + leaf[i]] += carried[i, k]
        for i in range(n):
            if not keep[i]:
                continue
            for k in range(width):
                if not histogram or first[stage + k + 1] - first[stage + k] > 1:
                    raw[i, k] -= rate * values[first[stage + k] + nodes[stage + k, i]]
            softmax(raw[i], p)
            back[:] = 0.0
            for k in range(width):
                at = first[stage + k] + nodes[stage + k, i]
                scale = sums[at, HESSIAN] + ridge
                if scale < TINY or (histogram and first[stage + k + 1] - first[stage + k] == 1):
                    continue
                label = 1.0 if y[i] == k else 0.0
                h = p[k] * (1.0 - p[k])
                by_value = rate * total[at]
                residual = factor * (p[k] - label) + values[at] * h
                left = scale - weight[i] * h
                slope[i] -= by_value * residual / scale
                effect[i] += by_value * weight[i] * residual / max(left, 1e-3 * scale)
                back[k] = by_value * weight[i] * p[k] * (factor + values[at] * (1.0 - 2.0 * p[k])) / scale
            together = back.sum()
            for k in range(width):
                carried[i, k] -= back[k] - p[k] * together
    return effect, slope, carried


@njit(cache=True, nogil=True)
def predict(nodes: Nodes, first: Ints, values: Floats, baseline: Floats, rate: float) -> Floats:
    """Return the predictions of rows whose leaves are known, shape (n_rows, n_outputs): O(n_rows * n_trees).

    Parameters
    ----------
    nodes : ndarray of int, shape (n_trees, n_rows)
        The leaf of every row, counted within its tree.
    first : ndarray of int, shape (n_trees + 1,)
        Where each tree's nodes start.
    values : ndarray, shape (n_nodes,)
        Values without the learning rate.
    baseline : ndarray, shape (n_outputs,)
        Predictions before the first tree.
    rate : float
        Learning rate.
    """
    width = len(baseline)
    raw = np.empty((nodes.shape[1], width))
    raw[:] = baseline
    for t in range(len(nodes)):
        leaf, start = nodes[t], first[t]
        for i in range(len(raw)):
            raw[i, t % width] += rate * values[start + leaf[i]]
    return raw
