"""Really removing many groups from as many of a forest's trees as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from core.attribution.measured import Measured, mixture
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.families.forest.anew import on_columns
from core.families.forest.leaving import LeavingGroup, WaysOut, leave
from core.families.forest.points import leaves_at, points_of, state_of
from core.families.forest.state import ForestState
from core.numerics.trees.effects import leaves_of
from core.typing import Bools, Floats, Positions
from core.unlearning.preprocessing.unchanged import lost_categories
from core.unlearning.threads import on_threads, processors

Sums = tuple[Floats, npt.NDArray[np.float32]]

AT_A_TIME = 4
"""Trees that are looked at between two looks at the clock."""
EACH = 4
"""Groups for each processor that are removed from these trees between two reports."""
FEWEST, GROWTH = 20, 1.25
"""Trees before the first estimate of the correlation, and by how many times as many it is estimated again. Of fewer no use is made."""
DRAWS = 24
MOST_NUMBERS = 2**27
"""Most single-precision numbers that sums of draws may take: half a gibibyte."""


class GroupRemovals:
    """The sums over the trees seen so far of what removing each group did to the scores.

    Parameters
    ----------
    case : Case
    groups : sequence of LeavingGroup
    outcome : Outcome
    """

    def __init__(self, case: Case, groups: Sequence[LeavingGroup], outcome: Outcome) -> None:
        self.case, self.outcome, self.groups = case, outcome, list(groups)
        self.state, self.leaves = state_of(case), leaves_at(case, outcome.on)
        self.n_trees, n_points = self.leaves.shape
        self.seen = 0
        self.before = np.zeros(n_points)
        self.after = np.zeros((len(groups), n_points))
        self.by_draw = np.zeros((len(groups), DRAWS, n_points), dtype=np.float32)
        self.multipliers = np.random.default_rng(0).normal(size=(self.n_trees, DRAWS))
        self.failed = np.zeros(len(groups), dtype=bool)

    def go_on(self, progress: Callable[[float], None] | None = None) -> None:
        """Remove every group from the next few trees.

        Groups that leave the trees the same columns share these.

        Before every few groups `progress` is called with the share of trees seen. Where it raises, the sums are of no use any more.
        """
        some = range(self.seen, min(self.n_trees, self.seen + max(AT_A_TIME, processors())))
        part = replace(self.state, trees=tuple(self.state.trees[index] for index in some))
        old = np.array(
            [self.state.trees[index].grown.values[self.leaves[index], self.case.pos_column] for index in some]
        )
        alike: dict[int, list[int]] = {}
        for number in np.flatnonzero(~self.failed).tolist():
            new = self.groups[number].new
            alike.setdefault(-1 - number if new is None else id(new), []).append(number)

        def task(numbers: list[int]) -> list[tuple[int, Sums | None]]:
            new = self.groups[numbers[0]].new
            ready = part if new is None else on_columns(part, new)
            return [(number, self._without(self.groups[number], ready, old, some)) for number in numbers]

        done = 0
        for few in _in_parts([*alike.values()], EACH * processors()):
            if progress is not None:
                progress((self.seen + len(some) * done / len(self.groups)) / self.n_trees)
            for number, sums in chain(*on_threads(task, [(numbers,) for numbers in few])):
                done += 1
                if sums is None:
                    self.failed[number] = True
                else:
                    self.after[number] += sums[0]
                    self.by_draw[number] += sums[1]
        for was in old:
            self.before += was
        self.seen = some.stop

    def _without(self, group: LeavingGroup, part: ForestState, old: Floats, some: range) -> Sums | None:
        """Return what some trees without a group give the test rows, and their changes by draw.

        Before, they gave the `old` shares.
        """
        after, changes, now = (
            np.zeros(old.shape[1]),
            np.empty(old.shape, dtype=np.float32),
            np.empty(old.shape[1], np.int32),
        )
        try:
            trees = group.trees(part)
        except NotSupportedError:
            return None
        for own, was, tree in zip(changes, old, trees, strict=True):
            leaves_of(tree.grown.words, tree.grown.reals, group.points, now)
            values = tree.grown.values[now, self.case.pos_column]
            after += values
            own[:] = values - was
        return after, self.multipliers[some.start : some.stop].T.astype(np.float32) @ changes

    def effects(self) -> Floats:
        """Return possible changes of the metric, shape (n_groups, n_draws).

        In all trees there is one only.
        """
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


def _in_parts(tasks: list[list[int]], size: int) -> Iterator[list[list[int]]]:
    """Yield tasks of groups, as many at a time as hold `size` groups or a few more.

    Those of many groups are divided.
    """
    part: list[list[int]] = []
    for numbers in (task[first : first + EACH] for task in tasks for first in range(0, len(task), EACH)):
        part.append(numbers)
        if sum(map(len, part)) >= size:
            yield part
            part = []
    if part:
        yield part


def measure_groups(
    outcome: Outcome,
    groups: Sequence[Positions],
    known: Floats,
    target: float,
    seconds: float | None,
    progress: Callable[[float], None] | None = None,
) -> Measured:
    """Return the changes of the metric without each group, from as many trees as it takes.

    They bring the expected correlation to the target.

    Parameters
    ----------
    outcome : Outcome
        The metric.
    groups : sequence of ndarray of int
        Positions of rows; none empty.
    known : ndarray, shape (n_groups,)
        The changes predicted with every split kept; NaN for groups that cannot go.
    target : float
        Expected correlation that is enough; 1 asks for every tree.
    seconds : float or None
        Begin no further trees after so long; where that is before the 20th, the changes are the known ones. Preparing kernels,
        which the first removal on a machine waits for, does not count.
    progress : callable, optional
        Called with the share of trees seen; may raise to give up.
    """
    case, changes, able = outcome.case, known.copy(), np.flatnonzero(np.isfinite(known)).tolist()
    again, correlations, seen = np.zeros(len(groups), dtype=bool), [], []
    if able:
        _make_ready(outcome, min((groups[index] for index in able), key=len))
    start = time.monotonic()
    for block, share in _in_blocks(outcome, {index: groups[index] for index in able}, again, changes, progress):
        work, mine = GroupRemovals(case, list(block.values()), outcome), list(block)
        end = None if seconds is None else start + seconds * share
        changes[mine], correlation, used = _until(work, known[mine], target, end, progress)
        correlations.append(correlation)
        seen.append(used)
    correlation = float(np.min(correlations)) if correlations else float("nan")
    return Measured(changes, correlation, min(seen, default=0), len(state_of(case).trees), again)


def _in_blocks(
    outcome: Outcome,
    groups: Mapping[int, Positions],
    again: Bools,
    changes: Floats,
    progress: Callable[[float], None] | None,
) -> Iterator[tuple[dict[int, LeavingGroup], float]]:
    """Yield the groups in blocks that fit into memory, and the share of them that is then done.

    Those that train the forest again are marked in `again`, those that cannot go have no change; neither is among them.
    """
    ways, shared = WaysOut(outcome.case, outcome.on), {id(points_of(outcome.case, outcome.on))}
    block: dict[int, LeavingGroup] = {}
    held, numbers, draws = shared.copy(), 0, DRAWS * len(outcome.codes)
    for place, (index, group) in enumerate(groups.items()):
        lost = lost_categories(outcome.case, group)
        if progress is not None and lost is None:
            progress(0.0)
        try:
            leaving = ways.leaving(group, lost)
        except NotSupportedError:
            again[index] = True
            continue
        except InputError:
            changes[index] = np.nan
            continue
        if block and numbers + draws + leaving.size_beside(held) > MOST_NUMBERS:
            yield block, place / len(groups)
            block, held, numbers = {}, shared.copy(), 0
            ways.keep_only(lost)
        numbers += draws + leaving.size_beside(held)
        held.add(id(leaving.points))
        block[index] = leaving
    if block:
        yield block, 1.0


def _make_ready(outcome: Outcome, group: Positions) -> None:
    """Remove a group from one tree, so that kernels are compiled before the clock starts."""
    state = state_of(outcome.case)
    with suppress(NotSupportedError, InputError):
        leave(outcome.case, group, outcome.on, replace(state, trees=state.trees[:1]))


def _until(
    work: GroupRemovals, known: Floats, target: float, end: float | None, progress: Callable[[float], None] | None
) -> tuple[Floats, float, int]:
    due = float(FEWEST)
    while True:
        work.go_on(progress)
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
