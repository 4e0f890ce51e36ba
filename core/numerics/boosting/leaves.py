"""Leaf values of boosted trees whose structure is kept: refitting them stage by stage.

Nodes of all trees stand one after another; tree t owns ``first[t]`` to ``first[t + 1]``, parents before their children. A leaf's
value is ``-G / (H + ridge)``, G and H the sums of its rows' gradients and second derivatives of the logistic loss at the
prediction that the trees before it make. With more than two classes a stage has a tree for each, and the loss is the cross-entropy.
Under monotonic constraints values are kept within bounds (`core.numerics.boosting.nodes`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.numerics.boosting.nodes import (
    COUNT,
    GRADIENT,
    HESSIAN,
    SQUARE,
    SUM_OF_WEIGHTS,
    Signs,
    node_values,
    widest_tree,
)
from core.numerics.kernel import compiled
from core.typing import Bools, Floats, Positions

Nodes = npt.NDArray[np.uint16] | npt.NDArray[np.int32]

FARTHEST = 700.0
"""Predictions are cut here, where probabilities differ from 0 and 1 by nothing that counts."""
BLOCK = 1024
"""Rows whose derivatives are taken together, in loops that the compiler turns into vector instructions."""
ROUNDER = 6755399441055744.0
"""1.5 * 2**52: added to a number and taken away again, it rounds it; added, the last bits are the rounded number."""
PER_OCTAVE = 1.4426950408889634
OCTAVE, OCTAVE_REST = 0.6931471803691238, 1.9082149292705877e-10
"""log(2) in two parts, the first short enough for exact products."""


@compiled
def _probabilities(raw: Floats, p: Floats, q: Floats, power: Floats, bits: npt.NDArray[np.int64]) -> None:
    """Write 1 / (1 + exp(-raw)) to `p` and its complement to `q`.

    `bits` is the memory of `power`.

    exp(x) = 2**k * exp(r) with k whole and abs(r) at most log(2) / 2, exp(r) by its Taylor polynomial.
    """
    n = len(raw)
    for j in range(n):
        q[j] = min(max(-raw[j], -FARTHEST), FARTHEST)
    for j in range(n):
        power[j] = q[j] * PER_OCTAVE + ROUNDER
    for j in range(n):
        k = power[j] - ROUNDER
        r = (q[j] - k * OCTAVE) - k * OCTAVE_REST
        e = 1.0 / 479001600.0
        e = e * r + 1.0 / 39916800.0
        e = e * r + 1.0 / 3628800.0
        e = e * r + 1.0 / 362880.0
        e = e * r + 1.0 / 40320.0
        e = e * r + 1.0 / 5040.0
        e = e * r + 1.0 / 720.0
        e = e * r + 1.0 / 120.0
        e = e * r + 1.0 / 24.0
        e = e * r + 1.0 / 6.0
        e = e * r + 0.5
        e = e * r + 1.0
        q[j] = e * r + 1.0
    for j in range(n):
        bits[j] = (bits[j] + 1023) << 52
    for j in range(n):
        e = q[j] * power[j]
        p[j] = 1.0 / (1.0 + e)
        q[j] = e * p[j]


@compiled
def refit_stages(
    nodes: Nodes,
    first: Positions,
    left: Positions,
    right: Positions,
    signs: Signs,
    y: Floats,
    weight: Floats,
    keep: Bools,
    drawn: Bools,
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
    left, right : ndarray of int, shape (n_nodes,)
        Children, counted within their tree; at a leaf `left` is negative.
    signs : ndarray of int, shape (n_nodes,)
        Of monotonic constraints, as `node_values` takes them; 0 where there are none.
    y, weight : ndarray, shape (n_rows,)
        Labels, 0 or 1, and weights; without `histogram`, weights of kept rows are above 0.
    keep : ndarray of bool, shape (n_rows,)
        The rows to fit on.
    drawn : ndarray of bool, shape (n_stages, n_rows) or (1, n_rows)
        Those of them that each stage's trees were given; the trees add to the predictions of all rows.
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
        Sums over every node's rows. With `histogram`, weights and squares are left out.
    """
    n = len(y)
    sums = np.zeros((first[-1], 5))
    widest = widest_tree(first)
    step, source, origin = np.zeros(widest), np.zeros(widest, dtype=np.intp), np.zeros(widest, dtype=np.intp)
    p, q, power = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    bits = power.view(np.int64)
    for t in range(len(nodes)):
        at = slice(first[t], first[t + 1])
        own, leaf, given = sums[at], nodes[t], drawn[t % len(drawn)]
        for start in range(0, n, BLOCK):
            stop = min(start + BLOCK, n)
            _probabilities(raw[start:stop], p, q, power, bits)
            for i in range(start, stop):
                if not (keep[i] and given[i]):
                    continue
                j = i - start
                g = weight[i] * ((1.0 - y[i]) * p[j] - y[i] * q[j])
                h = weight[i] * (p[j] * q[j])
                target = own[leaf[i]]
                target[COUNT] += 1.0
                if histogram:
                    target[GRADIENT] += np.float32(g)
                    target[HESSIAN] += np.float32(h)
                else:
                    target[SUM_OF_WEIGHTS] += weight[i]
                    target[GRADIENT] += g
                    target[HESSIAN] += h
                    target[SQUARE] += g * g / weight[i]
        if histogram and len(own) == 1:
            continue
        node_values(own, left[at], right[at], signs[at], ridge, step, source, origin)
        for k in range(len(own)):
            step[k] *= rate
        for i in range(n):
            raw[i] += step[leaf[i]]
    return sums


@compiled
def softmax(raw: Floats, p: Floats) -> None:
    """Write the probabilities of one row's classes to `p`, from its predictions.

    A single prediction is that of class 1.
    """
    if len(raw) == 1:
        p[0] = 1.0 / (1.0 + np.exp(min(-raw[0], FARTHEST)))
        return
    most, total = raw.max(), 0.0
    for k in range(len(raw)):
        p[k] = np.exp(raw[k] - most)
        total += p[k]
    for k in range(len(raw)):
        p[k] /= total


@compiled
def refit_stages_of_classes(
    nodes: Nodes,
    first: Positions,
    left: Positions,
    right: Positions,
    signs: Signs,
    y: Positions,
    weight: Floats,
    keep: Bools,
    drawn: Bools,
    raw: Floats,
    ridge: float,
    rate: float,
    histogram: bool,
) -> Floats:
    """Refit every leaf where a stage has a tree for each class.

    All trees of a stage follow from the predictions of the stages before.

    Parameters
    ----------
    nodes, first, left, right, signs, weight, keep, drawn, ridge, histogram
        As for `refit_stages`; trees stand stage after stage.
    y : ndarray of int, shape (n_rows,)
        Classes.
    raw : ndarray, shape (n_rows, n_classes)
        Predictions before the first tree; overwritten with those after the last one.
    rate : float
        Learning rate, times what leaf values are multiplied by.

    Returns
    -------
    ndarray, shape (n_nodes, 5)
        As `refit_stages` gives them.
    """
    n_classes = raw.shape[1]
    sums, p = np.zeros((first[-1], 5)), np.empty(n_classes)
    widest = widest_tree(first)
    step, source, origin = np.zeros(widest), np.zeros(widest, dtype=np.intp), np.zeros(widest, dtype=np.intp)
    for stage in range(0, len(nodes), n_classes):
        given = drawn[(stage // n_classes) % len(drawn)]
        for i in range(len(y)):
            if not (keep[i] and given[i]):
                continue
            softmax(raw[i], p)
            for k in range(n_classes):
                target = sums[first[stage + k] + nodes[stage + k, i]]
                g, h = p[k] - (1.0 if y[i] == k else 0.0), p[k] * (1.0 - p[k])
                target[COUNT] += 1.0
                if histogram:
                    target[GRADIENT] += np.float32(g * weight[i])
                    target[HESSIAN] += np.float32(h * weight[i])
                else:
                    target[SUM_OF_WEIGHTS] += weight[i]
                    target[GRADIENT] += weight[i] * g
                    target[HESSIAN] += weight[i] * h
                    target[SQUARE] += weight[i] * g * g
        for k in range(n_classes):
            at, leaf = slice(first[stage + k], first[stage + k + 1]), nodes[stage + k]
            if histogram and at.stop - at.start == 1:
                continue
            node_values(sums[at], left[at], right[at], signs[at], ridge, step, source, origin)
            for i in range(len(y)):
                raw[i, k] += rate * step[leaf[i]]
    return sums


@compiled
def complete(
    sums: Floats, first: Positions, left: Positions, right: Positions, signs: Signs, ridge: float, histogram: bool
) -> Floats:
    """Return every node's value; add sums up to the inner nodes, in place, where needed.

    Parameters
    ----------
    sums : ndarray, shape (n_nodes, 5)
        What `refit_stages` gave.
    first : ndarray of int, shape (n_trees + 1,)
        Where each tree's nodes start.
    left, right : ndarray of int, shape (n_nodes,)
        Children, counted within their tree; at a leaf `left` is negative.
    signs : ndarray of int, shape (n_nodes,)
        As for `refit_stages`.
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
    source, origin = np.zeros(len(sums), dtype=np.intp), np.zeros(len(sums), dtype=np.intp)
    for t in range(len(first) - 1):
        at = slice(first[t], first[t + 1])
        node_values(sums[at], left[at], right[at], signs[at], ridge, values[at], source[at], origin[at])
        if histogram and at.stop - at.start == 1:
            values[at.start] = 0.0
    return values
