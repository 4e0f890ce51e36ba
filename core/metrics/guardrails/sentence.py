"""The verdict in words: what the gap does, how both ends move, and how many people that is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.case.roles import Roles
from core.metrics.catalog import METRICS, Metric
from core.metrics.compared import ALL_RECORDS
from core.metrics.guardrails.levels import ERROR_RATE, Levels, row_of
from core.metrics.guardrails.verdict import Findings, Verdict
from core.words import count, inline, listing, number, percent, where_said

ROWS_IN_WORDS = {"explore": "test rows searched", "confirm": "test rows kept aside", "test": "test rows"}
MOST_GROUPS, MOST_WORSE = 3, 3


def sentences(
    verdict: Verdict,
    findings: Findings,
    levels: Levels,
    people: pd.DataFrame,
    asked: tuple[Metric, str, float],
    roles: Roles,
    rows: str,
) -> tuple[str, ...]:
    """Return the verdict as a few plain sentences.

    Parameters
    ----------
    verdict : str
    findings : Findings
        What it follows from.
    levels : Levels
        What changed.
    people : DataFrame
        What `people_counted` returned for the chosen sensitive feature.
    asked : tuple
        The metric, the name of the sensitive feature, and by how much accuracy may fall.
    roles : Roles
        Which outcome is good, and whether it is the one that is scored.
    rows : str
        What the rows looked at are called, as `rows_called` gives it.
    """
    metric, feature, _ = asked
    parts = [
        _head(verdict, findings, row_of(levels.metrics, (metric.name, feature)), asked, roles),
        _moves(findings, levels.groups, feature, roles),
        _people(people, roles, rows),
        _accuracy(levels.metrics),
        _also_worse(levels, findings, metric, feature, roles),
    ]
    return tuple(part for part in parts if part)


def rows_called(on: str, where: str) -> str:
    """Return what the rows of a split are called, and which of them were chosen.

    Examples
    --------
    >>> rows_called("explore", "region = 'north'")
    "test rows searched where region = 'north'"
    """
    return ROWS_IN_WORDS[on] + where_said(where)


def called(metric: str, roles: Roles) -> str:
    """Return what a metric is called inside a sentence.

    Examples
    --------
    >>> called("false_positive_rate_difference", Roles("granted", 1, 1, ["sex"]))
    'gap in people labelled bad who are served'
    >>> called("false_positive_rate_difference", Roles("fraud", 1, 0, ["region"]))
    'gap in the share missed'
    """
    return inline(METRICS[metric].heading(pos_is_favorable=not _scored_is_bad(roles)))


def _scored_is_bad(roles: Roles) -> bool:
    return str(roles.favorable_label) != str(roles.pos_label)


def _head(
    verdict: Verdict, findings: Findings, row: dict[str, Any], asked: tuple[Metric, str, float], roles: Roles
) -> str:
    metric, feature, allowed = asked
    gap = f"the {called(metric.name, roles)} by {feature}"
    verb = "rises" if row["change"] > 0 else "falls"
    ends = f"from {number(row['before'])} to {number(row['after'])}"
    if row["reversed"] and not metric.is_level(row["after"]):
        ends += f" the other way round, {row['ahead_after']} now better off than {row['ahead_before']}"
    moves = f"{gap} {verb} {ends}"
    still = f"{gap} shows no clear change ({number(row['before'])} to {number(row['after'])})"
    if verdict == "fairer":
        return f"Fairer: {moves}."
    if verdict == "fairer_by_levelling_down":
        how = (
            "more because the best off lose than because the worst off gain"
            if findings.ends.rise > 0
            else "only because the best off lose, as nobody worst off gains"
        )
        return f"Fairer by levelling down: {moves}, {how}."
    if verdict == "less_fair":
        return (
            f"Less fair: {moves}."
            if findings.gap
            else f"Less fair: {findings.ends.worst}, worst off before, falls, and {still}."
        )
    if verdict == "mixed":
        if not findings.gap:
            return f"Mixed: {still}, but other levels fall."
        but = [f"the same gap by {name} widens" for name in findings.widened]
        if findings.over_budget:
            but.append(f"accuracy falls by more than the {allowed:g} allowed")
        return f"Mixed: {moves}, but {listing(but)}."
    little = row["p_value"] <= ERROR_RATE and not row["clear"]
    why = "too little to count" if little else "which may be chance"
    return f"No clear change: {gap} goes {ends}, {why}."


def _moves(findings: Findings, groups: pd.DataFrame, feature: str, roles: Roles) -> str:
    ends = findings.ends
    if not ends.worst:
        return "Fewer than two groups are large enough to say how their levels move."
    rate = METRICS[ends.rate]
    written = percent if rate.share else number
    sides = []
    for group in (ends.worst, ends.best):
        row = row_of(groups, (ends.rate, feature, group))
        sides.append(f"{group} {written(row['before'])} to {written(row['after'])}")
    share = rate.share.format(good=_good(roles), bad=_bad(roles)) if rate.share else rate.words
    return f"{share[:1].upper()}{share[1:]}: {', '.join(dict.fromkeys(sides))}."


def _good(roles: Roles) -> str:
    return f"{roles.target} = {roles.favorable_label}"


def _bad(roles: Roles) -> str:
    return f"{roles.target} = {roles.pos_label}" if _scored_is_bad(roles) else f"another {roles.target}"


def _people(people: pd.DataFrame, roles: Roles, rows: str) -> str:
    rows = f"{count(people['n'].sum())} {rows}"
    words = ("newly flagged", "no longer flagged") if _scored_is_bad(roles) else ("newly refused", "newly served")
    sides = [
        _side(people[column], word, roles)
        for column, word in zip(("newly_refused", "newly_served"), words, strict=True)
    ]
    if all(side.startswith("nobody") for side in sides):
        return f"Of {rows} none is decided otherwise."
    return f"Of {rows} {' and '.join(sides)}."


def _side(moved: pd.Series[float], word: str, roles: Roles) -> str:
    """Return how many people moved one way, by group and with the favourable label."""
    n = round(float(moved.sum()))
    if not n:
        return f"nobody is {word}"
    by_group = moved.groupby(level="group", sort=False).sum().round().sort_values(ascending=False, kind="stable")
    by_group = by_group[by_group > 0]
    named = [f"{group}: {count(value)}" for group, value in by_group.iloc[:MOST_GROUPS].items()]
    if len(by_group) > MOST_GROUPS:
        named.append(f"others: {count(by_group.iloc[MOST_GROUPS:].sum())}")
    good = moved[moved.index.get_level_values("labelled_good")].sum()
    return f"{count(n)} {'is' if n == 1 else 'are'} {word} ({', '.join(named)}; {_good(roles)}: {count(round(good))})"


def _accuracy(metrics: pd.DataFrame) -> str:
    row = row_of(metrics, ("accuracy", ALL_RECORDS))
    return f"Accuracy {percent(row['before'])} to {percent(row['after'])}."


def _also_worse(levels: Levels, findings: Findings, metric: Metric, feature: str, roles: Roles) -> str:
    """Return what else got worse beyond chance, gaps first.

    What the other sentences say is left out.
    """
    ends = findings.ends
    said: set[tuple[str, ...]] = {(ends.rate, feature, group) for group in (ends.worst, ends.best)}
    said |= {(metric.name, feature), ("accuracy", ALL_RECORDS)}
    told: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for key, before, after in [*_worse(levels.metrics), *_worse(levels.groups)]:
        name, of, *group = key
        whom = f" of {group[0]}" if group else "" if of == ALL_RECORDS else f" by {of}"
        turn = 0 if METRICS[name].compares_groups else 1 if group else 2
        if key not in said:
            told[turn].append(f"{called(name, roles)}{whom} {number(before)} to {number(after)}")
    sayings = [one for turn in told.values() for one in turn]
    if not sayings:
        return ""
    more = len(sayings) - MOST_WORSE
    return (
        f"Also worse beyond chance: {'; '.join(sayings[:MOST_WORSE])}{f' and {count(more)} more' if more > 0 else ''}."
    )


def _worse(table: pd.DataFrame) -> list[tuple[tuple[str, ...], float, float]]:
    """Return what of a table is clearly worse: its key, before and after."""
    columns = (table[name] for name in ("clear", "direction", "before", "after"))
    return [
        (key, before, after)
        for key, clear, direction, before, after in zip(table.index, *columns, strict=True)
        if clear and direction == "worse"
    ]
