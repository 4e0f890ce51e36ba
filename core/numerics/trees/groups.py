"""Effects of groups of rows, each taken out by itself, on a shrunk tree's predictions.

Its splits are kept.

The tree is shrunk as in `tree_effects`: ``f = p_0 + sum_l (p_l - p_(l-1)) / (1 + shrinkage / w_(l-1))`` over the nodes on the path.
Here shares and weights are those of the rows that stay, so that a node that loses most of its rows falls back on the nodes above
it, as a tree that is grown anew does; one left empty takes its parent's value.
"""

from __future__ import annotations

import numpy as np

from core.numerics.kernel import compiled, unchecked
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from core.numerics.trees.build import LEFT, RIGHT, ROWS
from core.typing import Array

GROUPS_AT_ONCE = 64
"""Groups whose counts at every node of a tree fit into a processor's cache."""


@compiled
def add_changes_without(
    words: Array,
    samples: Array,
    labels: Array,
    positive: int,
    first: Array,
    groups: Array,
    leaves: Array,
    shrinkage: float,
    n_kept: int,
    changes: Array,
) -> None:
    """Add to `changes` what taking each group out of a tree does to its predictions.

    These are the positive shares that it gives every point.

    O(n_nodes n_groups + n_points n_groups + rows in the groups). A tree that would be empty is left as it is.
    Where classes keep their weight, that of a group's rows falls evenly on the others of their class.

    Parameters
    ----------
    words : ndarray, shape (n_nodes, 8)
        scikit-learn's node records, depth first.
    samples : ndarray of int32
        The tree's rows in the order of its leaves.
    labels : ndarray of int32, shape (n_rows,)
        Weight and class of every row.
    positive : int
        The positive class.
    first : ndarray of int64, shape (n_rows + 1,)
        Where each row's groups start in `groups`.
    groups : ndarray of int32
    leaves : ndarray of int32, shape (n_points,)
        The leaf of every point.
    shrinkage : float
    n_kept : int
        How many classes there are, where each keeps its weight in the tree; else 0.
    changes : ndarray of float32, shape (n_points, n_groups)
    """
    n_nodes, n_groups = len(words), changes.shape[1]
    held, found = np.zeros(n_nodes, np.float32), np.zeros(n_nodes, np.float32)
    held_left, found_left = np.zeros((n_nodes, n_groups), np.float32), np.zeros((n_nodes, n_groups), np.float32)
    if n_kept > 0:
        scale = _scales(samples, labels, first, groups, n_kept, n_groups)
        _sum_scaled_leaves(words, samples, labels, positive, first, groups, scale, held, found, held_left, found_left)
    else:
        _sum_leaves(words, samples, labels, positive, first, groups, held, found, held_left, found_left)
    _sum_upwards(words, held, found, held_left, found_left)
    values = _shrunk_changes(words, held, found, held_left, found_left, shrinkage)
    for point in range(len(leaves)):
        row = values[leaves[point]]
        for group in range(n_groups):
            changes[point, group] += row[group]


@compiled
def _sum_leaves(
    words: Array,
    samples: Array,
    labels: Array,
    positive: int,
    first: Array,
    groups: Array,
    held: Array,
    found: Array,
    held_left: Array,
    found_left: Array,
) -> None:
    """Sum weights at every leaf: of all rows, and of those that stay without each group."""
    at = 0
    for node in range(len(words)):
        if words[node, LEFT] >= 0:
            continue
        for i in range(at, at + words[node, ROWS]):
            row = samples[i]
            weight = np.float32(labels[row] >> CLASS_BITS)
            hit = weight if labels[row] & CLASS_MASK == positive else np.float32(0.0)
            held[node] += weight
            found[node] += hit
            for place in range(first[row], first[row + 1]):
                held_left[node, groups[place]] -= weight
                found_left[node, groups[place]] -= hit
        for group in range(held_left.shape[1]):
            held_left[node, group] += held[node]
            found_left[node, group] += found[node]
        at += words[node, ROWS]


@compiled
def _scales(samples: Array, labels: Array, first: Array, groups: Array, n_classes: int, n_groups: int) -> Array:
    """Return by how much a class's other rows gain weight once a group has gone.

    The shape is (n_classes, n_groups); 1 where none is left.
    """
    held, left = np.zeros(n_classes), np.zeros((n_classes, n_groups))
    for row in samples:
        c, weight = labels[row] & CLASS_MASK, labels[row] >> CLASS_BITS
        held[c] += weight
        for place in range(first[row], first[row + 1]):
            left[c, groups[place]] += weight
    scale = np.ones((n_classes, n_groups), np.float32)
    for c in range(n_classes):
        for group in range(n_groups):
            if left[c, group] < held[c]:
                scale[c, group] = held[c] / (held[c] - left[c, group])
    return scale


@compiled
def _sum_scaled_leaves(
    words: Array,
    samples: Array,
    labels: Array,
    positive: int,
    first: Array,
    groups: Array,
    scale: Array,
    held: Array,
    found: Array,
    held_left: Array,
    found_left: Array,
) -> None:
    """Sum weights at every leaf as `_sum_leaves`, what is left multiplied by its class's scale."""
    n_classes, n_groups = scale.shape
    own, staying, at = np.zeros(n_classes, np.float32), np.zeros((n_classes, n_groups), np.float32), 0
    for node in range(len(words)):
        if words[node, LEFT] >= 0:
            continue
        own[:] = staying[:] = 0.0
        for i in range(at, at + words[node, ROWS]):
            row = samples[i]
            c, weight = labels[row] & CLASS_MASK, np.float32(labels[row] >> CLASS_BITS)
            own[c] += weight
            for place in range(first[row], first[row + 1]):
                staying[c, groups[place]] -= weight
        for c in range(n_classes):
            held[node] += own[c]
            for group in range(n_groups):
                weight = (own[c] + staying[c, group]) * scale[c, group]
                held_left[node, group] += weight
                found_left[node, group] += weight if c == positive else np.float32(0.0)
        found[node] = own[positive]
        at += words[node, ROWS]


@compiled
def _sum_upwards(words: Array, held: Array, found: Array, held_left: Array, found_left: Array) -> None:
    """Sum over the children, last node first."""
    n_groups = held_left.shape[1]
    for node in range(len(words) - 1, -1, -1):
        left, right = words[node, LEFT], words[node, RIGHT]
        if left >= 0:
            held[node], found[node] = held[left] + held[right], found[left] + found[right]
            for group in range(n_groups):
                held_left[node, group] = held_left[left, group] + held_left[right, group]
                found_left[node, group] = found_left[left, group] + found_left[right, group]


@unchecked
def _shrunk_changes(
    words: Array, held: Array, found: Array, held_left: Array, found_left: Array, shrinkage: float
) -> Array:
    """Return by how much each group's going moves the shrunk value of every node.

    Shares take the place of `found_left`.
    """
    n_nodes, n_groups = held_left.shape
    values, before = np.empty((n_nodes, n_groups), np.float32), np.empty(n_nodes, np.float32)
    zero, extra = np.float32(0.0), np.float32(shrinkage)
    before[0] = found[0] / held[0]
    for group in range(n_groups):
        share = found_left[0, group] / held_left[0, group] if held_left[0, group] > zero else before[0]
        values[0, group] = found_left[0, group] = share
    for node in range(n_nodes):
        for side in (LEFT, RIGHT):
            child = words[node, side]
            if child < 0:
                break
            step = found[child] / held[child] - found[node] / held[node]
            before[child] = before[node] + step * held[node] / (held[node] + extra)
            for group in range(n_groups):
                weight, above = held_left[child, group], held_left[node, group]
                share = found_left[child, group] / weight if weight > zero else found_left[node, group]
                values[child, group] = values[node, group] + (share - found_left[node, group]) * above / (above + extra)
                found_left[child, group] = share
    for node in range(n_nodes):
        for group in range(n_groups):
            values[node, group] = values[node, group] - before[node] if held_left[0, group] > zero else zero
    return values
