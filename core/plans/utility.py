"""A model's utility as one number.

A metric of the catalog, or what its errors cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from core.actions.influence import influence
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import InputError, InputTypeError
from core.metrics.catalog import metric_of

COST = "cost"
ERRORS = ("false_positive", "false_negative")


def words_of(name: str) -> str:
    """Return what a utility is called inside a sentence.

    Examples
    --------
    >>> words_of("accuracy"), words_of(COST)
    ('accuracy', 'cost per record')
    """
    return "cost per record" if name == COST else metric_of(name).words


@dataclass(frozen=True)
class Utility:
    """A weighted sum of overall metrics.

    Parameters
    ----------
    name : str
        A metric of the catalog that has an overall value, or "cost".
    terms : tuple of (str, float)
        Metrics and their weights.
    higher_is_better : bool
    """

    name: str
    terms: tuple[tuple[str, float], ...]
    higher_is_better: bool

    @classmethod
    def of(cls, case: Case, name: str, cost: Mapping[str, float] | None, on: str) -> Utility:
        """Return the utility asked for.

        Parameters
        ----------
        case : Case
        name : str
            Such as "accuracy", "balanced_accuracy", "average_precision"; "cost" takes `cost`.
        cost : mapping, optional
            What one "false_positive" (flagged wrongly) and one "false_negative" (missed) cost; the utility is the mean cost of a record.
        on : str
            The split it is taken on.

        Raises
        ------
        InputError
            If it is no such metric, or the costs are not given.
        """
        if isinstance(name, str) and name == COST:
            return cls(COST, _cost_terms(case, cost, on), higher_is_better=False)
        if cost is not None:
            raise InputError(f"Costs of errors need utility='cost'. Got utility={name!r} with costs; drop one of them.")
        metric = metric_of(name)
        if metric.compares_groups or metric.better == "neither":
            raise InputError(
                f"The utility must be an overall metric with a better end, such as 'accuracy', or 'cost'. Got {name!r}; choose another."
            )
        return cls(name, ((name, 1.0),), metric.better == "higher")

    @property
    def words(self) -> str:
        """The name of the utility inside a sentence."""
        return words_of(self.name)

    def value(self, case: Case, on: str) -> float:
        """Return the utility of a case on a split."""
        return sum(weight * Outcome.of(case, name, None, on).value() for name, weight in self.terms)

    def drop(self, before: float, after: float) -> float:
        """Return how much worse the second value is."""
        return before - after if self.higher_is_better else after - before

    def harm(self, case: Case, on: str) -> pd.Series[float]:
        """Return how much worse the utility is predicted to be without each retained record."""
        effects = [weight * influence(case, name, on=on) for name, weight in self.terms]
        total = reduce(pd.Series.add, effects)
        return -total if self.higher_is_better else total


def _cost_terms(case: Case, cost: Mapping[str, float] | None, on: str) -> tuple[tuple[str, float], ...]:
    """Return mean cost per record as rates.

    Errors per record are a rate times the share of records that can err so.
    """
    if cost is None or set(cost) != set(ERRORS):
        raise InputError(
            f"utility='cost' must come with cost={{'false_positive': …, 'false_negative': …}}. Got {cost!r}; give both."
        )
    values = [cost[error] for error in ERRORS]
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        raise InputTypeError(f"Costs must be numbers. Got {cost!r}.")
    if not all(np.isfinite(value) and value >= 0 for value in values) or not any(values):
        raise InputError(f"Costs must be finite, not negative and not both 0. Got {cost!r}; correct them.")
    positive = float(case.y(on).mean())
    rates = ("false_positive_rate", "false_negative_rate")
    if not case.favorable_is_positive:
        rates = ("false_negative_rate", "false_positive_rate")
    return ((rates[0], float(values[0]) * (1.0 - positive)), (rates[1], float(values[1]) * positive))
