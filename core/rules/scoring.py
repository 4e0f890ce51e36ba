"""The stage that scores.

One rule to show for every cause, the best of them looked at more closely.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.actions.influence import attributor_of
from core.attribution.measured import Measured
from core.records.groups import ENOUGH
from core.rules.asked import StoppedError
from core.rules.choosing import shown_first
from core.rules.gap import Gap
from core.rules.models import Models, Traced
from core.rules.rule import Rule
from core.rules.search import Searched
from core.typing import Progress

LOOKED_AT = 50
"""Rules that are scored best and are looked at more closely, where the family can."""
LOOKED_FOR = 2 / 3
"""Share of the time given that this may take."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Rules in the order in which they are to be measured.

    Parameters
    ----------
    models : Models
    rules : tuple of Rule
        One for every cause, by their worth.
    agreement : float
        Expected correlation of the predicted changes of those looked at closely with real ones; NaN where it is not known.
    notes : tuple of str
    complete : bool
        False where the user stopped it; nothing is looked at closely then.
    """

    models: Models
    rules: tuple[Rule, ...]
    agreement: float = float("nan")
    notes: tuple[str, ...] = ()
    complete: bool = True


def score_rules(traced: Traced, searched: Searched) -> Scored:
    """Choose one rule to show for every cause."""
    return Scored(searched.models, tuple(shown_first(searched.rules, traced.trace.gain)))


def look_closely(gap: Gap, scored: Scored, seconds: float, report: Progress) -> Scored:
    """Predict anew what the best-scored rules do in a forest.

    By really removing their records from as many of its trees as there is time for.

    Parameters
    ----------
    gap : Gap
    scored : Scored
    seconds : float
        Two thirds of them may be taken.
    report : callable
    """
    case, best = scored.models.predicting, scored.rules[:LOOKED_AT]
    groups = [np.flatnonzero(case.retained)[one.rows] for one in best]
    doing = "Removing the best rules' records from some of the trees"

    def seen(share: float) -> None:
        report(0.6 + 0.2 * share, f"{doing}, {share:.0%} of all so far")

    try:
        with attributor_of(case) as attributor:
            found = attributor.measured(
                case, gap.metric, gap.feature, gap.on, groups, ENOUGH, LOOKED_FOR * seconds, seen
            )
    except StoppedError:
        return replace(scored, complete=False)
    if found is None or not best:
        return scored
    rules, notes = scored.rules, (*scored.notes, *_about_looking(found))
    if found.n_trees:
        changed = [
            replace(one, predicted=float(change), looked_at=True)
            for one, change in zip(best, found.changes, strict=True)
        ]
        rules = (*changed, *rules[LOOKED_AT:])
    return replace(scored, rules=rules, agreement=found.correlation, notes=notes)


def _about_looking(found: Measured) -> tuple[str, ...]:
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
