"""The report of an audit: its tables, in a few lines, and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.errors import InputError, listed, nearest
from core.metrics.catalog import METRICS
from core.metrics.conditional.result import Strata
from core.metrics.finding import GapFinding, largest_finding, ranked_gaps
from core.metrics.policy import USUAL, held_against
from core.metrics.samples import feature_name
from core.shown import Shown
from core.words import count, interval, number, percent, where_said

if TYPE_CHECKING:
    from core.figures.look import Figure

MOST_GAPS = 3
"""Gaps that are named in the lines, largest first."""
UNITS = {"difference": "difference between groups (0 to 1)", "ratio": "ratio of groups (1 is equal)"}


@dataclass(frozen=True, repr=False)
class AuditReport(Shown):
    """The result of an audit.

    Parameters
    ----------
    by_group : DataFrame
        Indexed by (sensitive_feature, group): ``n``, then for every rate ``<rate>``, ``<rate>_low``, ``<rate>_high``, then
        ``insufficient`` (some rate's interval is wider than plus or minus 0.1), ``n_needed`` (records that would do for all of
        them) and ``<rate>_n_needed``. Rates that are shares of records also have their counts: ``<rate>_hits`` of ``<rate>_of``, of which
        ``<rate>_of_needed`` would do. Where rows are weighted the sum of their ``weight`` and ``n_effective`` stand in place of these counts.
    gaps : DataFrame
        Indexed by (metric, sensitive_feature): ``value``, ``low``, ``high``, ``p_value``, ``worst_group``, ``best_group``,
        ``n_worst``, ``insufficient`` (worst or best group is), ``left_out`` (groups without the rate), ``q_value``. With two
        groups the interval is that of the signed difference and may go below 0 (a ratio's above 1). ``p_value`` and interval are of
        each gap alone; ``q_value`` corrects over all gaps of this table: of those below 0.05 no more than 5% are expected to be chance.
    overall : Series
        Every rate over all records.
    notes : tuple of str
        What a reader must know, a sentence each.
    on : str
        The split.
    n : int
        Records audited.
    level : float
        Coverage of the intervals.
    n_resamples : int
        Resamples behind intervals and p-values.
    looks : int
        How often the confirm rows had been looked at by then.
    pos_is_favorable : bool
        Whether the class that is scored is the good outcome.
    where : str
        The condition that chose the rows among those of `on`; empty where all are looked at.
    sample_weight : str
        The column by which rows are weighted; empty where each counts once.
    n_effective : float
        As many equal rows would scatter like the weighted ones (Kish): (sum of w)^2 / (sum of w^2).
    strata : Strata or None
        Rates and gaps within the strata of control features, and pooled over them.
    against : DataFrame or None
        Indexed by (metric, sensitive_feature, group), where a reference group was named: every rate of every other group, its
        ``difference`` from the reference group's (group less reference) and ``ratio`` to it, each with ``_low`` and ``_high``,
        ``p_value``, ``insufficient`` and ``q_value``, corrected over this table. ``gaps`` then has the ``reference_group``, the ``furthest_group`` from
        it, ``reference_value``, ``reference_low``, ``reference_high`` and ``reference_p_value``: the largest difference from it either
        way, or the ratio furthest from 1, written below 1.
    """

    by_group: pd.DataFrame
    gaps: pd.DataFrame
    overall: pd.Series[float]
    notes: tuple[str, ...]
    on: str
    n: int
    level: float
    n_resamples: int
    looks: int = 0
    pos_is_favorable: bool = True
    where: str = ""
    sample_weight: str = ""
    n_effective: float = float("nan")
    strata: Strata | None = None
    against: pd.DataFrame | None = None

    def lines(self) -> list[str]:
        """Say which gaps are largest, between whom, and how sure that is."""
        weighted = (
            f", weighted by {self.sample_weight} (worth {self.n_effective:,.0f} equal ones)"
            if self.sample_weight
            else ""
        )
        rows = f"{count(self.n, f'{self.on} row')}{where_said(self.where)}{weighted}"
        heading = f"Audit of {rows}, {percent(self.level, 0)} intervals"
        if self.gaps.empty:
            return [heading, *(f"{name}: {number(value)}" for name, value in self.overall.items()), *self.notes]
        names = [(str(name), str(feature)) for name, feature in self.gaps.index]
        order = sorted(range(len(names)), key=self._rank)
        shown = [self._line(*names[place], self.gaps.iloc[place]) for place in order[:MOST_GAPS]]
        more = len(order) - len(shown)
        rest = [f"{count(more, 'more gap')} in .gaps, rates in .by_group"] if more else []
        notes = [f"{count(len(self.notes), 'note')} in .notes"] if self.notes else []
        return [heading, *shown, *rest, *notes]

    def to_frame(self) -> pd.DataFrame:
        """Return the gaps, one row each; where none were asked for, the rates of each group."""
        table = self.by_group if self.gaps.empty else self.gaps
        return table.reset_index()

    def plot(
        self, what: str = "difference", *, sensitive_feature: str | Sequence[str] | None = None, profile: str = USUAL
    ) -> Figure:
        """Draw the gaps of a sensitive feature against thresholds, or a rate of its groups.

        Parameters
        ----------
        what : str
            "difference" or "ratio" for the gaps of that kind, or the name of a rate in `by_group`.
        sensitive_feature : str or tuple of str, optional
            One that was audited; None is the first.
        profile : str
            Thresholds, one of `core.metrics.policy.PROFILES`: conventions to look by, none of which says what is allowed.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        InputError
            If no such gaps, rate or feature were audited.
        """
        from core.figures import gaps, groups

        feature = self._feature(sensitive_feature)
        if what in UNITS:
            if not any(METRICS[str(name)].kind == what for name, _ in self.gaps.index):
                raise InputError(
                    f"The audit must have {what}s of {feature!r} to draw. It has none; audit such a metric."
                )
            table = held_against(self, feature, profile)
            own = table[[METRICS[name].kind == what for name in table["metric"]]]
            return gaps.against_thresholds(own, f"{what}s", UNITS[what])
        rates = [name for name in self.by_group.columns if f"{name}_low" in self.by_group.columns]
        if what not in rates:
            raise InputError(
                f"What is drawn must be 'difference', 'ratio' or one of the rates {listed(rates, most=9)}. Got {what!r}.{nearest(what, rates)}"
            )
        metric = METRICS[what]
        label = metric.heading(pos_is_favorable=self.pos_is_favorable)
        return groups.rates(self.by_group.loc[[feature]].droplevel(0), what, label, metric.formula)

    @property
    def finding(self) -> GapFinding | None:
        """The largest gap beyond chance, corrected over all looked at; None where none is."""
        return largest_finding(self)

    def ranked(self, profile: str = USUAL) -> pd.DataFrame:
        """Return all gaps with verdicts in one table, those beyond chance first.

        Then by size.

        Parameters
        ----------
        profile : str
            Thresholds, one of `core.metrics.policy.PROFILES`.

        Returns
        -------
        DataFrame
            Indexed by what each gap is called: ``metric``, ``sensitive_feature``, ``value``, ``low``, ``high``, ``verdict``,
            ``beyond_chance`` (``q_value`` below 0.05), ``distance`` from the best value, and what `gaps` has.
        """
        return ranked_gaps(self, profile)

    def _feature(self, asked: str | Sequence[str] | None) -> str:
        known = list(dict.fromkeys(self.by_group.index.get_level_values(0))) if len(self.by_group) else []
        name: Any = known[0] if asked is None and known else asked
        if name is not None and not isinstance(name, str):
            name = feature_name(tuple(name))
        if name not in known:
            raise InputError(f"The sensitive feature must be one that was audited: {listed(known)}. Got {asked!r}.")
        return str(name)

    def _rank(self, place: int) -> tuple[bool, bool, bool, float]:
        """Order gaps by evidence, scale, kind and distance from the best value.

        Those with evidence come first, then those on a scale of 0 to 1, then differences.
        """
        row, metric = self.gaps.iloc[place], METRICS[str(self.gaps.index[place][0])]
        short = float(metric.short_of_best(row["value"]))
        return bool(row["insufficient"]), not metric.has_scale or short != short, metric.kind != "difference", -short

    def _line(self, name: str, feature: str, row: pd.Series[Any]) -> str:
        if row["value"] != row["value"]:
            return f"{name} of {feature}: undefined, fewer than two groups have the rate"
        ends = (
            ""
            if row["worst_group"] is None
            else f"; {row['worst_group']} at the bad end, {row['best_group']} at the good end"
        )
        sure = f"; insufficient evidence (n = {int(row['n_worst']):,} at the bad end)" if row["insufficient"] else ""
        between = interval(row["low"], row["high"])
        return f"{name} of {feature}: {number(row['value'])}{between and f' ({between})'}{ends}{sure}"
