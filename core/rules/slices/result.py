"""The result of a search for slices: a table, and a tree that can be walked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import pandas as pd

from core.metrics.catalog import metric_of
from core.metrics.policy import CHANCE
from core.metrics.samples import feature_name
from core.rules.conditions import Condition, rule_text
from core.rules.titles import title_of
from core.shown import Shown
from core.words import chance, count, interval, number, percent, where_said

SLICE_COLUMNS = (
    *(
        "slice",
        "n",
        "share",
        "value",
        "low",
        "high",
        "rest",
        "p_value",
        "q_value",
        "worst_group",
        "best_group",
        "where",
    ),
)
"""Of the table of slices."""


@dataclass(frozen=True, eq=False, repr=False)
class Slice(Shown):
    """Test rows that a few conditions describe, and what a metric is there.

    Parameters
    ----------
    conditions : tuple of Condition
        All of which hold.
    metric : str
    n : int
        Rows of the slice that the metric is of: all, or those with one label or decision.
    share : float
        Their share of all such rows.
    value, low, high : float
        The metric in the slice, and its 95% interval; that of a gap is of the two groups named.
    rest : float
        The metric in the other rows. Of a gap, the difference between the same two groups there, negative the other way round.
    p_value : float
        That it is worse in the slice than in the other rows.
    q_value : float
        Corrected for all slices tried, by Benjamini and Hochberg: of those with 0.05 or less no more than 5% are expected to be chance.
    worst_group, best_group : str or None
        Groups that a gap is between.
    within : str
        The condition that the searched rows met already; empty where all were searched.
    """

    conditions: tuple[Condition, ...]
    metric: str
    n: int
    share: float
    value: float
    low: float
    high: float
    rest: float
    p_value: float
    q_value: float
    worst_group: str | None = None
    best_group: str | None = None
    within: str = ""

    @property
    def slice(self) -> str:
        """The slice's own conditions, as a person reads them."""
        return rule_text(self.conditions)

    @property
    def where(self) -> str:
        """The condition that `where=` takes for the slice."""
        return " and ".join(part for part in (self.within, self.slice) if part)

    @property
    def title(self) -> str:
        """Whom the slice describes, in words."""
        return title_of(self.conditions) if self.conditions else "All rows"

    @property
    def beyond_chance(self) -> bool:
        """Whether the metric is worse here than in the other rows beyond chance, after correction."""
        return self.q_value <= CHANCE

    @property
    def sentence(self) -> str:
        """The slice as a sentence."""
        between = f" between {self.worst_group} and {self.best_group}" if self.worst_group is not None else ""
        return (
            f"Where {self.slice}: {metric_of(self.metric).words}{between} {number(self.value)} ({interval(self.low, self.high)}) in "
            f"{count(self.n, 'row')}, against {number(self.rest)} in the others (q {chance(self.q_value)})."
        )

    def lines(self) -> list[str]:
        """Say what the metric is in the slice and elsewhere."""
        return [self.slice or "all rows", self.sentence]

    def to_frame(self) -> pd.DataFrame:
        """Return the slice as one row of the table."""
        return pd.DataFrame([[getattr(self, name) for name in SLICE_COLUMNS]], columns=list(SLICE_COLUMNS))


@dataclass(frozen=True, eq=False)
class SliceNode:
    """A node of the tree: a slice, and the column that parts it further.

    Parameters
    ----------
    slice : Slice
        Of no condition at the root.
    split_on : str
        The column whose values the children have; empty at a leaf.
    children : tuple of SliceNode
        The worst first.
    others : int
        Rows whose value is too rare for a child of its own.
    """

    slice: Slice
    split_on: str = ""
    children: tuple[SliceNode, ...] = ()
    others: int = 0

    def walk(self, depth: int = 0) -> Iterator[tuple[int, SliceNode]]:
        """Yield every node with its depth, each before its children."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


@dataclass(frozen=True, eq=False, repr=False)
class WorstSlices(Shown, Sequence[Slice]):
    """Slices of the test rows in which a metric is worst, a sequence of `Slice`.

    Parameters
    ----------
    slices : tuple of Slice
        One for every cause, those beyond chance first.
    tree : SliceNode
        All rows, parted by the column that tells most, level by level.
    metric : str
    sensitive_feature : str or tuple of str or None
        Whose gap; None where the metric compares no groups.
    on : str
        The rows searched.
    n_rows : int
        How many these are, of those that the metric is of.
    value : float
        The metric on all of them.
    n_tried : int
        Slices tried, all of which the correction counts.
    n_beyond : int
        How many of these are worse than the other rows beyond chance.
    where : str
        The condition that chose the rows; empty where all are searched.
    notes : tuple of str
    """

    slices: tuple[Slice, ...]
    tree: SliceNode = field(repr=False)
    metric: str
    sensitive_feature: str | tuple[str, ...] | None
    on: str
    n_rows: int
    value: float
    n_tried: int
    n_beyond: int
    where: str = ""
    notes: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Slice: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Slice, ...]: ...

    def __getitem__(self, index: Any) -> Any:
        """Return a slice by its rank."""
        return self.slices[index]

    def __len__(self) -> int:
        return len(self.slices)

    def __iter__(self) -> Iterator[Slice]:
        return iter(self.slices)

    @property
    def heading(self) -> str:
        """The metric on all rows searched, and how many slices were tried."""
        of = "" if self.sensitive_feature is None else f" of {feature_name(self.sensitive_feature)}"
        rows = count(self.n_rows, f"{self.on} row") + where_said(self.where)
        return f"{self.metric}{of}: {number(self.value)} on {rows}; {count(self.n_tried, 'slice')} tried, {self.n_beyond:,} worse beyond chance"

    def lines(self) -> list[str]:
        """Say what was searched, and the slices found."""
        return [self.heading, *(f"{rank}. {one.sentence}" for rank, one in enumerate(self, 1))]

    def to_frame(self) -> pd.DataFrame:
        """Return the slices as a table, the worst first."""
        tables = [one.to_frame() for one in self.slices]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(SLICE_COLUMNS))

    @property
    def tree_lines(self) -> list[str]:
        """The tree as text, a line for every node."""
        found = []
        for depth, node in self.tree.walk():
            own = node.slice.conditions[-1].text if node.slice.conditions else "all rows"
            sure = f", q {chance(node.slice.q_value)}" if node.slice.q_value == node.slice.q_value else ""
            found.append(
                f"{'  ' * depth}{own}: {number(node.slice.value)} of {node.slice.n:,} ({percent(node.slice.share)}){sure}"
            )
        return found
