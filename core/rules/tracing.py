"""What every training record does to a gap, on half of the rows to search on and on the other half to test what was found.

The gap is taken apart into the rates of the two groups it is between, so that what removing a record does for the worse-off
group can be told from what it does to the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.attribution.base import Attributor
from core.attribution.expected import exploring
from core.case.case import Case
from core.case.roles import AtRate
from core.case.splits import split_test
from core.errors import InputError
from core.metrics.catalog import metric_of
from core.rules.gap import Extremes
from core.typing import Floats, Positions

FEWEST = 5
"""A group with fewer rows in a half says nothing there."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Gains of the retained records: positive where removing one helps.

    Parameters
    ----------
    gain : ndarray, shape (n_retained,)
        By how much the metric improves, on the rows searched on.
    lift : ndarray, shape (n_retained,)
        By how much the worse-off group's rate improves there.
    kept_back : ndarray, shape (n_retained,), or None
        The gain on the other rows; None where there are too few to divide.
    """

    gain: Floats
    lift: Floats
    kept_back: Floats | None


def trace(attributor: Attributor, case: Case, extremes: Extremes, on: str, seed: int) -> Trace:
    """Trace a gap to the retained records.

    Parameters
    ----------
    attributor : Attributor
    case : Case
        Prepared.
    extremes : Extremes
        The groups it is between.
    on : str
        The rows it is taken on; they are divided in halves, stratified by label and group.
    seed : int
        Of the division.

    Raises
    ------
    InputError
        If the rate is undefined for one of the groups on all rows together.
    """
    rows = case.rows(on)
    back = split_test(case.y(on), [case.groups(extremes.feature, on).codes], seed)
    fixed = case.with_threshold(case.cut(on)) if isinstance(case.threshold, AtRate) else case
    searched, kept_back = (_gains(attributor, fixed, extremes, part) for part in (rows[~back], rows[back]))
    if searched is not None and kept_back is not None:
        return Trace(*searched, kept_back[0])
    whole = _gains(attributor, fixed, extremes, rows, fewest=1)
    if whole is None:
        raise InputError(
            f"The metric must have a slope on the {on} rows. {extremes.metric!r} of {extremes.feature!r} has none; choose another metric or feature."
        )
    return Trace(*whole, None)


def _gains(
    attributor: Attributor, case: Case, extremes: Extremes, rows: Positions, fewest: int = FEWEST
) -> tuple[Floats, Floats] | None:
    codes = case.groups(extremes.feature, "test").codes[rows]
    gain, lift = np.zeros(case.n_retained), np.zeros(case.n_retained)
    toward = -1.0 if metric_of(extremes.metric).better == "lower" else 1.0
    for group, weight in extremes.weights.items():
        own = rows[codes == group]
        effects = _effects(attributor, case, extremes.rate, own) if len(own) >= fewest else None
        if effects is None:
            return None
        gain += toward * weight * effects
        if group == extremes.worse:
            lift = extremes.rises * effects
    return gain, lift


def _effects(attributor: Attributor, case: Case, rate: str, rows: Positions) -> Floats | None:
    """Return what removing each retained record does to a rate over some test rows; None where it has no slope."""
    effects = attributor.influence(exploring(case, rows), rate, None, "explore")[case.retained]
    return effects if np.isfinite(effects).all() else None
