"""Derivatives of refitted leaves of boosted trees, and of predictions by such leaves.

They are taken by the weights of rows.

Nodes and trees stand as in `core.numerics.boosting.leaves`. Predictions have one column, that of class 1, or a column for each of more than
two classes; then every stage has as many trees, whose leaves all follow from the predictions of the stages before.
"""

from __future__ import annotations

import numpy as np

from core.numerics.boosting.leaves import FARTHEST, Nodes, softmax
from core.numerics.boosting.nodes import HESSIAN, LEAST_HESSIAN, Signs, node_values, pull_back, widest_tree
from core.numerics.kernel import compiled
from core.typing import Bools, Floats, Positions

LEAST = 1e-3
"""What is left of a leaf's second derivative without a row is taken as at least this share of it."""


@compiled
def _derivatives(raw: float, y: float) -> tuple[float, float, float]:
    """Return gradient, second derivative and 1 - 2p of the logistic loss, without cancellation."""
    e = np.exp(min(-raw, FARTHEST))
    p = 1.0 / (1.0 + e)
    q = e * p
    return -q if y > 0.0 else p, p * q, q - p


@compiled
def effects_of_removal(
    nodes: Nodes,
    first: Positions,
    left: Positions,
    right: Positions,
    signs: Signs,
    sums: Floats,
    values: Floats,
    y: Floats,
    weight: Floats,
    keep: Bools,
    drawn: Bools,
    raw: Floats,
    pull: Floats,
    ridge: float,
    rate: float,
    histogram: bool,
) -> tuple[Floats, Floats, Floats]:
    """Differentiate refitted leaves backwards through the stages.

    O(n_rows * n_trees) for all rows together.

    Parameters
    ----------
    nodes, first, left, right, signs, y, weight, keep, drawn, ridge, rate, histogram
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
    n, widest = len(y), widest_tree(first)
    effect, slope, carried = np.zeros(n), np.zeros(n), np.zeros(n)
    source, origin = np.zeros(widest, dtype=np.intp), np.zeros(widest, dtype=np.intp)
    again, by_gradient, by_hessian = np.zeros(widest), np.zeros(widest), np.zeros(widest)
    for t in range(len(nodes) - 1, -1, -1):
        at = slice(first[t], first[t + 1])
        leaf, own, value, given = nodes[t], sums[at], values[at], drawn[t % len(drawn)]
        if histogram and len(own) == 1:
            continue
        total = pull[at].copy()
        for i in range(n):
            if keep[i]:
                total[leaf[i]] += carried[i]
        node_values(own, left[at], right[at], signs[at], ridge, again, source, origin)
        pull_back(total, own, value, left[at], right[at], source, origin, ridge, by_gradient, by_hessian)
        for i in range(n):
            if not keep[i]:
                continue
            k = leaf[i]
            raw[i] -= rate * value[k]
            scale = own[k, HESSIAN] + ridge
            if not given[i] or scale < LEAST_HESSIAN:
                continue
            g, h, tilt = _derivatives(raw[i], y[i])
            first_order = by_gradient[k] * g + by_hessian[k] * h
            removed = min(weight[i] * h, (1.0 - LEAST) * scale)
            more = total[k] * (g + value[k] * h) * removed / (scale * (scale - removed))
            slope[i] -= rate * first_order
            effect[i] += rate * weight[i] * (first_order + more)
            carried[i] -= rate * weight[i] * h * (by_gradient[k] + by_hessian[k] * tilt)
    return effect, slope, carried


@compiled
def effects_of_removal_of_classes(
    nodes: Nodes,
    first: Positions,
    sums: Floats,
    values: Floats,
    y: Positions,
    weight: Floats,
    keep: Bools,
    drawn: Bools,
    raw: Floats,
    pull: Floats,
    ridge: float,
    rate: float,
    factor: float,
    histogram: bool,
) -> tuple[Floats, Floats, Floats]:
    """Differentiate refitted leaves where a stage has a tree for each class.

    All trees of a stage follow from the stages before.

    Parameters
    ----------
    nodes, first, sums, weight, keep, drawn, pull, ridge, rate, histogram
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
        given = drawn[(stage // width) % len(drawn)]
        for k in range(width):
            start, leaf = first[stage + k], nodes[stage + k]
            for i in range(n):
                if keep[i]:
                    total[start + leaf[i]] += carried[i, k]
        for i in range(n):
            if not keep[i]:
                continue
            for k in range(width):
                raw[i, k] -= rate * values[first[stage + k] + nodes[stage + k, i]]
            if not given[i]:
                continue
            softmax(raw[i], p)
            back[:] = 0.0
            for k in range(width):
                at = first[stage + k] + nodes[stage + k, i]
                scale = sums[at, HESSIAN] + ridge
                if scale < LEAST_HESSIAN or (histogram and first[stage + k + 1] - first[stage + k] == 1):
                    continue
                label = 1.0 if y[i] == k else 0.0
                h = p[k] * (1.0 - p[k])
                by_value = rate * total[at]
                residual = factor * (p[k] - label) + values[at] * h
                left = scale - weight[i] * h
                slope[i] -= by_value * residual / scale
                effect[i] += by_value * weight[i] * residual / max(left, LEAST * scale)
                back[k] = by_value * weight[i] * p[k] * (factor + values[at] * (1.0 - 2.0 * p[k])) / scale
            together = back.sum()
            for k in range(width):
                carried[i, k] -= back[k] - p[k] * together
    return effect, slope, carried


@compiled
def predict(nodes: Nodes, first: Positions, values: Floats, baseline: Floats, rate: float) -> Floats:
    """Return the predictions of rows whose leaves are known, shape (n_rows, n_outputs).

    O(n_rows * n_trees).

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
    for i in range(len(raw)):
        for k in range(width):
            raw[i, k] = baseline[k]
    for t in range(len(nodes)):
        leaf, start = nodes[t], first[t]
        for i in range(len(raw)):
            raw[i, t % width] += rate * values[start + leaf[i]]
    return raw
