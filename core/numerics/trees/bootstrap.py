"""Where a bootstrap's draws fall once their rows are gone.

Every class keeps its share of the draws.

Every draw has a row of its own for any set of rows that stay: that it fell on, while that stays; else the first that stays of an endless
sequence of rows of its class, drawn independently and each in proportion to its weight, which is keyed by the draw and never changes.
What the draws of a class fall on is thus distributed as that many draws among its rows that stay, and depends on these alone, not
on the order in which others went.

A sequence is made by rejection: positions in the training table are drawn evenly, and passed over where no row of the class stays, or by
its weight. After `tries` of them the row with the smallest of independent exponential clocks comes next, whose rates are the weights
(Efraimidis & Spirakis 2006); it is first with a chance in proportion to its weight, and again whoever else went does not
matter. With as many tries as the square root of the number of positions, either way takes that many steps at most for weights that are alike.

References
----------
Efraimidis, P. S. and Spirakis, P. G. (2006). Weighted random sampling with a reservoir. Information Processing Letters 97.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import entry, int64, kernel
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from core.numerics.trees.draws import mixed
from core.typing import Array

OF_BOOTSTRAP = 0x9FB21C651E98DF25
"""Tells keys of draws from a tree's other keys."""
UNIT = 2.0**-53


class Targets(NamedTuple):
    """The rows that draws may fall on.

    Parameters
    ----------
    is_open : ndarray of bool, shape (n_rows,)
        Marks them among the rows that the forest knows.
    codes : ndarray of int16, shape (n_positions,)
        By position in the training table: their class, -1 where no such row is.
    local : ndarray of int32, shape (n_positions,)
        Which row of the forest stands there.
    chance : ndarray of float64, shape (n_positions,)
        Weights, by position, as parts of what none exceeds.
    members : ndarray of int64, shape (n_open,)
        Their positions, class by class.
    first : ndarray of int64, shape (n_classes + 1,)
        Where those of each class start.
    tries : int
    """

    is_open: Array
    codes: Array
    local: Array
    chance: Array
    members: Array
    first: Array
    tries: int


@kernel
def _unit(key: Any, step: int) -> Any:
    """Return a number drawn evenly between 0 and 1, below 1."""
    return np.float64(np.int64(mixed(key, step) >> np.uint64(11))) * UNIT


@kernel
def _first_to_ring(targets: Targets, key: Any, c: int) -> int:
    """Return the position of a class's row whose clock is first."""
    found: Any = int64(targets.members[targets.first[c]])
    soonest: Any = np.inf
    for i in range(targets.first[c], targets.first[c + 1]):
        position = int64(targets.members[i])
        clock = -math.log(1.0 - _unit(key, position + 1)) / targets.chance[position]
        if clock < soonest:
            found, soonest = position, clock
    return int(found)


@kernel
def _falls_on(targets: Targets, key: Any, c: int) -> int:
    """Return the position of the row that the draw of this key falls on, its own being gone."""
    n = len(targets.codes)
    for step in range(1, targets.tries + 1):
        place = _unit(key, step) * n
        position: Any = min(np.int64(place), n - 1)
        if targets.codes[position] == c and place - position < targets.chance[position]:
            return int(position)
    return _first_to_ring(targets, mixed(key, 0), c)


@entry
def move_draws(
    targets: Targets, seed: Any, known: Array, stays: Array, were: Array, drawn: Array, labels: Array, leaving: Array,
    joining: Array,
) -> tuple[int, int]:  # fmt: skip
    """Let the draws of one tree fall on rows that are open.

    O(n_draws), and for each draw that moves O(sqrt(n_positions)) at most where weights are alike; mostly n_positions / rows of its class.

    Parameters
    ----------
    targets : Targets
    seed : uint64
        The tree's.
    known : ndarray of int32
        Rows that leave the tree, all of which it knows: those not open, and maybe others.
    stays : ndarray of bool, shape (n_rows,)
        Rows that stay in the tree, if it knows them then.
    were : ndarray of int32, shape (n_rows,)
        Weight and class of every row before.
    drawn : ndarray of int32, shape (n_draws,)
        The row of every draw; changed in place.
    labels : ndarray of int32, shape (n_rows,)
        As `were`; changed in place.
    leaving, joining : ndarray of int32
        Written: the rows that leave the tree, or their label, with the label they had, and those that join with the one they have.

    Returns
    -------
    n_leaving, n_joining : int
    """
    due, n_leaving, n_joining = int64(0), int64(len(known)), int64(0)
    for i in range(len(known)):
        row = known[i]
        leaving[i] = row
        if not targets.is_open[row]:
            due += were[row] >> CLASS_BITS
            labels[row] = were[row] & CLASS_MASK
    own = mixed(np.uint64(seed) ^ np.uint64(OF_BOOTSTRAP), 0)
    for j in range(len(drawn)):
        if targets.is_open[drawn[j]]:
            continue
        row = int64(targets.local[_falls_on(targets, mixed(own, j), int64(were[drawn[j]] & CLASS_MASK))])
        if stays[row] and labels[row] == were[row]:
            joining[n_joining] = row
            n_joining += 1
            if were[row] > CLASS_MASK:
                leaving[n_leaving] = row
                n_leaving += 1
        labels[row] += 1 << CLASS_BITS
        drawn[j] = row
        due -= 1
        if due == 0:
            break
    return n_leaving, n_joining
