"""Effects of rows on a forest's predictions while the structure of its trees is kept.

A tree's value at a point is taken as shrunk towards the nodes above its leaf: ``f = sum_l a_l p_l`` over the nodes l on the path,
where p_l is the share of the positive class in node l, of weight w_l, and ``a_l = s_l - s_(l+1)``, ``s_l = 1 / (1 + shrinkage /
w_(l-1))``, 1 at the root, the next one 0 at a leaf. The sum over the path of all a_l is 1. Without a row of multiplicity m and
class y, p_l moves by ``(p_l - y) m / (w_l - m)``; a node left empty takes what its parent has become.

References
----------
Agarwal, A., Tan, Y. S., Ronen, O., Singh, C. and Yu, B. (2022). Hierarchical shrinkage. ICML.
"""

from __future__ import annotations

import numpy as np

from core.numerics.kernel import compiled
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from core.numerics.trees.build import FEATURE, LEFT, MISSING_LEFT, RIGHT, ROWS, THRESHOLD, WEIGHT
from core.typing import Array


@compiled
def leaf_of(words: Array, reals: Array, X: Array, row: int) -> int:
    """Return the leaf that a row of `X` falls into."""
    node = 0
    while words[node, LEFT] >= 0:
        value = X[row, words[node, FEATURE]]
        left = words[node, MISSING_LEFT] & 255 != 0 if np.isnan(value) else value <= reals[node, THRESHOLD]
        node = words[node, LEFT] if left else words[node, RIGHT]
    return int(node)


@compiled
def leaves_of(words: Array, reals: Array, X: Array, leaves: Array) -> None:
    """Write the leaf of every row of `X` to `leaves`."""
    for row in range(len(X)):
        leaves[row] = leaf_of(words, reals, X, row)


@compiled
def node_masses(words: Array, reals: Array, X: Array, pull: Array) -> Array:
    """Return the sum of `pull` over the rows of `X` that pass through each node."""
    n_nodes = len(words)
    mass = np.zeros(n_nodes)
    for row in range(len(X)):
        if pull[row] != 0.0:
            mass[leaf_of(words, reals, X, row)] += pull[row]
    for node in range(n_nodes - 1, -1, -1):
        if words[node, LEFT] >= 0:
            mass[node] = mass[words[node, LEFT]] + mass[words[node, RIGHT]]
    return mass


@compiled
def add_effects(
    words: Array,
    reals: Array,
    share: Array,
    samples: Array,
    labels: Array,
    positive: int,
    mass: Array,
    shrinkage: float,
    effects: Array,
) -> None:
    """Add to `effects` what taking each row out of a tree does to ``sum(mass * f)``.

    Parameters
    ----------
    words, reals : ndarray, shape (n_nodes, 8)
        scikit-learn's node records, depth first.
    share : ndarray, shape (n_nodes,)
        Of the positive class.
    samples : ndarray of int32
        The tree's rows in the order of its leaves.
    labels : ndarray of int32, shape (n_rows,)
        Weight and class of every row.
    positive : int
        The positive class.
    mass : ndarray, shape (n_nodes,)
        From `node_masses`.
    shrinkage : float
    effects : ndarray, shape (n_rows,)
    """
    n_nodes = len(words)
    depth = np.zeros(n_nodes, np.int32)
    path = np.empty(64, np.int64)
    at = 0
    for node in range(n_nodes):
        level = depth[node]
        if level >= len(path):
            path = np.concatenate((path, np.empty_like(path)))
        path[level] = node
        if words[node, LEFT] >= 0:
            depth[words[node, LEFT]] = level + 1
            depth[words[node, RIGHT]] = level + 1
            continue
        for i in range(at, at + words[node, ROWS]):
            label = labels[samples[i]]
            y = 1.0 if label & CLASS_MASK == positive else 0.0
            effects[samples[i]] += _effect(reals, share, path, level, y, label >> CLASS_BITS, mass, shrinkage)
        at += words[node, ROWS]


@compiled
def _effect(
    reals: Array, share: Array, path: Array, level: int, y: float, weight: int, mass: Array, shrinkage: float
) -> float:
    total, moved, above = 0.0, 0.0, 1.0
    for step in range(level + 1):
        node = path[step]
        held = reals[node, WEIGHT]
        below = 1.0 / (1.0 + shrinkage / held) if step < level else 0.0
        if held > weight:
            moved = (share[node] - y) * weight / (held - weight)
            total += (above - below) * mass[node] * moved
        else:
            # Empty now: it takes its parent's new share, and nothing lies below it. A tree of one row alone is left as it is.
            if step > 0:
                total += above * mass[node] * (share[path[step - 1]] + moved - y)
            break
        above = below
    return total


@compiled
def class_pulls(
    words: Array, reals: Array, values: Array, positive: int, mass: Array, shrinkage: float, pulls: Array
) -> None:
    """Write what a larger weight of each class does to ``sum(mass * f)``, to first order.

    The weight grows by one part of it, at all rows of the class alike. O(n_nodes n_classes).

    Parameters
    ----------
    words, reals, positive, mass, shrinkage
        As `add_effects` takes them.
    values : ndarray, shape (n_nodes, n_classes)
        Class shares.
    pulls : ndarray, shape (n_classes,)
    """
    above = np.ones(len(words))
    pulls[:] = 0.0
    for node in range(len(words)):
        left, below = words[node, LEFT], 0.0
        if left >= 0:
            below = 1.0 / (1.0 + shrinkage / reals[node, WEIGHT])
            above[left] = above[words[node, RIGHT]] = below
        for c in range(len(pulls)):
            y = 1.0 if c == positive else 0.0
            pulls[c] += (above[node] - below) * mass[node] * (y - values[node, positive]) * values[node, c]


@compiled
def add_effects_of_draws(samples: Array, labels: Array, pulls: Array, effects: Array) -> None:
    """Add the effects of each row's draws falling evenly on the others of its class.

    Parameters
    ----------
    samples, labels, effects
        As `add_effects` takes them.
    pulls : ndarray, shape (n_classes,)
        From `class_pulls`.
    """
    held = np.zeros(len(pulls))
    for row in samples:
        held[labels[row] & CLASS_MASK] += labels[row] >> CLASS_BITS
    for row in samples:
        c, weight = labels[row] & CLASS_MASK, labels[row] >> CLASS_BITS
        if held[c] > weight:
            effects[row] += pulls[c] * weight / (held[c] - weight)
