"""Cell counts: everything a metric on decisions needs to know about n records.

Group metrics of a binary decision are functions of the table group x label x decision, of which there are a few dozen cells
however many records were counted. Tables are float64 arrays indexed ``[group, label, decision]``, index 1 being the favourable
side, with any number of leading axes (resamples).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.integer[Any]]


def cell_counts(codes: IntArray, label: BoolArray, decision: BoolArray | FloatArray, n_groups: int) -> FloatArray:
    """Count records by group, label and decision, O(n).

    Parameters
    ----------
    codes : int array, shape (n,)
        Group of each record, 0 to ``n_groups - 1``; not checked.
    label, decision : bool array, shape (n,)
        True is favourable. A float ``decision`` in [0, 1] is the probability of the favourable decision (a randomised
        post-processor) and is counted by its expectation.
    n_groups : int
        Number of groups, empty ones included.

    Returns
    -------
    float array, shape (n_groups, 2, 2)

    Examples
    --------
    >>> import numpy as np
    >>> cell_counts(np.array([0, 0, 1]), np.array([True, False, True]), np.array([True, True, False]), 2).tolist()
    [[[0.0, 1.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]]]
    """
    cell = codes * 2 + label
    size = 2 * n_groups
    if decision.dtype == np.bool_:
        counts = np.bincount(cell * 2 + decision, minlength=2 * size).astype(np.float64)
        return counts.reshape(n_groups, 2, 2)
    favorable = np.bincount(cell, weights=decision, minlength=size)
    total = np.bincount(cell, minlength=size)
    return np.stack([total - favorable, favorable], axis=-1).reshape(n_groups, 2, 2)


def weighted_counts(
    codes: IntArray, label: BoolArray, decision: BoolArray | FloatArray, weight: FloatArray, n_groups: int
) -> tuple[FloatArray, FloatArray]:
    """Sum weights, and their squares, by group, label and decision, O(n).

    Parameters
    ----------
    codes, label, decision, n_groups
        As for `cell_counts`.
    weight : float array, shape (n,)
        Of each record; not negative.

    Returns
    -------
    sums, squares : float array, shape (n_groups, 2, 2)

    Examples
    --------
    >>> import numpy as np
    >>> yes = np.array([True, True])
    >>> sums, squares = weighted_counts(np.array([0, 0]), yes, yes, np.array([1.0, 3.0]), 1)
    >>> sums[0, 1, 1], squares[0, 1, 1]
    (np.float64(4.0), np.float64(10.0))
    """
    cell, size = codes * 2 + label, 2 * n_groups
    chance = decision.astype(np.float64)
    tables = []
    for each in (weight, weight**2):
        favorable = np.bincount(cell, weights=each * chance, minlength=size)
        refused = np.bincount(cell, weights=each * (1.0 - chance), minlength=size)
        stacked = np.stack([refused, favorable], axis=-1).astype(np.float64)
        tables.append(stacked.reshape(n_groups, 2, 2))
    return tables[0], tables[1]


def joint_counts(
    codes: IntArray, label: BoolArray, before: BoolArray | FloatArray, after: BoolArray | FloatArray, n_groups: int
) -> FloatArray:
    """Count records by group, label, decision before and decision after, O(n).

    Parameters
    ----------
    codes : int array, shape (n,)
        Group of each record, 0 to ``n_groups - 1``; not checked.
    label, before, after : bool array, shape (n,)
        True is favourable. Float decisions in [0, 1] are probabilities and counted by expectation, one draw deciding a record
        both before and after: equal probabilities never differ.
    n_groups : int
        Number of groups, empty ones included.

    Returns
    -------
    float array, shape (n_groups, 2, 2, 2)
        Indexed ``[group, label, before, after]``.

    Examples
    --------
    >>> import numpy as np
    >>> yes, no = np.array([True, True]), np.array([True, False])
    >>> joint_counts(np.array([0, 0]), yes, yes, no, 1)[0, 1]
    array([[0., 0.],
           [1., 1.]])
    """
    if before.dtype != np.bool_ or after.dtype != np.bool_:
        return _expected_joint_counts(codes * 2 + label, before.astype(np.float64), after.astype(np.float64), n_groups)
    cell = ((codes * 2 + label) * 2 + before) * 2 + after
    return np.bincount(cell, minlength=8 * n_groups).astype(np.float64).reshape(n_groups, 2, 2, 2)


def _expected_joint_counts(cell: IntArray, before: FloatArray, after: FloatArray, n_groups: int) -> FloatArray:
    both = np.minimum(before, after)
    shares = (1.0 - np.maximum(before, after), after - both, before - both, both)
    sums = [np.bincount(cell, weights=share, minlength=2 * n_groups) for share in shares]
    return np.asarray(np.stack(sums, axis=-1).reshape(n_groups, 2, 2, 2), dtype=np.float64)


def before_and_after(joint: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split joint counts ``(..., G, label, before, after)`` into the two tables of cell counts."""
    return joint[..., 0] + joint[..., 1], joint[..., 0, :] + joint[..., 1, :]
