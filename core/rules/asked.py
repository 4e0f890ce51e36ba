"""Settings of a search for rules, checked once, and how the user stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.case.arguments import check_number
from core.errors import InputError, InputTypeError
from core.metrics.catalog import metric_of
from core.typing import Progress

LEAST = 0.05
"""Share of the gap that removing a rule's records has to close for it to be shown."""
QUANTILES = 5
"""Bins of a numeric column without edges of its own."""


class StoppedError(Exception):
    """The user has asked to stop."""


@dataclass(frozen=True)
class Asked:
    """Options of a search for rules, those of `core.explain_gap`; wrong ones raise."""

    max_predicates: int
    min_support: float
    max_support: float
    top_k: int
    columns: Iterable[str] | None
    bins: int | Mapping[str, Sequence[float]]
    min_responsibility: float
    seconds: float
    seed: int

    def __post_init__(self) -> None:
        _check_numbers(self)
        if isinstance(self.columns, str):
            raise InputTypeError(
                f"Columns must be given as a list. Got the string {self.columns!r}; write [{self.columns!r}]."
            )
        if isinstance(self.bins, bool) or not isinstance(self.bins, int | Mapping):
            raise InputTypeError(
                f"`bins` must be a number of bins, or map columns to edges. Got {self.bins!r}; 5 is usual."
            )

    def counts(self, n: int) -> tuple[int, int]:
        """Return the fewest and the most of n records that a rule may describe."""
        return max(1, int(np.ceil(self.min_support * n - 1e-9))), int(self.max_support * n + 1e-9)

    @property
    def n_bins(self) -> int:
        """Quantile bins of a column without edges."""
        return self.bins if isinstance(self.bins, int) else QUANTILES

    @property
    def edges(self) -> Mapping[str, Sequence[float]] | None:
        """Inner edges of bins by column."""
        return None if isinstance(self.bins, int) else self.bins


def check_metric(metric: str) -> None:
    """Raise unless a metric compares groups."""
    if not metric_of(metric).compares_groups:
        raise InputError(f"A metric to explain must compare groups, as a difference or ratio does. Got {metric!r}.")


def reporting(progress: Progress | None, cancelled: Callable[[], bool] | None) -> Progress:
    """Return what stages of a search report to.

    It raises `StoppedError` once the user has asked to stop.
    """

    def report(share: float, what: str) -> None:
        if progress is not None:
            progress(share, what)
        if cancelled is not None and cancelled():
            raise StoppedError

    return report


def _check_numbers(asked: Asked) -> None:
    for name in ("max_predicates", "top_k"):
        value = getattr(asked, name)
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise InputTypeError(f"`{name}` must be a whole number. Got {value!r}.")
    for name in ("min_support", "max_support", "seconds", "min_responsibility"):
        check_number(name, getattr(asked, name))
    if not 1 <= asked.max_predicates <= 5:
        raise InputError(f"Rules can have 1 to 5 conditions. Got max_predicates={asked.max_predicates}.")
    if not 0.0 < asked.min_support <= asked.max_support < 1.0:
        raise InputError(
            "Support bounds must be shares with 0 < min_support <= max_support < 1. "
            f"Got {asked.min_support} and {asked.max_support}."
        )
    if asked.top_k < 1:
        raise InputError(f"top_k must be at least 1. Got {asked.top_k}.")
    if not asked.seconds > 0.0:
        raise InputError(f"The time must be more than 0 seconds. Got seconds={asked.seconds!r}; 60 is usual.")
    if not 0.0 <= asked.min_responsibility < 1.0:
        raise InputError(
            f"`min_responsibility` must be a share of the gap from 0 to below 1. Got {asked.min_responsibility!r}; {LEAST} is usual."
        )
