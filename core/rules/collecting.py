"""From what a search found to the rules worth scoring: the best of every cause, with their bounds moved."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from core.rules.causes import Overlap, causes
from core.rules.conditions import Held
from core.rules.evidence import Evidence
from core.rules.explanation import rule_text
from core.rules.labels import Labels
from core.rules.refining import refine
from core.rules.rule import Rule

FEWEST = 50
"""Rules to score, where there are so many that are not alike."""


def rules_to_score(
    overlap: Overlap, labels: Labels | None, table: Held, evidence: Evidence, counts: tuple[int, int]
) -> list[Rule]:
    """Return the rules of every cause that are worth scoring, and more that are not alike where these are fewer than 50.

    Parameters
    ----------
    overlap : Overlap
    labels : Labels, optional
        Where the model's own word on its training labels tells rules apart.
    table : Held
        The retained training rows.
    evidence : Evidence
    counts : tuple of int
        Fewest and most records of a rule.
    """
    binned, rules = overlap.binned, dict[str, Rule]()

    def add(place: int, cause: int) -> None:
        conditions = tuple(binned.conditions[one] for one in overlap.found.rules[place] if one >= 0)
        rule = Rule.of(conditions, overlap.rows(place), evidence, cause)
        rule = refine(rule, table, evidence, binned.chosen.__contains__, counts)
        if labels is not None:
            rule = replace(rule, oddity=labels.oddity(rule.rows, len(rule.conditions)))
        rules.setdefault(rule_text(rule.conditions), rule)

    listed = causes(overlap, labels)
    for cause, one in enumerate(listed):
        for place in one.chosen:
            add(place, cause)
    others = [(cause, one.others) for cause, one in enumerate(listed)]
    while others and len(rules) < FEWEST:
        cause, more = others.pop(0)
        for place in islice(more, 1):
            add(place, cause)
            others.append((cause, more))
    return list(rules.values())
