"""The best split of every node of a tree of given structure: what the tree would choose."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.numerics.kernel import compiled
from core.typing import Bools, Floats, Positions

WORST = -1.0
"""Score of a node that no split divides as the limits ask."""


@compiled
def _score(g: float, h: float, other_g: float, other_h: float, ridge: float) -> float:
    return g * g / (h + ridge) + other_g * other_g / (other_h + ridge)


@compiled
def _allowed(left: Floats, right: Floats, least_rows: float, least: float) -> bool:
    enough = min(left[0], right[0]) >= least_rows
    return bool(enough and min(left[2], right[2]) >= least and min(left[2], right[2]) > 0.0)


@compiled
def _best_of_feature(
    here: Floats, total: Floats, side: Floats, rest: Floats, ridge: float, least_rows: float, least: float
) -> float:
    """Return the best score of one node on one feature.

    `side` starts with what goes left in any case.
    """
    best = WORST
    for c in range(len(here) - 1):
        if here[c, 0] == 0.0:
            continue
        for j in range(3):
            side[j] += here[c, j]
            rest[j] = total[j] - side[j]
        if _allowed(side, rest, least_rows, least):
            best = max(best, _score(side[1], side[2], rest[1], rest[2], ridge))
    return best


@compiled
def _own_scores(
    leaf: Positions,
    rows: Positions,
    left: Positions,
    right: Positions,
    g: Floats,
    h: Floats,
    ridge: float,
    least_rows: float,
    least: float,
) -> tuple[Floats, Floats]:
    """Return every node's sums of rows, `g` and `h`, and the score of its own split."""
    total, own = np.zeros((len(left), 3)), np.full(len(left), WORST)
    for i in rows:
        total[leaf[i], 0] += 1.0
        total[leaf[i], 1] += g[i]
        total[leaf[i], 2] += h[i]
    for k in range(len(left) - 1, -1, -1):
        if left[k] >= 0:
            one, other = total[left[k]], total[right[k]]
            for j in range(3):
                total[k, j] = one[j] + other[j]
            if _allowed(one, other, least_rows, least):
                own[k] = _score(one[1], one[2], other[1], other[2], ridge)
    return total, own


@compiled
def best_scores(
    codes: npt.NDArray[np.int32],
    n_codes: Positions,
    missing: Bools,
    allowed: Bools,
    leaf: Positions,
    rows: Positions,
    left: Positions,
    right: Positions,
    g: Floats,
    h: Floats,
    ridge: float,
    least_rows: float,
    least: float,
) -> tuple[Floats, Floats]:
    """Return the score of every inner node's own split, and of the best split of its rows.

    O(d (n_rows + n_nodes n_codes)).

    The score is ``GL^2 / (HL + ridge) + GR^2 / (HR + ridge)``; what a node's gain subtracts from it is the same for all its splits.

    Parameters
    ----------
    codes : ndarray of int, shape (d, n_rows)
        Every feature's values as their places in order; missing ones come last.
    n_codes : ndarray of int, shape (d,)
        How many places each feature has.
    missing : ndarray of bool, shape (d,)
        Whether the last place is for missing values, which may go to either side.
    allowed : ndarray of bool, shape (n_nodes, d)
        Which features a node may split on.
    leaf : ndarray of int, shape (n_rows,)
        The leaf of every row.
    rows : ndarray of int
        The rows to look at.
    left, right : ndarray of int, shape (n_nodes,)
        Children, after their parents; at a leaf `left` is negative.
    g, h : ndarray, shape (n_rows,)
        Gradients and second derivatives.
    ridge : float
        Added to every side's second derivative.
    least_rows, least : float
        What each side must have of rows and of `h`.

    Returns
    -------
    own, best : ndarray, shape (n_nodes,)
        `WORST` where no split is allowed.
    """
    n_nodes = len(left)
    total, own = _own_scores(leaf, rows, left, right, g, h, ridge, least_rows, least)
    best = np.full(n_nodes, WORST)
    sums = np.zeros((n_nodes, n_codes.max(), 3))
    side, rest = np.zeros(3), np.zeros(3)
    for f in range(len(codes)):
        top = n_codes[f]
        sums[:, :top] = 0.0
        for i in rows:
            cell = sums[leaf[i], codes[f, i]]
            cell[0] += 1.0
            cell[1] += g[i]
            cell[2] += h[i]
        for k in range(n_nodes - 1, -1, -1):
            if left[k] < 0:
                continue
            one, other, here = sums[left[k]], sums[right[k]], sums[k]
            for c in range(top):
                for j in range(3):
                    here[c, j] = one[c, j] + other[c, j]
            if not allowed[k, f]:
                continue
            side[:] = 0.0
            best[k] = max(best[k], _best_of_feature(here[:top], total[k], side, rest, ridge, least_rows, least))
            if missing[f] and here[top - 1, 0] > 0.0:
                for j in range(3):
                    side[j] = here[top - 1, j]
                best[k] = max(best[k], _best_of_feature(here[:top], total[k], side, rest, ridge, least_rows, least))
    return own, best
