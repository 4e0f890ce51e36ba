"""The bootstrap of a forest with balanced class weights.

Its draws move to other rows of their class as their own go.

scikit-learn draws rows with probabilities in proportion to sample weight times class weight: of all draws every class gets the same
share, and within it a row one in proportion to its sample weight. A forest trained again without some rows gives each class the same
share as before, so that draws of forgotten rows may not fall away: each falls on another row of its class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.case.case import Case
from core.errors import NotSupportedError
from core.families.forest.steps import TreeStep
from core.families.forest.tree import Bench, LivingTree, Roots
from core.families.forest.weights import OtherRowsError, weights_of_trees
from core.numerics.trees.arrays import CLASS_MASK, MOST_WEIGHT
from core.numerics.trees.bootstrap import Targets, move_draws
from core.typing import Bools, Ints, Positions


@dataclass(frozen=True, eq=False)
class ClassBootstrap:
    """The rows that draws may fall on, by class.

    Parameters
    ----------
    rows : ndarray of int
        Positions in the training table of the rows that the forest knows.
    local : ndarray of int32, shape (n_positions,)
        Where each position stands among them.
    codes : ndarray of int16, shape (n_positions,)
        Classes of rows by their position.
    weight : ndarray of float64, shape (n_positions,)
        Sample weights.
    n_classes : int
    bound : float
        What no weight exceeds; kept for life, so that draws move alike whoever has gone.
    """

    rows: Positions
    local: Ints
    codes: npt.NDArray[np.int16]
    weight: npt.NDArray[np.float64]
    n_classes: int
    bound: float

    @classmethod
    def of(cls, case: Case, rows: Positions, local: Ints, bound: float | None = None) -> ClassBootstrap:
        """Return the bootstrap of a case.

        Without a bound, the least power of 2 that no weight of its retained rows exceeds.
        """
        weight = np.ones(len(local)) if case.train_weight is None else np.asarray(case.train_weight, dtype=np.float64)
        if bound is None:
            bound = float(2.0 ** np.ceil(np.log2(weight[rows].max())))
        return cls(rows, local, case.train_codes.astype(np.int16), weight, len(case.classes), bound)

    def without(self, is_open: Bools) -> Targets:
        """Return what draws may fall on while of the forest's rows those stay that are open.

        O(n_positions).

        Raises
        ------
        NotSupportedError
            If a class has no row of any weight left.
        """
        codes, places = np.full(len(self.codes), -1, np.int16), self.rows[is_open]
        codes[places] = self.codes[places]
        members = places[np.argsort(codes[places], kind="stable")]
        first = np.append(0, np.cumsum(np.bincount(codes[places], minlength=self.n_classes)))
        if not np.bincount(codes[places], self.weight[places], self.n_classes).all():
            raise NotSupportedError("of a class no record of any weight would be left for its draws to fall on")
        return Targets(is_open, codes, self.local, self.weight / self.bound, members, first, _tries(len(codes)))


def steps_of_a_draw(case: Case) -> float:
    """Return about how many rows are looked at to find one for a draw that moves.

    In the class where it takes most; many where weights are uneven.
    """
    rows = np.flatnonzero(case.retained)
    bootstrap = ClassBootstrap.of(case, rows, np.empty(len(case.retained), np.int32))
    codes, n = bootstrap.codes[rows], len(bootstrap.codes)
    hit = np.bincount(codes, bootstrap.weight[rows] / bootstrap.bound) / n
    missed = (1.0 - hit) ** _tries(n)
    return float(np.max((1.0 - missed) / np.maximum(hit, 1.0 / n) + missed * np.bincount(codes)))


def _tries(n_positions: int) -> int:
    return int(np.sqrt(n_positions)) + 1


def step_of(tree: LivingTree, known: Ints, targets: Targets, stays: Bools, bench: Bench) -> TreeStep:
    """Return the step of a tree whose rows `known` leave it.

    Those not open let go of their draws, which fall on others.

    Raises
    ------
    NotSupportedError
        If the tree would be left without rows for now, as others that are open leave it too.
    """
    roots, gone, joining = _moved(tree.roots, known, targets, stays, bench)
    if len(gone) == len(tree.samples) and not len(joining):
        raise NotSupportedError("a tree would have no rows left")
    return TreeStep(tree, gone.copy(), joining.copy(), roots)


def roots_without(roots: Roots, targets: Targets, bench: Bench) -> Roots:
    """Return what a tree keeps once its draws have moved to rows that are open."""
    known = np.flatnonzero(~targets.is_open & (roots.labels > CLASS_MASK)).astype(np.int32)
    return _moved(roots, known, targets, targets.is_open, bench)[0] if len(known) else roots


def _moved(roots: Roots, known: Ints, targets: Targets, stays: Bools, bench: Bench) -> tuple[Roots, Ints, Ints]:
    """Return what a tree keeps once draws have moved, and the rows that leave and join it.

    These rows stand on the bench.
    """
    n, pool = len(stays), bench.moves.pool
    drawn: Any = roots.drawn
    labels, drawn = roots.labels.copy(), drawn.copy()
    n_gone, n_joining = move_draws(
        targets, roots.draws.seed, known, stays, roots.labels, drawn, labels, pool[:n], pool[n : 2 * n]
    )
    return replace(roots, labels=labels, drawn=drawn), pool[:n_gone], pool[n : n + n_joining]


def drawn_rows(case: Case, estimator: Any, rows: Positions) -> list[Ints]:
    """Return the row of every draw in every tree of a forest as it was fitted.

    Rows are those at some positions of the training table.

    Raises
    ------
    NotSupportedError
        If it was fitted with other weights, or draws so many rows that one could come to weigh more than a tree can hold.
    """
    try:
        weights_of_trees(
            estimator, case.train_codes[rows], None if case.train_weight is None else case.train_weight[rows]
        )
    except OtherRowsError as error:
        raise NotSupportedError(str(error)) from error
    if estimator._n_samples_bootstrap > MOST_WEIGHT:
        raise NotSupportedError(
            f"each tree draws {estimator._n_samples_bootstrap:,} rows, more than {MOST_WEIGHT:,}, all of which could come to fall on one record"
        )
    return list(estimator.estimators_samples_)
