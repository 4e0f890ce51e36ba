"""Resampling of cell counts.

The record bootstrap, permutations of groups, and swaps within pairs.

Drawing n records with replacement is one multinomial draw over the cells, and permuting group labels among records is one
multivariate hypergeometric draw per kind of record, so a resample costs O(cells) whatever n is.

References
----------
Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 15 and 16.
Agresti & Caffo (2000), Simple and effective confidence intervals for proportions, The American Statistician 54(4).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.numerics.statistics.counts import FloatArray

Stratum = Literal["label", "decision", "all"]

PSEUDO_RECORDS = 2.0


def smoothed(counts: FloatArray) -> FloatArray:
    """Add two records, spread evenly over its cells, to every group that has records.

    A group of ten whose rate is 100% has no spread to resample; half a record per label and decision (Jeffreys) gives it one.
    """
    cells = counts.reshape(len(counts), -1)
    occupied = cells.sum(axis=1) > 0
    return np.asarray(counts + PSEUDO_RECORDS / cells.shape[1] * occupied.reshape(-1, *[1] * (counts.ndim - 1)))


def bootstrap_counts(counts: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Draw tables of as many records from the smoothed cell shares, O(n_resamples x cells).

    Parameters
    ----------
    counts : float array, shape (G, ...)
        Cell counts, or joint counts, of one sensitive feature.
    n_resamples : int
        Number of tables.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    float array, shape (n_resamples, G, ...)
        Their centre is ``smoothed(counts)`` scaled to the number of records.

    Examples
    --------
    >>> import numpy as np
    >>> draws = bootstrap_counts(np.array([[[30.0, 10.0], [5.0, 55.0]]]), 3, np.random.default_rng(0))
    >>> draws.shape, draws.sum(axis=(1, 2, 3))
    ((3, 1, 2, 2), array([100., 100., 100.]))
    """
    cells = smoothed(counts).ravel()
    n = round(float(counts.sum()))
    if n == 0:
        return np.zeros((n_resamples, *counts.shape))
    draws = rng.multinomial(n, cells / cells.sum(), size=n_resamples)
    return draws.astype(np.float64).reshape(n_resamples, *counts.shape)


def permuted_counts(counts: FloatArray, stratum: Stratum, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Draw tables in which group membership is permuted among the records of each stratum.

    Parameters
    ----------
    counts : float array, shape (G, 2, 2)
        Cell counts; fractions (expected decisions) are rounded.
    stratum : {"label", "decision", "all"}
        Records that are exchangeable under "no difference between groups": those with the same label (true positive rate),
        with the same decision (precision), or all (selection rate). Group sizes within each stratum stay as they are.
    n_resamples : int
        Number of tables.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    float array, shape (n_resamples, G, 2, 2)

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[[9.0, 3.0], [4.0, 6.0]], [[1.0, 7.0], [2.0, 8.0]]])
    >>> draws = permuted_counts(counts, "label", 5, np.random.default_rng(0))
    >>> bool((draws.sum(axis=1) == counts.sum(axis=0)).all()), bool((draws.sum(axis=3) == counts.sum(axis=2)).all())
    (True, True)
    """
    table = np.rint(counts).astype(np.int64)
    if stratum == "all":
        return _deal(table.reshape(-1, 4), n_resamples, rng).reshape(n_resamples, -1, 2, 2)
    if stratum == "decision":
        table = table.swapaxes(1, 2)
    dealt = np.stack([_deal(table[:, side], n_resamples, rng) for side in (0, 1)], axis=2)
    return dealt.swapaxes(2, 3) if stratum == "decision" else dealt


def _deal(table: NDArray[np.int64], n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Deal the kinds of a (G, kinds) table to groups at random, both margins kept."""
    groups, kinds = table.shape
    dealt = np.empty((n_resamples, groups, kinds))
    open_seats = np.broadcast_to(table.sum(axis=1), (n_resamples, groups)).copy()
    for kind in range(kinds - 1):
        left = np.full(n_resamples, table[:, kind].sum())
        seats_left = open_seats.sum(axis=1)
        for group in range(groups - 1):
            seats_left = seats_left - open_seats[:, group]
            taken = rng.hypergeometric(open_seats[:, group], seats_left, left)
            dealt[:, group, kind] = taken
            left = left - taken
        dealt[:, groups - 1, kind] = left
        open_seats -= dealt[:, :, kind].astype(np.int64)
    dealt[:, :, kinds - 1] = open_seats
    return dealt


def swapped_counts(joint: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Draw joint tables in which records' decisions before and after change places.

    Each record's do so with probability one half.

    Parameters
    ----------
    joint : float array, shape (G, 2, 2, 2)
        Counts indexed ``[group, label, before, after]``.
    n_resamples : int
        Number of tables.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    float array, shape (n_resamples, G, 2, 2, 2)

    Examples
    --------
    >>> import numpy as np
    >>> joint = np.zeros((1, 2, 2, 2))
    >>> joint[0, 1] = [[3, 4], [0, 5]]
    >>> draws = swapped_counts(joint, 2, np.random.default_rng(0))
    >>> draws[:, 0, 1, 0, 1] + draws[:, 0, 1, 1, 0]
    array([4., 4.])
    """
    changed = np.rint(joint[..., 0, 1] + joint[..., 1, 0]).astype(np.int64)
    draws = np.repeat(joint[np.newaxis], n_resamples, axis=0)
    won = rng.binomial(changed, 0.5, size=(n_resamples, *changed.shape))
    draws[..., 0, 1] = won
    draws[..., 1, 0] = changed - won
    return draws


def upper_p_value(observed: float, null: FloatArray) -> float:
    """Return the share of null draws at least as large as the observed value, itself counted."""
    if np.isnan(observed):
        return float("nan")
    reached = np.count_nonzero(null >= observed - 1e-12 * max(1.0, abs(observed)))
    return (reached + 1) / (len(null) + 1)
