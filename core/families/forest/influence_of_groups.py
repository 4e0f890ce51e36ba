"""Effects of removing groups on a forest's scores.

With every split kept, and really, in a sample of the trees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.case.case import Case
from core.errors import NotSupportedError
from core.families.forest.leaving import leave
from core.families.forest.points import leaves_at, state_of
from core.families.forest.state import ForestState
from core.numerics.trees.effects import leaves_of
from core.numerics.trees.groups import GROUPS_AT_ONCE, add_changes_without
from core.typing import Floats, Ints, Positions
from core.unlearning.threads import on_threads, processors

FEWEST_TREES = 10
ROUTES = 250_000
"""Trees that a set is really removed from to preview it: as many as make so many paths of rows through trees, and no fewer than ten."""


def n_sampled(case: Case) -> int:
    """Return how many trees a set of records is really removed from to preview its scores."""
    return min(len(state_of(case).trees), max(FEWEST_TREES, ROUTES // case.n_retained))


def changes_kept(case: Case, groups: Sequence[Positions], on: str, shrinkage: float) -> Floats:
    """Return by how much the going of each group moves every score while no split moves.

    The shape is (n_groups, n_points).
    """
    state, leaves = state_of(case), leaves_at(case, on)
    n_kept = 0 if state.grove.bootstrap is None else len(case.classes)
    found = np.empty((len(groups), leaves.shape[1]))
    for start in range(0, len(groups), GROUPS_AT_ONCE):
        block = groups[start : start + GROUPS_AT_ONCE]
        first, members = _groups_by_row(state, block)

        def changes_of(trees: range, first: Positions = first, members: Ints = members, n: int = len(block)) -> Any:
            changes = np.zeros((leaves.shape[1], n), dtype=np.float32)
            for index in trees:
                tree = state.trees[index]
                labels, pos = tree.roots.labels, case.pos_column
                add_changes_without(
                    tree.grown.words,
                    tree.samples,
                    labels,
                    pos,
                    first,
                    members,
                    leaves[index],
                    shrinkage,
                    n_kept,
                    changes,
                )
            return changes

        found[start : start + GROUPS_AT_ONCE] = over_trees(changes_of, len(state.trees)).T / len(state.trees)
    return found


def _groups_by_row(state: ForestState, groups: Sequence[Positions]) -> tuple[Positions, Ints]:
    """Return the groups of every row the forest knows, and where each row's start."""
    rows = np.concatenate([state.grove.local[group] for group in groups])
    number = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    order = np.argsort(rows, kind="stable")
    counts = np.bincount(rows, minlength=len(state.grove.rows))
    return np.append(0, np.cumsum(counts)), number[order]


def with_sample(case: Case, positions: Positions, on: str, kept: Floats) -> Floats:
    """Return changes of scores drawn towards those of real removal from some trees.

    `kept` are the changes with splits kept.

    Costs that share of a removal. The change in the sample leans to no side, but a tree that is grown anew scatters: it is shrunk towards
    the other by the share of their mean squared distance that the scatter makes (James & Stein 1961).
    """
    state, leaves = state_of(case), leaves_at(case, on)
    n_trees = len(state.trees)
    chosen = np.unique(np.linspace(0, n_trees - 1, n_sampled(case)).round().astype(int))
    try:
        trees, X = leave(case, positions, on, replace(state, trees=tuple(state.trees[index] for index in chosen)))
    except NotSupportedError:
        return kept
    now = np.empty(leaves.shape[1], dtype=np.int32)
    total, squares = np.zeros((2, len(now)))
    for index, tree in zip(chosen, trees, strict=True):
        leaves_of(tree.grown.words, tree.grown.reals, X, now)
        change = tree.grown.values[now, case.pos_column]
        change -= state.trees[index].grown.values[leaves[index], case.pos_column]
        total += change
        squares += change**2
    m, mean = len(chosen), total / len(chosen)
    if m == n_trees:
        return np.asarray(mean)
    scatter = float((squares - m * mean**2).mean() / (m - 1) * (1.0 / m - 1.0 / n_trees)) if m > 1 else 0.0
    distance = float(((mean - kept) ** 2).mean())
    weight = max(0.0, 1.0 - scatter / distance) if distance > 0.0 else 0.0
    return np.asarray(weight * mean + (1.0 - weight) * kept)


def scores_after(case: Case, positions: Positions, on: str) -> Floats:
    """Return the scores after really removing rows.

    Test rows are sent anew through the trees that changed alone.
    """
    state, leaves = state_of(case), leaves_at(case, on)
    trees, X = leave(case, positions, on, state)
    total, now = np.zeros(leaves.shape[1]), np.empty(leaves.shape[1], dtype=np.int32)
    for old, new, own in zip(state.trees, trees, leaves, strict=True):
        if new is not old:
            leaves_of(new.grown.words, new.grown.reals, X, now)
        total += new.grown.values[own if new is old else now, case.pos_column]
    return total / len(state.trees)


def over_trees(task: Callable[[range], Any], n_trees: int) -> Floats:
    """Return the sum of what `task` gives for each processor's share of the trees."""
    shares = [range(start, n_trees, processors()) for start in range(min(processors(), n_trees))]
    return np.asarray(np.sum(on_threads(task, [(share,) for share in shares]), axis=0, dtype=np.float64))
