"""What a search for rules gives: the rules that hold, and how they were found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from core.metrics.catalog import metric_of
from core.metrics.samples import feature_name
from core.rules.conditions import Condition, rule_text
from core.shown import Shown
from core.words import chance, count

if TYPE_CHECKING:
    from core.figures.look import Figure

COLUMNS = (
    *("rule", "n_records", "support", "predicted", "verified", "change", "low", "high", "reversed"),
    *("responsibility", "p_value", "q_value", "survives", "levels_down", "sensitive"),
)
"""Of the table of rules."""


@dataclass(frozen=True, eq=False, repr=False)
class Subset(Shown):
    """A describable set of training records, and what removing it did to a gap.

    Parameters
    ----------
    conditions : tuple of Condition
        All of which hold.
    forget : Index
        Ids of the retained records that meet them.
    support : float
        Their share of the retained records.
    metric : str
    before, after : float
        The metric on all rows of the split, before and after the records were really removed.
    predicted : float
        After less before, as the search predicted it without removing the records from the whole model; NaN where removals had to be
        measured to be known. What `core.preview` gives for the same records is a prediction of its own: see `beside_a_preview`.
    change, low, high : float
        Paired change and its interval, `core.compare`'s. Where `reversed`, of the signed difference, else `verified`.
    reversed : bool
        Whether the two groups have changed places.
    levels_down : bool
        Whether the gap closes mostly because the better-off group fares worse. Such rules come last.
    p_value : float
        Chance of as large an effect without a cause, on rows the search did not see; NaN where none were kept back.
    q_value : float
        Smallest false discovery rate, over all rules tried, at which the rule is taken for a discovery.
    survives : bool
        Whether it is one at the rate asked for, and the gap itself is beyond chance.
    make_up : DataFrame
        Records of the subset by group and label, and their share of all such records.
    sensitive : tuple of str
        Sensitive features among the conditions.
    method, guarantee : str
        How the records were removed, and what that guarantees.
    beside_a_preview : str
        One sentence on how the verified change was found, and why a preview of the same records may give another.
    notes : tuple of str
        What the removal said.
    """

    conditions: tuple[Condition, ...]
    forget: pd.Index[Any]
    support: float
    metric: str
    before: float
    after: float
    predicted: float
    change: float
    low: float
    high: float
    reversed: bool
    levels_down: bool
    p_value: float
    q_value: float
    survives: bool
    make_up: pd.DataFrame
    sensitive: tuple[str, ...]
    method: str
    guarantee: str
    beside_a_preview: str
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Say whose removal did what to the gap."""
        found = f"{self.metric} {self.before:.3f} -> {self.after:.3f} when really removed by {self.method} ({self.guarantee})"
        return [self.line, found, *([", ".join(self.remarks)] if self.remarks else [])]

    def to_frame(self) -> pd.DataFrame:
        """Return the rule as one row of the explanation's table."""
        return pd.DataFrame([[getattr(self, name) for name in COLUMNS]], columns=list(COLUMNS))

    @property
    def line(self) -> str:
        """The rule, its records and the changes, in one line."""
        predicted = "not predicted" if math.isnan(self.predicted) else f"predicted {self.predicted:+.3f}"
        between = f"{self._signed}{self.low:+.3f} to {self.high:+.3f}"
        records = f"{count(self.n_records, 'record')} ({self.support:.1%})"
        return f"{self.rule}: {records}, {predicted}, verified {self.verified:+.3f} ({between})"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of the rule, in a word or two each."""
        said = {"overshoots": self.turned, "levels down": self.levels_down, "may be chance": not self.survives}
        return tuple(word for word, holds in said.items() if holds)

    @property
    def rule(self) -> str:
        """The rule as a person reads it."""
        return rule_text(self.conditions)

    @property
    def n_records(self) -> int:
        """Number of records."""
        return len(self.forget)

    @property
    def verified(self) -> float:
        """After less before when the records were really removed: the same quantity as `predicted`, whoever is better off after."""
        return self.after - self.before

    @property
    def responsibility(self) -> float:
        """Share of the gap that goes with the records: (gap before - gap after) / gap before."""
        return responsibility(self.metric, self.before, self.after)

    @property
    def turned(self) -> bool:
        """Whether the groups change places and are left with a gap that shows: `reversed`, and not equal to the digits of `sentence`."""
        return self.reversed and not metric_of(self.metric).is_level(self.after)

    @property
    def sentence(self) -> str:
        """One sentence that says it all."""
        parts = [
            f"Without the {self.n_records:,} records ({self.support:.1%}) where {self.rule}, the {metric_of(self.metric).words} goes from "
            f"{self.before:.3f} to {self.after:.3f}{self._turned} (change {self.verified:+.3f}, predicted {self.predicted:+.3f}, "
            f"{self._signed}interval {self.low:+.3f} to {self.high:+.3f})"
        ]
        if self.predicted * self.verified < 0:
            parts.append("although the prediction had it the other way")
        if self.levels_down:
            parts.append("mostly because the better-off fare worse")
        if not self.survives:
            parts.append("which may be chance")
        if self.sensitive:
            parts.append(f"and the rule names {' and '.join(self.sensitive)} (sensitive)")
        return ", ".join(parts) + "."

    @property
    def _turned(self) -> str:
        return " the other way round, as the two groups change places" if self.turned else ""

    @property
    def _signed(self) -> str:
        """What the interval is of, where that is not the change named before it."""
        if not self.turned:
            return ""
        kind = "ratio" if metric_of(self.metric).kind == "ratio" else "difference"
        return f"signed {kind} {self.change:+.3f}, "


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown, Sequence[Subset]):
    """Rules that explain a gap, by verified effect; a sequence of `Subset`.

    Parameters
    ----------
    subsets : tuple of Subset
    metric : str
    sensitive_feature : str or tuple of str
    on : str
        The rows the gap is taken on.
    gap : float
        The metric before anything is removed.
    gap_p_value : float
        Of the permutation test that there is a gap at all.
    n_tried : int
        Rules within the support bounds that were tried; the false discovery rate is over all of them.
    n_discoveries : int
        How many of these survive it.
    n_left_out : int
        Rules whose records were really removed, and that are not shown: that closed less than `min_responsibility` of the gap.
    min_responsibility : float
        The share asked for.
    q : float
        The rate asked for.
    candidates : DataFrame
        The best-scored rules, confirmed or not: rule, support, n_records, summed, predicted, p_value, q_value, conditions. In forests
        the 50 that were looked at closely come first.
    agreement : float
        Expected correlation of predicted with verified changes over those of these 50 that do not train the forest again; NaN where it
        is not estimated.
    complete : bool
        False where the search was stopped; what had been found by then is here.
    notes : tuple of str
        A sentence each.
    n_rows : int
        How many rows the gap is taken on.
    """

    subsets: tuple[Subset, ...]
    metric: str
    sensitive_feature: str | tuple[str, ...]
    on: str
    gap: float
    gap_p_value: float
    n_tried: int
    n_discoveries: int
    n_left_out: int
    min_responsibility: float
    q: float
    candidates: pd.DataFrame = field(repr=False)
    agreement: float
    complete: bool
    notes: tuple[str, ...]
    n_rows: int = 0

    @overload
    def __getitem__(self, index: int) -> Subset: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Subset, ...]: ...

    def __getitem__(self, index: int | slice) -> Subset | tuple[Subset, ...]:
        """Return a rule by its rank."""
        return self.subsets[index]

    def __len__(self) -> int:
        return len(self.subsets)

    def __iter__(self) -> Iterator[Subset]:
        return iter(self.subsets)

    @property
    def table(self) -> pd.DataFrame:
        """The rules as a table, best first."""
        rows = [[getattr(one, name) for name in COLUMNS] for one in self.subsets]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def lines(self) -> list[str]:
        """Say how large the gap is, on which rows, and which rules close how much of it."""
        rows = count(self.n_rows, f"{self.on} row")
        gap = f"{self.metric} of {feature_name(self.sensitive_feature)}: {self.gap:.3f} on {rows} (p {chance(self.gap_p_value)})"
        shown = f"{len(self):,} of {self.n_tried:,} rules shown, {self.n_left_out:,} left out that close less than {self.min_responsibility:.0%} of it"
        rules = [
            f"{rank}. {one.line}{''.join(f', {remark}' for remark in one.remarks)}" for rank, one in enumerate(self, 1)
        ]
        return [gap, shown if self.complete else f"{shown}; stopped before the end", *rules]

    def to_frame(self) -> pd.DataFrame:
        """Return the rules as a table, best first."""
        return self.table

    def plot(self) -> Figure:
        """Draw the verified change of each rule with its interval, and the predicted one.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from core.figures import rules

        metric = metric_of(self.metric)
        return rules.effects(self.table, metric.words, self.gap, lower_is_fairer=metric.better == "lower")


def percent(share: float) -> str:
    """Return a share as it was asked for.

    Examples
    --------
    >>> percent(0.05), percent(0.125)
    ('5%', '12.5%')
    """
    return f"{100.0 * share:g}%"


def responsibility(metric: str, before: float, after: float) -> float:
    """Return the share of a gap that a removal closed.

    Examples
    --------
    >>> round(responsibility("equal_opportunity_difference", 0.1, 0.025), 3)
    0.75
    """
    was, now = (float(metric_of(metric).short_of_best(value)) for value in (before, after))
    return (was - now) / was if was > 0.0 else float("nan")
