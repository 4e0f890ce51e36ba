"""An audit held against a policy profile, its tables laid out as the rules say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from core.errors import InputError, nearest
from core.metrics.catalog import metric_of
from core.metrics.finding import AND
from core.metrics.policies.profile import PolicyProfile, PolicyRule
from core.metrics.policy import verdict
from core.metrics.report import AuditReport
from core.numerics.statistics.false_discovery import discovery_rates
from core.shown import Shown
from core.words import count, interval, number, percent, where_said

ROUNDING = 1e-9
"""A ratio of two rates may fall short of a limit that it meets by this much."""
HIGHEST, SMALL, NO_RATE = "highest rate", "under {share} of the rows", "no rate"


@dataclass(frozen=True, eq=False)
class PolicyTable:
    """One rule's table for one sensitive feature.

    Parameters
    ----------
    rule : PolicyRule
    sensitive_feature : str
    table : DataFrame
        Of impact ratios, indexed by group: ``n``, ``share`` of the rows, ``hits`` and ``rate``, ``ratio`` to the highest rate; with a test
        ``p_value`` and ``q_value``; ``mark``.
        Of a gap one row: ``value``, ``low``, ``high``, ``limit``, ``worst_group``, ``best_group``, ``q_value``, ``mark``.
    sentence : str
    """

    rule: PolicyRule
    sensitive_feature: str
    table: pd.DataFrame = field(repr=False)
    sentence: str


@dataclass(frozen=True, eq=False, repr=False)
class PolicyReport(Shown, Sequence[PolicyTable]):
    """An audit held against a profile, a sequence of `PolicyTable`.

    Parameters
    ----------
    profile : PolicyProfile
    tables : tuple of PolicyTable
        For each rule, one for each sensitive feature.
    on : str
        The rows audited.
    n : int
    where : str
        The condition that chose them; empty where all are audited.
    notes : tuple of str
    """

    profile: PolicyProfile
    tables: tuple[PolicyTable, ...]
    on: str
    n: int
    where: str = ""
    notes: tuple[str, ...] = ()

    def __getitem__(self, index: Any) -> Any:
        """Return a table by its place."""
        return self.tables[index]

    def __len__(self) -> int:
        return len(self.tables)

    def __iter__(self) -> Iterator[PolicyTable]:
        return iter(self.tables)

    @property
    def heading(self) -> str:
        """The profile, its date, and the rows it was held against."""
        rows = count(self.n, f"{self.on} row") + where_said(self.where)
        return f"{self.profile.name}, {self.profile.date.isoformat()}, on {rows}"

    def lines(self) -> list[str]:
        """Say which profile it was, and what each rule found."""
        return [self.heading, *(one.sentence for one in self.tables)]

    def to_frame(self) -> pd.DataFrame:
        """Return all tables below one another."""
        named = [
            one.table.rename_axis("group")
            .reset_index()
            .assign(rule=one.rule.title, sensitive_feature=one.sensitive_feature)
            for one in self.tables
        ]
        table = pd.concat(named, ignore_index=True) if named else pd.DataFrame(columns=["rule", "sensitive_feature"])
        first = ["rule", "sensitive_feature"]
        return table[[*first, *(name for name in table.columns if name not in first)]]


def held_against_profile(report: AuditReport, profile: PolicyProfile) -> PolicyReport:
    """Hold an audit of a case, or of decisions alone, against a policy profile.

    Parameters
    ----------
    report : AuditReport
        One that measured `profile.needs`.
    profile : PolicyProfile

    Raises
    ------
    InputError
        If it did not, or a rule names a sensitive feature that was not audited.

    Examples
    --------
    >>> import pandas as pd
    >>> from core import Roles, audit_decisions, policy_profile
    >>> table = pd.DataFrame({"sex": ["f", "m"] * 200, "decided": ["yes", "yes", "no", "yes"] * 100})
    >>> report = audit_decisions(table, Roles("", "yes", "yes", ["sex"]), decisions="decided")
    >>> held_against_profile(report, policy_profile("four_fifths"))[0].table["ratio"].tolist()
    [0.5, 1.0]
    """
    tables, notes = [], list[str]()
    for rule in profile.rules:
        make = _impact if rule.kind == "impact_ratio" else _gap
        tables += [make(report, rule, feature) for feature in _features(report, rule)]
        if rule.test and any(one.table["p_value"].isna().all() for one in tables if one.rule is rule):
            notes.append(
                f"{rule.title}: the exact test counts people, so there is none where rows are weighted or decisions are drawn at random."
            )
    return PolicyReport(profile, tuple(tables), report.on, report.n, report.where, tuple(notes))


def _features(report: AuditReport, rule: PolicyRule) -> list[str]:
    known = [str(name) for name in dict.fromkeys(report.by_group.index.get_level_values(0))]
    for name in rule.sensitive_features:
        if name not in known:
            raise InputError(
                f"A rule must name sensitive features that are audited. Got {name!r} in {rule.title!r}."
                + (nearest(name, known) or f" They are {', '.join(map(repr, known))}.")
            )
    chosen = [name for name in known if not rule.sensitive_features or AND in name or name in rule.sensitive_features]
    return [name for name in chosen if AND not in name or rule.intersections or name in rule.sensitive_features]


def _impact(report: AuditReport, rule: PolicyRule, feature: str) -> PolicyTable:
    rows: pd.DataFrame = report.by_group.xs(feature, level=0)  # type: ignore[assignment]
    if rule.metric not in rows:
        raise InputError(
            f"The audit must have measured {rule.metric!r} for {rule.title!r}. It did not; ask for profile.needs."
        )
    n = rows["n"].to_numpy(dtype=np.float64)
    rate = rows[rule.metric].to_numpy(dtype=np.float64)
    share = n / n.sum()
    small = share < rule.small_share
    compared = ~small & ~np.isnan(rate)
    highest = int(np.where(compared, rate, -1.0).argmax())
    ratio = np.divide(rate, rate[highest], out=np.full(len(rate), np.nan), where=compared & (rate[highest] > 0))
    columns = {"n": n.astype(np.int64), "share": share}
    hits = rows.get(f"{rule.metric}_hits")
    counted = hits is not None and bool((hits.round() == hits).all())
    columns |= {"hits": rows[f"{rule.metric}_hits"]} if counted else {}
    columns |= {"rate": rate, "ratio": ratio}
    q = np.full(len(rate), np.nan)
    if rule.test:
        p = _fisher(rows, rule.metric, compared, highest) if counted else q.copy()
        tested = ~np.isnan(p)
        q[tested] = discovery_rates(p[tested], p[tested])
        columns |= {"p_value": p, "q_value": q}
    marks = [_mark(rule, place == highest, small[place], ratio[place], q[place]) for place in range(len(rate))]
    table = pd.DataFrame(columns, index=rows.index).assign(mark=marks)
    return PolicyTable(rule, feature, table, _impact_sentence(rule, feature, table, compared, ratio, q))


def _fisher(rows: pd.DataFrame, rate: str, compared: np.ndarray[Any, Any], highest: int) -> np.ndarray[Any, Any]:
    """Return Fisher's exact test of every group against the one with the highest rate."""
    hits, of = (rows[f"{rate}_{name}"].to_numpy(dtype=np.int64) for name in ("hits", "of"))
    p = np.full(len(hits), np.nan)
    for place in np.flatnonzero(compared):
        if place != highest:
            pair = np.array([[hits[one], of[one] - hits[one]] for one in (place, highest)])
            p[place] = fisher_exact(pair).pvalue
    return p


def _mark(rule: PolicyRule, highest: bool, small: bool, ratio: float, q: float) -> str:
    if small:
        return SMALL.format(share=percent(rule.small_share, 0))
    if highest:
        return HIGHEST
    if np.isnan(ratio):
        return NO_RATE
    beyond = "" if np.isnan(q) else ", beyond chance" if q <= rule.significance else ", may be chance"
    if rule.at_least is None:
        return beyond.removeprefix(", ")
    return (
        f"below {rule.at_least:g}{beyond}" if ratio < rule.at_least - ROUNDING else f"{rule.at_least:g} or more{beyond}"
    )


def _impact_sentence(rule: PolicyRule, feature: str, table: pd.DataFrame, compared: Any, ratio: Any, q: Any) -> str:
    others = int(len(table) - compared.sum())
    left = f"; {count(others, 'group')} marked" if others else ""
    if compared.sum() < 2 or np.isnan(ratio).all():
        return f"{rule.title}, {feature}: no two groups to compare{left}."
    lowest = int(np.where(np.isnan(ratio), np.inf, ratio).argmin())
    least = f"lowest ratio {number(float(ratio[lowest]))} ({table.index[lowest]})"
    if rule.at_least is None:
        return f"{rule.title}, {feature}: {least}{left}."
    below = ratio < rule.at_least - ROUNDING
    sure = (
        f", {int((below & (q <= rule.significance)).sum())} of them beyond chance" if rule.test and below.any() else ""
    )
    return f"{rule.title}, {feature}: {int(below.sum())} of {int(compared.sum())} groups below {rule.at_least:g}{sure}; {least}{left}."


def _gap(report: AuditReport, rule: PolicyRule, feature: str) -> PolicyTable:
    if (rule.metric, feature) not in report.gaps.index:
        raise InputError(
            f"The audit must have measured {rule.metric!r} for {rule.title!r}. It did not; ask for profile.needs."
        )
    row: Any = report.gaps.loc[(rule.metric, feature)]
    limit = float(rule.limit or 0.0)
    mark = verdict(
        rule.metric, row["low"], row["high"], limit, unsure=bool(row["insufficient"]), q_value=float(row["q_value"])
    )
    names = ("value", "low", "high", "worst_group", "best_group", "q_value")
    table = pd.DataFrame([{name: row[name] for name in names} | {"limit": limit, "mark": mark}], index=["all groups"])
    said = f"{number(row['value'])} ({interval(row['low'], row['high'])})"
    side = "at least" if metric_of(rule.metric).better == "higher" else "at most"
    return PolicyTable(rule, feature, table, f"{rule.title}, {feature}: {said} against {side} {limit:g}, {mark}.")
