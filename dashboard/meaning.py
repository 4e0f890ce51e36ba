"""Meanings of gaps for the people of one case, in words."""

from __future__ import annotations

import core
from core.metrics import METRICS
from core.metrics.audit import described_on
from core.words import inline, number, percent
from dashboard.work import Threshold

EQUAL_OPPORTUNITY = "equal_opportunity_difference"
HARM_PASSED_OVER = "false_positive_rate_difference"


def first_metric(roles: core.Roles) -> str:
    """Return the gap a case starts with.

    Where the class that is scored is the good outcome, that is equal opportunity: are those labelled with it given it? Where it is the
    bad one, as in fraud, the good outcome is to be let through, and the first question is whom the model fails to flag.
    """
    return HARM_PASSED_OVER if scored_is_bad(roles) else EQUAL_OPPORTUNITY


def of_rate(rate: str, roles: core.Roles) -> str:
    """Return what a rate is called in a case.

    Where the class that is scored is the bad outcome, errors are named by what they are.

    Examples
    --------
    >>> of_rate("false_positive_rate", core.Roles("granted", 1, 1, ["sex"])), of_rate("false_positive_rate", core.Roles("fraud", 1, 0, ["sex"]))
    ('false positive rate', 'share missed')
    """
    called = METRICS[rate].detected if scored_is_bad(roles) else ""
    return called or rate.replace("_", " ")


def label(metric: str, roles: core.Roles) -> str:
    """Return what a metric is called in a case, in a heading.

    Where the class that is scored is the bad outcome, in the words of `of_rate`.

    Examples
    --------
    >>> label("false_positive_rate_difference", core.Roles("granted", 1, 1, ["sex"]))
    'Gap in people labelled bad who are served'
    >>> label("false_positive_rate_difference", core.Roles("fraud", 1, 0, ["region"]))
    'Gap in the share missed'
    """
    return METRICS[metric].heading(pos_is_favorable=not scored_is_bad(roles))


def reworded(sentence: str, metric: str, roles: core.Roles) -> str:
    """Return a sentence about a metric in which it is called as `label` calls it.

    Examples
    --------
    >>> said = "The gap in people labelled bad who are served goes from 0.7 to 0.2."
    >>> reworded(said, "false_positive_rate_difference", core.Roles("fraud", 1, 0, ["region"]))
    'The gap in the share missed goes from 0.7 to 0.2.'
    """
    own, words = label(metric, roles), METRICS[metric].words
    return sentence.replace(words, own[:1].lower() + own[1:]).replace(words[:1].upper() + words[1:], own)


def ends(rate: str, roles: core.Roles) -> tuple[str, str]:
    """Return what the groups at the two ends of a rate are called in a case, the bad end first.

    Of harm that passes unflagged nobody can say from the columns whether a group gains by it, as those who get away, or suffers, as those
    who are defrauded: the words say only where it happens.

    Examples
    --------
    >>> ends("true_positive_rate", core.Roles("fraud", 1, 0, ["region"]))
    ('worst-off', 'best-off')
    >>> ends("false_positive_rate", core.Roles("fraud", 1, 0, ["region"]))
    ('most missed', 'least missed')
    """
    passed_over = scored_is_bad(roles) and METRICS[rate].of_bad_labels
    return ("most missed", "least missed") if passed_over else ("worst-off", "best-off")


def errors(roles: core.Roles) -> tuple[str, str]:
    """Return what a wrongly given good outcome is called in a case, and a wrongly refused one.

    Examples
    --------
    >>> errors(core.Roles("fraud", 1, 0, ["region"]))
    ('missed case', 'false alarm')
    """
    return ("missed case", "false alarm") if scored_is_bad(roles) else ("false positive", "false negative")


def of_threshold(threshold: Threshold, roles: core.Roles) -> str:
    """Return how another threshold than the model's own decides; an empty string for its own.

    Examples
    --------
    >>> fraud = core.Roles("fraud", 1, 0, ["region"])
    >>> of_threshold(0.3, fraud), of_threshold(core.AtRate(0.02), fraud), of_threshold(None, fraud)
    ('decided fraud = 1 from a score of 0.300', 'decided fraud = 1 for the highest 2.0% of scores', '')
    """
    if threshold is None:
        return ""
    decided = f"decided {roles.target} = {roles.pos_label}"
    if isinstance(threshold, core.AtRate):
        return f"{decided} for the highest {percent(threshold.rate)} of scores"
    return f"{decided} from a score of {number(threshold)}"


def scored_is_bad(roles: core.Roles) -> bool:
    """Return whether the class that is scored is the bad outcome, as in fraud."""
    return str(roles.favorable_label) != str(roles.pos_label)


def of_gap(metric: str, roles: core.Roles) -> str:
    """Return what a gap compares between groups.

    Examples
    --------
    >>> fraud = core.Roles("fraud", 1, 0, ["region"])
    >>> of_gap("false_positive_rate_difference", fraud)
    'of those with fraud = 1, the share decided fraud = 0 (not flagged)'
    """
    found = METRICS[metric]
    share = METRICS[found.rate].share
    if not share:
        return f"{inline(METRICS[found.rate].label)}, between groups"
    good = f"{roles.target} = {roles.favorable_label}"
    bad = f"another {roles.target}"
    if scored_is_bad(roles):
        bad = f"{roles.target} = {roles.pos_label}"
    text = share.format(good=good, bad=bad)
    return f"{text} (not flagged)" if scored_is_bad(roles) and text.endswith(f"decided {good}") else text


def of_levels(metric: str, roles: core.Roles) -> str:
    """Return what the rates behind a gap are, as a heading.

    Examples
    --------
    >>> of_levels("equal_opportunity_difference", core.Roles("granted", 1, 1, ["sex"]))
    'Of those with granted = 1, the share decided granted = 1'
    """
    text = of_gap(metric, roles)
    return f"{text[:1].upper()}{text[1:]}"


def attack_name(attack: str) -> str:
    """Return what a membership attack is called on a page.

    Examples
    --------
    >>> attack_name("loss")
    'Membership attack by loss'
    """
    return f"Membership attack by {attack.replace('_', ' ')}"


def rows_described(case: core.Case) -> str:
    """Return which rows the figures of Check are of."""
    n = len(case.rows(described_on(case)))
    if case.as_opened:
        return f"All {n:,} test rows, by the model as opened. Threshold and cost: the {len(case.rows('explore')):,} rows that searches use."
    return f"The {n:,} test rows that searches use, by the model now; the other test rows are kept aside to confirm, on Remove."
