"""One moment of a case: its gap, rates of groups and accuracy, as an audit gave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.metrics import METRICS, AuditReport
from core.metrics.samples import feature_name
from core.typing import Feature
from core.words import count, number, percent
from dashboard.cached import wilson_interval
from dashboard.tables import row


@dataclass(frozen=True)
class Level:
    """The rate of one group.

    Parameters
    ----------
    group : str
    rate, low, high : float
        With the ends of its interval; NaN where it is undefined.
    hits, of : int or None
        The counts behind a share.
    n : int
        Rows of the group.
    """

    group: str
    rate: float
    low: float
    high: float
    hits: int | None
    of: int | None
    n: int

    @property
    def shown(self) -> str:
        """The rate as people read it."""
        return percent(self.rate, 0) if self.of is not None else number(self.rate, 2)

    @property
    def counted(self) -> str:
        """The counts, as in "804 of 947"."""
        return f"{count(self.hits or 0)} of {count(self.of)}" if self.of is not None else count(self.n, "row")


@dataclass(frozen=True)
class Moment:
    """The figures of a model for the groups of one sensitive feature.

    Parameters
    ----------
    metric : str
        The gap.
    gap, low, high : float
        Its value and the ends of its interval.
    worst, best : str or None
        The groups at its ends.
    levels : tuple of Level
        Every group, in the order of the groups.
    accuracy, accuracy_low, accuracy_high : float
    n : int
        Rows.
    """

    metric: str
    gap: float
    low: float
    high: float
    worst: str | None
    best: str | None
    levels: tuple[Level, ...]
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int

    @property
    def worst_level(self) -> Level | None:
        """The group that is worst off."""
        return self.level(self.worst)

    def level(self, group: str | None) -> Level | None:
        """Return a group's rate; None where there is no such group."""
        return next((level for level in self.levels if level.group == group), None)

    @property
    def short(self) -> float:
        """How far the gap is from the best there is."""
        return float(METRICS[self.metric].short_of_best(self.gap))

    @property
    def defined(self) -> bool:
        """Whether there is a gap at all."""
        return self.gap == self.gap

    @property
    def may_be_chance(self) -> bool:
        """Whether the interval of the gap holds no gap at all."""
        none = 1.0 if METRICS[self.metric].kind == "ratio" else 0.0
        return not self.defined or self.low <= none <= self.high


def moment_of(found: AuditReport, metric: str, feature: Feature) -> Moment:
    """Return the moment that an audit of a gap and of accuracy describes."""
    name, rate = feature_name(feature), METRICS[metric].rate
    gap = row(found.gaps, (metric, name))
    rates = found.by_group.xs(name, level="sensitive_feature")
    levels = tuple(_level(str(group), dict(values), rate) for group, values in rates.iterrows())
    accuracy = float(found.overall["accuracy"])
    accuracy_low, accuracy_high = wilson_interval(accuracy, found.n)
    return Moment(
        metric,
        gap=float(gap["value"]),
        low=float(gap["low"]),
        high=float(gap["high"]),
        worst=_known(gap["worst_group"]),
        best=_known(gap["best_group"]),
        levels=levels,
        accuracy=accuracy,
        accuracy_low=accuracy_low,
        accuracy_high=accuracy_high,
        n=found.n,
    )


def _known(group: Any) -> str | None:
    return None if group is None or group != group else str(group)


def _level(group: str, values: dict[str, float], rate: str) -> Level:
    of = values.get(f"{rate}_of")
    return Level(
        group,
        rate=float(values[rate]),
        low=float(values[f"{rate}_low"]),
        high=float(values[f"{rate}_high"]),
        hits=None if of is None else int(values[f"{rate}_hits"]),
        of=None if of is None else int(of),
        n=int(values["n"]),
    )
