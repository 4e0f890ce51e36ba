"""How many splits of a boosting model are no longer the best ones.

Leaf values are those of the retained rows.

Refitting leaves keeps every split. Here each tree's rows are given the gradients that the refitted trees before it leave, and at every
inner node all splits of all columns are scored: a node whose own split is beaten, or no longer allowed, is one that training again
would split otherwise. What follows from it further down, and in later trees, is not traced.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from core.case.case import Case
from core.errors import NotSupportedError
from core.families.boosting.booster import Leaves, Places
from core.families.boosting.unlearner import BoostingState, LeafRefit
from core.numerics.boosting.nodes import COUNT
from core.numerics.boosting.splits import best_scores
from core.typing import Bools, Floats, Progress
from core.unlearning.base import model_input
from core.unlearning.splits import SplitCheck

ROUNDING = 1e-9
"""Two scores nearer than this, relatively, are equal."""


def check_boosting_splits(case: Case, n_stages: int | None, progress: Progress | None) -> SplitCheck:
    """Count the splits of a boosting model that are no longer the best ones.

    As `core.check_splits`.
    """
    start = time.perf_counter()
    state = _state(case)
    leaves = state.leaves(case, case.retained)
    of_stages = len(state.rows.nodes) // state.booster.n_outputs
    chosen = np.unique(np.linspace(0, of_stages - 1, min(n_stages or of_stages, of_stages)).round().astype(int))
    columns = model_input(case, np.ones(len(case.retained), dtype=bool)) if state.features is None else state.features
    places = state.booster.places(columns)
    raw = np.tile(leaves.baseline, (len(case.retained), 1))
    found: dict[int, tuple[int, int]] = {}
    for stage in range(of_stages):
        if stage in chosen:
            if progress:
                progress(len(found) / len(chosen), f"Splits of stage {stage + 1:,}")
            found[stage] = _of_stage(state, leaves, places, stage, raw)
        raw += _step(state, leaves, stage)
    by_stage = pd.DataFrame.from_dict(found, orient="index", columns=["splits", "changed"]).rename_axis("stage")
    n_splits, n_changed = (int(by_stage[name].sum()) for name in by_stage)
    return SplitCheck(n_splits, n_changed, len(chosen), of_stages, by_stage, time.perf_counter() - start)


def _state(case: Case) -> BoostingState:
    reason = LeafRefit().fits(case)
    try:
        if reason is None:
            state: BoostingState = LeafRefit().prepare(case)
            reason = state.booster.splits_refusal()
    except NotSupportedError as error:
        reason = str(error)
    if reason:
        raise NotSupportedError(f"Splits are checked where leaves can be refitted. Here they cannot: {reason}.")
    return state


def _step(state: BoostingState, leaves: Leaves, stage: int) -> Floats:
    """Return what a stage adds to the predictions."""
    width = state.booster.n_outputs
    trees = range(stage * width, (stage + 1) * width)
    added = [leaves.values[state.forest.tree(tree)][state.rows.nodes[tree]] for tree in trees]  # noqa: PD011
    return np.asarray(state.booster.rate * np.column_stack(added))


def _of_stage(state: BoostingState, leaves: Leaves, places: Places, stage: int, raw: Floats) -> tuple[int, int]:
    """Return how many splits the trees of a stage have, and how many are not the best ones."""
    p, width = state.booster.probabilities(raw), state.booster.n_outputs
    g, h = leaves.weight[:, None] * (p - state.booster.labels(state.rows.y)), leaves.weight[:, None] * p * (1.0 - p)
    counts = [_of_tree(state, leaves, places, stage * width + k, g[:, k], h[:, k]) for k in range(width)]
    return sum(splits for splits, _ in counts), sum(changed for _, changed in counts)


def _of_tree(state: BoostingState, leaves: Leaves, places: Places, tree: int, g: Floats, h: Floats) -> tuple[int, int]:
    at = state.forest.tree(tree)
    left, right = state.forest.left[at], state.forest.right[at]
    g, h = state.booster.split_terms(g, h, leaves.weight)
    given = state.rows.given(tree // state.booster.n_outputs)
    least_rows, least_split, least = state.booster.limits(leaves.keep, leaves.weight * given)
    own, best = best_scores(
        *places,
        state.booster.allowed(tree, left, right),
        state.rows.nodes[tree].astype(np.intp),
        np.flatnonzero(leaves.keep & given),
        left,
        right,
        g,
        h,
        state.booster.ridge,
        least_rows,
        least,
    )
    inner: Bools = left >= 0
    changed = (own < best * (1.0 - ROUNDING)) | (own < 0.0) | (leaves.sums[at, COUNT] < least_split)
    return int(inner.sum()), int((changed & inner).sum())
