"""Really removing many groups from as many of a forest's trees as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.attribution.forest_groups import leaves_at, points_of, state_of, without
from core.attribution.measured import Measured, mixture
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import NotSupportedError
from core.numerics.tree_effects import leaves_of
from core.unlearning.threads import processors

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

AT_A_TIME = 4
"""Trees that are looked at between two looks at the clock."""
FEWEST, GROWTH = 20, 1.25
"""Trees before the first estimate of the correlation, and by how many times as many it is estimated again. Of fewer no use is made."""
DRAWS = 24
MOST_NUMBERS = 2**27
"""Most single-precision numbers that sums of draws may take: half a gibibyte."""


class Removals:
    """The sums over the trees seen so far of what removing each group did to the scores.

    Parameters
    ----------
    case : Case
    groups : sequence of ndarray of int
        Positions of rows; not empty, and without a whole class.
    outcome : Outcome
    """

    def __init__(self, case: Case, groups: Sequence[Positions], outcome: Outcome) -> None:
        self.case, self.outcome, self.groups = case, outcome, list(groups)
        self.state, self.leaves, self.X = (
            state_of(case),
            leaves_at(case, outcome.on),
            points_of(case, outcome.on),
        )
        self.n_trees, n_points = self.leaves.shape
        self.seen = 0
        self.before = np.zeros(n_points)
        self.after = np.zeros((len(groups), n_points))
        self.by_draw = np.zeros((len(groups), DRAWS, n_points), dtype=np.float32)
        self.multipliers = np.random.default_rng(0).normal(size=(self.n_trees, DRAWS))
        self.failed = np.zeros(len(groups), dtype=bool)

    def go_on(self) -> None:
        """Remove every group from the next few trees."""
        some = range(self.seen, min(self.n_trees, self.seen + max(AT_A_TIME, processors())))
        part = replace(self.state, trees=tuple(self.state.trees[index] for index in some))
        column, now = self.case.pos_column, np.empty(len(self.X), dtype=np.int32)
        old = np.array([self.state.trees[index].grown.values[self.leaves[index], column] for index in some])
        for number, group in enumerate(self.groups):
            if self.failed[number]:
                continue
            try:
                trees = without(self.case, part, group).trees
            except NotSupportedError:
                self.failed[number] = True
                continue
            changes = np.empty(old.shape, dtype=np.float32)
            for own, was, tree in zip(changes, old, trees, strict=True):
                leaves_of(tree.grown.words, tree.grown.reals, self.X, now)
                values = tree.grown.values[now, column]
                self.after[number] += values
                own[:] = values - was
            self.by_draw[number] += self.multipliers[some.start : some.stop].T.astype(np.float32) @ changes
        for was in old:
            self.before += was
        self.seen = some.stop

    def effects(self) -> Floats:
        """Return possible changes of the metric, shape (n_groups, n_draws); in all trees there is one only."""
        m, n = self.seen, self.n_trees
        scores = self.case.scores(self.outcome.on)
        if m == n:
            return np.asarray(self.outcome.values(self.after / n) - self.outcome.value())[:, None]
        width = np.sqrt((n - m) / (n * m * max(m - 1, 1)))
        sums = self.multipliers[:m].sum(axis=0)[:, None]
        found = np.full((len(self.groups), DRAWS), np.nan)
        for number in np.flatnonzero(~self.failed):
            change = (self.after[number] - self.before) / m
            around = width * (self.by_draw[number] - sums * change)
            found[number] = self.outcome.values(np.clip(scores + change + around, 0.0, 1.0))
        return found - self.outcome.value()


def measure(
    outcome: Outcome,
    groups: Sequence[Positions],
    known: Floats,
    trained_again: Bools,
    target: float,
    seconds: float | None,
    progress: Callable[[float], None] | None = None,
) -> Measured:
    """Return the changes of the metric without each group, from as many trees as bring the expected correlation to the target.

    Parameters
    ----------
    outcome : Outcome
        The metric.
    groups : sequence of ndarray of int
        Positions of rows; none empty.
    known : ndarray, shape (n_groups,)
        The changes predicted with every split kept; NaN for groups that cannot go.
    trained_again : ndarray of bool, shape (n_groups,)
        Groups that are not removed from trees, as removing them trains new ones: they keep what is known.
    target : float
        Expected correlation that is enough; 1 asks for every tree.
    seconds : float or None
        Begin no further trees after so long; where that is before the 20th, the changes are the known ones. Preparing kernels,
        which the first removal on a machine waits for, does not count.
    progress : callable, optional
        Called with the share of trees seen; may raise to give up.
    """
    changes, able = known.copy(), np.flatnonzero(np.isfinite(known) & ~trained_again)
    if len(able):
        _make_ready(outcome, min((groups[int(index)] for index in able), key=len))
    start = time.monotonic()
    at_once = max(1, MOST_NUMBERS // (DRAWS * len(outcome.codes)))
    blocks = [able[first : first + at_once] for first in range(0, len(able), at_once)]
    n_trees = len(state_of(outcome.case).trees)
    correlations, seen = [], [n_trees if len(able) else 0]
    for place, block in enumerate(blocks):
        work = Removals(outcome.case, [groups[index] for index in block], outcome)
        end = None if seconds is None else start + seconds * (place + 1) / len(blocks)
        changes[block], correlation, used = _until(work, known[block], target, end, progress)
        correlations.append(correlation)
        seen.append(used)
    correlation = float(np.min(correlations)) if correlations else float("nan")
    return Measured(changes, correlation, min(seen), n_trees, trained_again)


def _make_ready(outcome: Outcome, group: Positions) -> None:
    """Remove a group from one tree, so that kernels are compiled before the clock starts."""
    state = state_of(outcome.case)
    with suppress(NotSupportedError):
        without(outcome.case, replace(state, trees=state.trees[:1]), group)


def _until(
    work: Removals, known: Floats, target: float, end: float | None, progress: Callable[[float], None] | None
) -> tuple[Floats, float, int]:
    due = float(FEWEST)
    while True:
        if progress is not None:
            progress(work.seen / work.n_trees)
        work.go_on()
        late = end is not None and time.monotonic() > end
        if not late and work.seen < min(due, work.n_trees):
            continue
        due = max(due, work.seen) * GROWTH
        effects = work.effects()
        judged = ~work.failed & np.isfinite(effects).all(axis=1)
        changes = np.where(work.failed, known, np.nan)
        if work.seen == work.n_trees:
            changes[judged] = effects[judged, 0]
            return changes, 1.0 if judged.all() else float("nan"), work.seen
        if work.seen < FEWEST:
            return known, float("nan"), 0
        changes[judged], correlation = mixture(effects[judged], known[judged], work.seen / work.n_trees)
        if late or correlation >= target < 1.0:
            return changes, correlation, work.seen
