"""Provenance of gradient boosting.

Leaf counts and values recomputed from the rows must be those that the model stores.

Counts show other rows, or another order where rows were held out. Values show other labels and weights: a leaf's value follows from its
rows' gradients, and a single flipped label moves it far more than rounding does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.case.case import Case
from core.case.scoring import final_estimator
from core.case.verdict import Provenance, sentence
from core.errors import NotSupportedError, said
from core.families.boosting.booster import BoostedNodes, Leaves
from core.families.boosting.unlearner import BOOSTER_OF, BoostingState, LeafRefit, prepare_boosting
from core.numerics.boosting.nodes import COUNT

OFFER = "train it again on these rows, or find the rows it was trained on"


def check_boosting(case: Case, table: Any, checked: str) -> Provenance:  # noqa: ARG001
    """Recompute every leaf of a boosting model from the retained rows: O(n_rows * n_trees)."""
    verdict = _recomputed(case)
    return replace(verdict, evidence=sentence(checked + verdict.evidence))


def _recomputed(case: Case) -> Provenance:
    model = final_estimator(case.model)
    reason = LeafRefit().fits(case)
    if reason:
        return Provenance("unverifiable", f"leaf values cannot be recomputed: {reason}.")
    try:
        state = case.prepared.of_type(BoostingState) or prepare_boosting(case)
        leaves = state.leaves(case, case.retained)
    except (NotSupportedError, ValueError) as error:
        return Provenance(
            "mismatch",
            f"the model cannot have been fitted on these rows: {said(error)}; {OFFER}.",
            refit=True,
        )
    booster = BOOSTER_OF[type(model)](model)
    forest, n_held = booster.forest(), int(np.count_nonzero(~state.rows.fitted & case.retained))
    counts, values = booster.differences(forest, leaves)
    wrong = counts | values
    if not wrong.any():
        return _verified(forest, n_held)
    if n_held and counts.any() and booster.forgot:
        why = "its leaves were refitted since it was trained, and which rows were held out to stop early can no longer be drawn"
        return Provenance("unverifiable", f"the rest cannot be checked: {why}.")
    return _mismatch(forest, leaves, np.flatnonzero(counts if counts.any() else values)[0], np.flatnonzero(wrong))


def _verified(forest: BoostedNodes, n_held: int) -> Provenance:
    held = f", and so would any change to the {n_held:,} rows held out to stop early" if n_held else ""
    return Provenance(
        "verified",
        f"these rows are what the model was trained on: counts and values of all {int(forest.leaves.sum()):,} leaves in "
        f"{len(forest.first) - 1:,} trees match; a changed value that crosses no threshold would go unnoticed{held}.",
    )


def _mismatch(
    forest: BoostedNodes, leaves: Leaves, node: int, wrong: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> Provenance:
    n_trees = len(forest.first) - 1
    tree = int(np.searchsorted(forest.first, node, side="right")) - 1
    matching = n_trees - len(np.unique(np.searchsorted(forest.first, wrong, side="right")))
    stored, given = int(forest.count[node]), int(leaves.sums[node, COUNT])
    what = (
        f"a leaf that stores {stored:,} rows where these give {given:,}"
        if stored != given
        else f"a leaf that stores the value {forest.value[node]:.6g} where these rows give {leaves.values[node]:.6g}"
    )
    return Provenance(
        "mismatch",
        f"{matching:,} of {n_trees:,} trees match, so these are not the rows it was trained on: tree {tree} differs first, in {what}; {OFFER}.",
        refit=True,
    )
