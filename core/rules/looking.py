"""Looking closely at the best-scored rules: their records are really removed from some of a forest's trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from core.actions.influence import attributor_of
from core.attribution.measured import Measured
from core.attribution.outcome import Outcome
from core.records.groups import ENOUGH
from core.rules.rule import Rule

LOOKED_AT = 50
"""Rules that are scored best and are looked at more closely, where the family can."""
LOOKED_FOR = 2 / 3
"""Share of the time given that this may take."""


class Looked(NamedTuple):
    """Rules with their changes predicted anew, the expected correlation of these with real ones, and what to say about it."""

    rules: list[Rule]
    agreement: float
    notes: tuple[str, ...]


def look_closely(
    rules: list[Rule],
    outcome: Outcome,
    feature: str | tuple[str, ...],
    seconds: float,
    progress: Callable[[float], None],
) -> Looked:
    """Predict anew what the best-scored rules' removals do, from as many of a forest's trees as the time allows.

    Parameters
    ----------
    rules : list of Rule
        Best-scored first.
    outcome : Outcome
        The metric, of the case that predicts.
    feature : str or tuple of str
        Whose groups it compares.
    seconds : float
        Half of them may be taken.
    progress : callable
        Called with the share of trees seen; may raise to give up.
    """
    case, best = outcome.case, rules[:LOOKED_AT]
    groups = [np.flatnonzero(case.retained)[one.rows] for one in best]
    with attributor_of(case) as attributor:
        found = attributor.measured(
            case, outcome.metric.name, feature, outcome.on, groups, ENOUGH, LOOKED_FOR * seconds, progress
        )
    if found is None or not best:
        return Looked(rules, float("nan"), ())
    changed = [
        replace(one, predicted=float(change), looked_at=True) for one, change in zip(best, found.changes, strict=True)
    ]
    return Looked([*changed, *rules[LOOKED_AT:]] if found.n_trees else rules, found.correlation, _notes(found))


def _notes(found: Measured) -> tuple[str, ...]:
    n_rules, again = len(found.changes), int(found.trained_again.sum())
    which = f"the {n_rules} best-scored rules" if not again else f"{n_rules - again} of the {n_rules} best-scored rules"
    notes = []
    if found.n_trees:
        told = (
            f"; their expected correlation with the changes of removing them from all trees is {found.correlation:.2f}"
        )
        notes.append(
            f"The changes predicted for {which} come from removing their records from {found.n_trees} of the {found.of_trees} trees"
            f"{'' if np.isnan(found.correlation) else told}."
        )
    elif again < n_rules:
        notes.append(f"There was no time to remove the records of {which} from trees, so their changes are predicted.")
    if again:
        notes.append(
            f"Without the records of {again} of the {n_rules} best-scored rules the preprocessing gives new columns, or draws without a seed, and the "
            "forest is trained again: their changes are predicted with every split kept, and no expected correlation is known for them."
        )
    return tuple(notes)
