"""The stage that searches.

Every short rule is scored by what removing its records together does, and longer ones are grown from the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.rules.asked import Asked, StoppedError
from core.rules.binning import bin_columns
from core.rules.conditions import Held, rule_text
from core.rules.effects import Effects
from core.rules.gap import Extremes, Gap
from core.rules.labels import Labels
from core.rules.models import Models, Traced
from core.rules.rule import Rule, refine, worth
from core.rules.short import ShortRules, short_rules
from core.rules.steady import Steady
from core.rules.tracing import Trace
from core.typing import Floats, Positions, Progress

SCORED = 700, 2000
"""At least and at most so many rules of one and two conditions are scored, of the most promising;"""
ROWS = 20_000_000
"""in between, so many that rules times records stay below this."""
KEPT = 100
"""Best short rules that are kept beside those grown from them."""
SEEDS, UNLIKE = 20, 0.7
"""Rules that longer ones are grown from; no two of them have records of a Jaccard similarity beyond that."""
FURTHER_CONDITIONS = 5
"""Conditions that each of them is narrowed by: those that leave the records that do most one by one, for their number."""


@dataclass(frozen=True, eq=False)
class Space:
    """The conditions and bounds of rules; the same whatever rows the gap is taken on.

    Parameters
    ----------
    asked : Asked
    counts : tuple of int
        Fewest and most records of a rule.
    short : ShortRules
        Those to score.
    n_short : int
        How many there are within the bounds.
    table : Held
        The retained training rows.
    labels : Labels or None
        Where the model's own word on its training labels tells rules apart.
    """

    asked: Asked
    counts: tuple[int, int]
    short: ShortRules
    n_short: int
    table: Held
    labels: Labels | None

    @property
    def n_rows(self) -> int:
        """Retained records."""
        return len(self.table.table)


@dataclass(frozen=True, eq=False)
class Searched:
    """Rules with predicted effects.

    Parameters
    ----------
    models : Models
    space : Space
    effects : Effects
    rules : tuple of Rule
        Those that are predicted to close the gap, by their worth.
    n_tried : int
        Rules within the support bounds that were looked at.
    notes : tuple of str
    complete : bool
        False where the user stopped it; what had been found by then is here.
    """

    models: Models
    space: Space
    effects: Effects
    rules: tuple[Rule, ...]
    n_tried: int
    notes: tuple[str, ...]
    complete: bool


def search_rules(gap: Gap, traced: Traced, asked: Asked, report: Progress) -> Searched:
    """Score all short rules by group effect, and grow longer ones from the best.

    Raises
    ------
    InputError
        If no rule meets the support bounds.
    """
    models = traced.models
    space, notes = space_of(models.case, traced, asked)

    def searched(models: Models) -> tuple[Effects, Pool]:
        effects = Effects(models.predicting, gap.on)
        return effects, pool_of(space, effects, models.predicting, gap.extremes, traced.trace, None, report)

    try:
        effects, pool = searched(models)
    except NotSupportedError as error:
        models = models.without_predictions(error)
        effects, pool = searched(models)
    case = models.predicting
    outcome = Outcome.of(case, gap.metric, gap.feature, gap.on)
    changes = outcome.values(effects.scores([one.rows for one in pool.rules], unheard)) - outcome.value()
    rules = tuple(replace(one, predicted=float(change)) for one, change in zip(pool.rules, changes, strict=True))
    notes = (*notes, *models.notes)
    return Searched(models, space, effects, rules, space.n_short + pool.n_grown, notes, pool.complete)


def space_of(case: Case, traced: Traced, asked: Asked) -> tuple[Space, tuple[str, ...]]:
    """Return what rules are made of, and what to know about it.

    Raises
    ------
    InputError
        If no rule meets the support bounds.
    """
    n = case.n_retained
    counts = asked.counts(n)
    binned = bin_columns(case, asked.n_bins, counts[0], asked.edges, asked.columns)
    every = short_rules(binned, counts, asked.max_predicates)
    if not len(every):
        raise InputError(
            f"Some rule must hold for {counts[0]:,} to {counts[1]:,} of the {n:,} records. None of "
            f"{len(binned.conditions):,} conditions does, alone or together; widen the support bounds, or give other bins or columns."
        )
    short = every.most_promising(traced.trace, int(np.clip(ROWS // n, *SCORED)))
    notes = binned.notes
    if len(short) < len(every):
        notes = (
            *notes,
            f"Of the {len(every):,} rules of one and two conditions the {len(short):,} most promising were scored.",
        )
    labels = Labels(traced.fitted, len(binned.conditions)) if traced.fitted is not None else None
    return Space(asked, counts, short, len(every), Held(case.train[case.retained]), labels), notes


@dataclass(frozen=True, eq=False)
class Pool:
    """Rules that a search came by.

    Those that close the gap, by their worth; and how many longer ones it looked at.
    """

    rules: tuple[Rule, ...]
    n_grown: int
    complete: bool


def pool_of(
    space: Space,
    effects: Effects,
    case: Case,
    extremes: Extremes,
    trace: Trace,
    places: Positions | None,
    report: Progress,
) -> Pool:
    """Return the rules that a search comes by.

    Parameters
    ----------
    space : Space
    effects : Effects
    case : Case
        The case that predicts; its explore rows are those of `places`, unless all rows are searched.
    extremes : Extremes
        The groups that the gap is between on these rows.
    trace : Trace
        What every record does to it there.
    places : ndarray of int or None
        The rows searched, among those of `effects`; None is all of them.
    report : callable
    """
    on = effects.on if places is None else "explore"
    steady = Steady(Outcome.of(case, extremes.metric, extremes.feature, on), extremes)

    def closes(groups: Sequence[Positions], start: float, stop: float) -> Floats:
        scores = effects.scores(groups, lambda share, what: report(start + (stop - start) * share, what))
        return steady.closes(scores if places is None else scores[:, places])

    rules: dict[str, Rule] = {}
    n_grown, complete = 0, True
    try:
        rules = _best_short(space, partial(closes, start=0.1, stop=0.5), trace)
        seeds = _seeds(list(rules.values()), space.n_rows)
        for _ in range(max(1, space.asked.max_predicates - 2)):
            grown, n_new = _grown(space, trace, seeds, rules)
            n_grown += n_new
            found = closes([one.rows for one in grown], 0.5, 0.6)
            able = [replace(one, closes=float(value)) for one, value in zip(grown, found, strict=True)]
            rules |= {rule_text(one.conditions): one for one in able}
            seeds = _seeds([one for one in able if len(one.conditions) > 2], space.n_rows)
    except StoppedError:
        complete = False
    helping = [one for one in rules.values() if one.closes > 0.0]
    return Pool(tuple(sorted(helping, key=lambda one: -one.worth(space.n_rows))), n_grown, complete)


def _best_short(space: Space, closes: partial[Floats], trace: Trace) -> dict[str, Rule]:
    short = space.short
    found = np.nan_to_num(closes([short.rows(place) for place in range(len(short))]), nan=-np.inf)
    order = np.argsort(-worth(found, short.counts / space.n_rows, short.lengths), kind="stable")
    best = [place for place in order[:KEPT].tolist() if found[place] > 0.0]
    rules = (_with_oddity(space, Rule.of(short.conditions(place), short.rows(place), trace)) for place in best)
    closing = (replace(rule, closes=float(found[place])) for rule, place in zip(rules, best, strict=True))
    return {rule_text(one.conditions): one for one in closing}


def _seeds(rules: Sequence[Rule], n_rows: int) -> list[Rule]:
    """Return the best rules of which no two are alike."""
    seeds: list[Rule] = []
    for rule in sorted((one for one in rules if one.closes > 0.0), key=lambda one: -one.worth(n_rows)):
        if all(rule.likeness(one) < UNLIKE for one in seeds):
            seeds.append(rule)
            if len(seeds) == SEEDS:
                break
    return seeds


def _grown(space: Space, trace: Trace, seeds: list[Rule], known: dict[str, Rule]) -> tuple[list[Rule], int]:
    """Return rules made from seeds by a further condition and by moving bounds.

    And how many were looked at for that.
    """
    found: dict[str, Rule] = {}
    n_tried = 0
    fixed = space.short.binned.chosen.__contains__
    for seed in seeds:
        longer, n_new = _narrowed(space, trace, seed)
        n_tried += n_new
        for rule in (seed, *longer):
            for one in (rule, refine(rule, space.table, trace, fixed, space.counts)):
                text = rule_text(one.conditions)
                if text not in known and text not in found:
                    found[text] = _with_oddity(space, one)
    return list(found.values()), n_tried


def _narrowed(space: Space, trace: Trace, seed: Rule) -> tuple[list[Rule], int]:
    """Return the seed with each of the most promising further conditions.

    And how many there were.
    """
    if len(seed.conditions) >= space.asked.max_predicates:
        return [], 0
    binned, inside = space.short.binned, space.short.holds[:, seed.rows]
    own = {one.column for one in seed.conditions}
    new = np.array([one.column not in own for one in binned.conditions])
    count = inside.sum(axis=1)
    able = np.flatnonzero(new & (count >= space.counts[0]) & (count < len(seed.rows)))
    value = (inside[able] @ trace.lift[seed.rows]) / np.sqrt(count[able])
    best = able[np.argsort(-value, kind="stable")[:FURTHER_CONDITIONS]]
    longer = [
        Rule.of(binned.in_order((*seed.conditions, binned.conditions[place])), seed.rows[inside[place]], trace)
        for place in best
    ]
    return longer, len(able)


def _with_oddity(space: Space, rule: Rule) -> Rule:
    if space.labels is None:
        return rule
    return replace(rule, oddity=space.labels.oddity(rule.rows, len(rule.conditions)))


def unheard(_: float, __: str) -> None:
    """Report to nobody."""
