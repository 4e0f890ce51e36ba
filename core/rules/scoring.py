"""The stage that scores: what removing all of a rule's records together is predicted to do, the best looked at more closely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.actions.influence import attributor_of
from core.attribution.measured import Measured
from core.attribution.outcome import Outcome
from core.errors import NotSupportedError
from core.records.groups import ENOUGH
from core.rules.asked import StoppedError
from core.rules.choosing import shown_first
from core.rules.gap import Gap
from core.rules.lattice import HELPFUL
from core.rules.models import Models, Traced
from core.rules.rule import Rule
from core.rules.steady import Steady
from core.typing import Progress

AT_ONCE = 10
LOOKED_AT = 50
"""Rules that are scored best and are looked at more closely, where the family can."""
LOOKED_FOR = 2 / 3
"""Share of the time given that this may take."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Rules with predicted effects.

    Parameters
    ----------
    models : Models
    rules : tuple of Rule
        The one to show of every cause before all others, each part by how far it closes the gap.
    agreement : float
        Expected correlation of the predicted changes of those looked at closely with real ones; NaN where it is not known.
    notes : tuple of str
    complete : bool
        False where the user stopped it; some rules are then not scored, or not looked at.
    """

    models: Models
    rules: tuple[Rule, ...]
    agreement: float = float("nan")
    notes: tuple[str, ...] = ()
    complete: bool = True


def score_rules(gap: Gap, traced: Traced, rules: tuple[Rule, ...], report: Progress) -> Scored:
    """Predict what removing every rule's records together does, and put the rule to show of every cause first."""
    models = traced.models
    try:
        scored = _predicted(gap, models, rules, report)
    except NotSupportedError as error:
        models = models.without_predictions(error)
        scored = _predicted(gap, models, rules, report)
    if not scored.complete:
        return scored
    case = models.case
    ordered = shown_first(scored.rules, traced.evidence.terms[:, HELPFUL], case.n_retained)
    return replace(scored, rules=tuple(ordered))


def _predicted(gap: Gap, models: Models, rules: tuple[Rule, ...], report: Progress) -> Scored:
    case, done = models.predicting, list(rules)
    outcome = Outcome.of(case, gap.metric, gap.feature, gap.on)
    now, steady = outcome.value(), Steady(outcome, gap.extremes)
    for first in range(0, len(rules), AT_ONCE):
        try:
            report(0.5 + 0.1 * first / len(rules), "Predicting what removing each rule's records does")
        except StoppedError:
            return Scored(models, tuple(done), notes=models.notes, complete=False)
        part = rules[first : first + AT_ONCE]
        groups = [np.flatnonzero(case.retained)[one.rows] for one in part]
        with attributor_of(case) as attributor:
            scores = attributor.group_scores(case, groups, gap.on)
        done[first : first + AT_ONCE] = [
            replace(one, predicted=float(change), closes=float(closing))
            for one, change, closing in zip(part, outcome.values(scores) - now, steady.closes(scores), strict=True)
        ]
    return Scored(models, tuple(done), notes=models.notes)


def look_closely(gap: Gap, scored: Scored, seconds: float, report: Progress) -> Scored:
    """Predict anew what the best-scored rules do, by really removing their records from as many of a forest's trees as there is time for.

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
