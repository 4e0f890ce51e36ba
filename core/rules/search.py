"""The stage that searches: rules of the lattice, one list of those worth scoring, and how surprising each is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.errors import InputError
from core.numerics.statistics.false_discovery import discovery_rates
from core.rules.asked import Asked, StoppedError
from core.rules.binning import Binned, bin_columns
from core.rules.causes import Overlap, rules_to_score
from core.rules.conditions import Held
from core.rules.labels import Labels
from core.rules.lattice import HELPFUL, Found, Lattice
from core.rules.models import Traced
from core.rules.rule import Rule
from core.typing import Floats, Progress


@dataclass(frozen=True, eq=False)
class Searched:
    """Rules worth scoring.

    Parameters
    ----------
    rules : tuple of Rule
    tried : ndarray
        The p-value of every rule tried; the false discovery rate is over all of them.
    notes : tuple of str
    complete : bool
        False where the user stopped it; what had been found by then is here.
    """

    rules: tuple[Rule, ...]
    tried: Floats
    notes: tuple[str, ...]
    complete: bool


def search_rules(traced: Traced, asked: Asked, report: Progress) -> Searched:
    """Search the lattice, and take the rules worth scoring from what was found.

    Raises
    ------
    InputError
        If no rule meets the support bounds.
    """
    case = traced.models.case
    counts = asked.counts(case.n_retained)
    binned = bin_columns(case, asked.n_bins, counts[0], asked.edges, asked.columns)
    work = Lattice(binned, traced.evidence.terms, counts, asked.max_predicates, traced.evidence.p_values)
    complete = True
    try:
        work.run(lambda share, what: report(0.1 + 0.4 * share, what))
    except StoppedError:
        complete = False
    searched = _worth_scoring(traced, binned, work.found(), counts, complete=complete)
    if complete and not len(searched.tried):
        raise InputError(
            f"Some rule must hold for {counts[0]:,} to {counts[1]:,} of the {case.n_retained:,} records. None of "
            f"{len(binned.conditions):,} conditions does, alone or together; widen the support bounds, or give other bins or columns."
        )
    return searched


def _worth_scoring(
    traced: Traced, binned: Binned, found: Found, counts: tuple[int, int], *, complete: bool
) -> Searched:
    limited = [f"Of the rules of {level} conditions only the most promising were tried." for level in found.limited]
    case, evidence = traced.models.case, traced.evidence
    overlap = Overlap(binned, found, evidence.terms[:, HELPFUL])
    labels = Labels(traced.fitted, len(binned.conditions)) if traced.fitted is not None else None
    rules = rules_to_score(overlap, labels, Held(case.train[case.retained]), evidence, counts)
    p_values = np.array([rule.p_value for rule in rules])
    tried = np.concatenate([found.tried, p_values])
    rates = discovery_rates(p_values, tried)
    rated = tuple(replace(rule, q_value=float(rate)) for rule, rate in zip(rules, rates, strict=True))
    return Searched(rated, tried, (*binned.notes, *limited), complete)
