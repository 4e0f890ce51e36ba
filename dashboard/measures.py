"""The price of a removal: the utility on the plane, and the settings of a plan."""

from __future__ import annotations

from dataclasses import dataclass

from core.metrics import METRICS
from core.plans.utility import COST
from core.words import inline, number, percent


def utilities(*, scores: bool) -> tuple[str, ...]:
    """Name what may stand against a gap.

    `scores` says whether there are probabilities to measure it by.

    Examples
    --------
    >>> utilities(scores=False)
    ('accuracy', 'balanced_accuracy', 'cost')
    """
    known = (metric for metric in METRICS.values() if metric.is_utility)
    return (*(metric.name for metric in known if scores or metric.uses == "cells"), COST)


@dataclass(frozen=True)
class Measure:
    """A utility.

    Parameters
    ----------
    name : str
        One that `utilities` names.
    costs : tuple of float, optional
        For "cost": what one false positive and one false negative cost.
    """

    name: str = "accuracy"
    costs: tuple[float, float] | None = None

    @property
    def label(self) -> str:
        """The utility in words, as it stands inside a sentence."""
        return "cost per record" if self.name == COST else inline(METRICS[self.name].label)

    @property
    def is_share(self) -> bool:
        """Whether its values are shares, from 0 to 1."""
        return self.name != COST

    def cost(self) -> dict[str, float] | None:
        """Return the costs as the library takes them."""
        return None if self.costs is None else dict(zip(("false_positive", "false_negative"), self.costs, strict=True))

    def text(self, value: float) -> str:
        """Return a value as people read it.

        Examples
        --------
        >>> Measure().text(0.8125), Measure("cost", (1.0, 5.0)).text(0.8125)
        ('81.2%', '0.812')
        """
        return percent(value) if self.is_share else number(value)


@dataclass(frozen=True)
class PlanSettings:
    """The target of a plan, and its price.

    Parameters
    ----------
    target : float
        The value of the gap to reach.
    measure : Measure
    max_utility_drop : float
        In the utility's own units.
    max_records : int
    max_group_share : float
        Largest share of any group's training records.
    """

    target: float
    measure: Measure
    max_utility_drop: float
    max_records: int
    max_group_share: float
