"""A group of records on its way out of a forest.

From some of the trees, as `Forest.remove` lets it go from all of them.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from core.case.case import Case
from core.families.forest.anew import RefittedPreprocessing, on_columns, refitted
from core.families.forest.parts import estimator_of, rules_of
from core.families.forest.points import points_of, state_of
from core.families.forest.rescaled import rescaled
from core.families.forest.state import ForestState
from core.families.forest.table import as_trees_take
from core.families.forest.tree import LivingTree
from core.numerics.trees.arrays import Rules
from core.typing import Bools, Positions, Singles
from core.unlearning.base import mask_without
from core.unlearning.preprocessing.branches import branches_again
from core.unlearning.preprocessing.unchanged import NONE_LOST, Lost, lost_categories


@dataclass(frozen=True, eq=False)
class LeavingGroup:
    """A group of records, and what its going does to the preprocessing.

    Parameters
    ----------
    case : Case
    positions : ndarray of int
    retained : ndarray of bool
        The records that stay.
    new : Refitted or None
        The preprocessing without the group, where it is another one.
    points : ndarray of float32, shape (n_points, n_columns)
        Test rows as trees get them then.
    """

    case: Case
    positions: Positions
    retained: Bools
    new: RefittedPreprocessing | None
    points: Singles

    def size_beside(self, held: Set[int]) -> int:
        """Return how many numbers it holds of the tables of rows.

        None where the table of test rows is among those `held`, by their id.
        """
        if id(self.points) in held:
            return 0
        return int(self.points.size + (0 if self.new is None else self.new.values.size))

    def rules(self, part: ForestState) -> Rules:
        """Return what shapes trees of the records that stay, as many columns tried as in `part`."""
        n_rows = int(self.retained.sum())
        return rules_of(estimator_of(self.case.model), n_rows)._replace(max_features=part.grove.rules.max_features)

    def trees(self, part: ForestState) -> tuple[LivingTree, ...]:
        """Return some of the case's trees without the records.

        `part` holds them, on the columns they leave where `new` says so.

        Raises
        ------
        NotSupportedError
            If one of them would have no rows left.
        """
        rules = self.rules(part)
        if self.new is None and rules == part.grove.rules:
            return part.without(self.positions, self.retained).trees
        return part.under(rules).from_scratch(self.retained).trees


class WaysOut:
    """Where groups of records leave a forest.

    What the preprocessing becomes is found once for groups that take the same categories along.

    Parameters
    ----------
    case : Case
    on : str
        The test rows that trees are to be asked about.
    """

    def __init__(self, case: Case, on: str) -> None:
        self.case, self.on = case, on
        self._found: dict[Lost, tuple[RefittedPreprocessing | None, Singles]] = {}

    def leaving(self, positions: Positions, lost: Lost | None) -> LeavingGroup:
        """Return a group that lets go of records on which the preprocessing depends.

        It has `lost` some categories by that; if None, it is fitted again.

        Raises
        ------
        InputError
            If they cannot go.
        NotSupportedError
            If the trees cannot be built on what the preprocessing gives without them.
        """
        retained = mask_without(self.case, positions)
        if lost is not None and lost in self._found:
            return LeavingGroup(self.case, positions, retained, *self._found[lost])
        new, points = self._fitted(positions, retained) if lost != NONE_LOST else (None, points_of(self.case, self.on))
        if lost is not None and (new is None or not len(new.changed)):
            self._found[lost] = new, points
        return LeavingGroup(self.case, positions, retained, new, points)

    def keep_only(self, lost: Lost | None) -> None:
        """Let go of what was found of other categories; groups that hold it keep it."""
        self._found = {key: found for key, found in self._found.items() if key == lost}

    def _fitted(self, positions: Positions, retained: Bools) -> tuple[RefittedPreprocessing | None, Singles]:
        case, grove = self.case, state_of(self.case).grove
        frame, points = case.X_test.iloc[case.rows(self.on)], points_of(case, self.on)
        given = branches_again(case, positions, frame)
        if given is None:
            new = refitted(case, grove, retained)
            if new is None or not new.differs:
                return None, points
            return new, as_trees_take(case.model, frame, new.steps)
        points = points.copy()
        points[:, given.columns] = given.points
        every = np.arange(grove.X.shape[1])
        return RefittedPreprocessing(None, retained, every, given.columns, given.values, len(every)), points


def leave(case: Case, positions: Positions, on: str, part: ForestState) -> tuple[tuple[LivingTree, ...], Singles]:
    """Return some of a case's trees without one group of records, and their test rows.

    Raises
    ------
    InputError, NotSupportedError
        As from `WaysOut.leaving` and `LeavingGroup.trees`.
    """
    leaving = WaysOut(case, on).leaving(positions, lost_categories(case, positions))
    if leaving.new is None:
        return leaving.trees(part), leaving.points
    updated = rescaled(part, positions, leaving.new, leaving.rules(part))
    return updated.trees if updated else leaving.trees(on_columns(part, leaving.new)), leaving.points
