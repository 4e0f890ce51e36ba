"""The result of a search for rules: those that hold, and how they were found."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from core.metrics.catalog import metric_of
from core.metrics.samples import feature_name
from core.rules.gap import GapTest
from core.rules.subset import COLUMNS, Subset
from core.shown import Shown
from core.words import chance, count, where_said

if TYPE_CHECKING:
    from core.figures.look import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown, Sequence[Subset]):
    """Rules that explain a gap, a sequence of `Subset`.

    By what removing their records closes for their number.

    Parameters
    ----------
    subsets : tuple of Subset
    metric : str
    sensitive_feature : str or tuple of str
    on : str
        The rows the gap is taken on.
    gap : float
        The metric on these rows, before anything is removed.
    tested : GapTest
        Whether there is a gap at all: its test, on all test rows for a model as opened.
    n_tried : int
        Rules within the support bounds that were looked at.
    n_left_out : int
        Rules whose records were really removed, and that are not shown: that closed less than `min_responsibility` of the gap.
    min_responsibility : float
        The share asked for.
    candidates : DataFrame
        The best-scored rules, measured or not: rule, n_records, support, summed, predicted, conditions. Those about different records
        come first, then the others, each by what they close for their size.
    agreement : float
        Expected correlation of predicted with real changes over those looked at closely that do not train the forest again; NaN where
        it is not estimated.
    complete : bool
        False where the search was stopped; what had been found by then is here.
    notes : tuple of str
        A sentence each.
    n_rows : int
        How many rows the gap is taken on.
    where : str
        The condition that chose them among those of `on`; empty where all are.
    work : object
        What `core.expected_gains` goes on from.
    """

    subsets: tuple[Subset, ...]
    metric: str
    sensitive_feature: str | tuple[str, ...]
    on: str
    gap: float
    tested: GapTest
    n_tried: int
    n_left_out: int
    min_responsibility: float
    candidates: pd.DataFrame = field(repr=False)
    agreement: float
    complete: bool
    notes: tuple[str, ...]
    work: Any = field(repr=False)
    n_rows: int = 0
    where: str = ""

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
    def gap_p_value(self) -> float:
        """P-value of the permutation test that there is a gap at all, on the rows of `tested`."""
        return self.tested.p_value

    @property
    def tested_words(self) -> str:
        """The p-value of the gap and the rows it was tested on; its value there, if they differ."""
        there = f"{self.tested.value:.3f}, " if self.tested.on != self.on else ""
        return f"{there}p {chance(self.gap_p_value)} on {self.tested.rows}{where_said(self.where)}"

    @property
    def table(self) -> pd.DataFrame:
        """The rules as a table, best first."""
        rows = [[getattr(one, name) for name in COLUMNS] for one in self.subsets]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def lines(self) -> list[str]:
        """Say how large the gap is, on which rows, and which rules close how much of it."""
        rows = count(self.n_rows, f"{self.on} row") + where_said(self.where)
        gap = f"{self.metric} of {feature_name(self.sensitive_feature)}: {self.gap:.3f} on {rows} ({self.tested_words})"
        shown = f"{len(self):,} of {self.n_tried:,} rules shown, {self.n_left_out:,} left out that close less than {self.min_responsibility:.0%} of it"
        rules = [
            f"{rank}. {one.line}{''.join(f', {remark}' for remark in one.remarks)}" for rank, one in enumerate(self, 1)
        ]
        return [gap, shown if self.complete else f"{shown}; stopped before the end", *rules]

    def to_frame(self) -> pd.DataFrame:
        """Return the rules as a table, best first."""
        return self.table

    def plot(self) -> Figure:
        """Draw the measured change of each rule with its interval, and the predicted one.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from core.figures import rules

        metric = metric_of(self.metric)
        return rules.effects(self.table, metric.words, self.gap, lower_is_fairer=metric.better == "lower")

    @property
    def n_discoveries(self) -> int:
        """Deprecated: the number of rules in `helping`."""
        warnings.warn("`n_discoveries` is now len(helping).", DeprecationWarning, stacklevel=2)
        return len(self.helping)

    @property
    def searched_again(self) -> bool:
        """Whether halves of the rows were searched, to know what to expect on others."""
        return all(one.found_again is not None for one in self.subsets)

    @property
    def helping(self) -> tuple[Subset, ...]:
        """The rules that are expected to help on rows that were not searched.

        Empty until `core.expected_gains` was asked.
        """
        return tuple(one for one in self.subsets if one.helps)
