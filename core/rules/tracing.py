"""Effects of every training record on a gap, first order.

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
from core.errors import InputError
from core.metrics.catalog import metric_of
from core.rules.gap import Extremes
from core.typing import Floats, Positions
from core.words import where_said


@dataclass(frozen=True, eq=False)
class Trace:
    """Gains of the retained records: positive where removing one helps.

    Parameters
    ----------
    gain : ndarray, shape (n_retained,)
        By how much the metric improves.
    lift : ndarray, shape (n_retained,)
        By how much the worse-off group's rate improves.
    """

    gain: Floats
    lift: Floats


def trace(attributor: Attributor, case: Case, extremes: Extremes, on: str) -> Trace:
    """Trace a gap to the retained records.

    Parameters
    ----------
    attributor : Attributor
    case : Case
        Prepared.
    extremes : Extremes
        The groups it is between.
    on : str
        The rows it is taken on.

    Raises
    ------
    InputError
        If the rate has no slope for one of the groups.
    """
    rows = case.rows(on)
    fixed = case.with_threshold(case.cut(on)) if isinstance(case.threshold, AtRate) else case
    codes = case.groups(extremes.feature, on).codes
    gain, lift = np.zeros(case.n_retained), np.zeros(case.n_retained)
    toward = -1.0 if metric_of(extremes.metric).better == "lower" else 1.0
    for group, weight in extremes.weights.items():
        effects = _effects(attributor, fixed, extremes.rate, rows[codes == group])
        gain += toward * weight * effects
        if group == extremes.worse:
            lift = extremes.rises * effects
    if not np.isfinite(gain).all():
        raise InputError(
            f"The metric must have a slope on the {on} rows{where_said(case.where)}. "
            f"{extremes.metric!r} of {extremes.feature!r} has none; choose another metric or feature."
        )
    return Trace(gain, lift)


def _effects(attributor: Attributor, case: Case, rate: str, rows: Positions) -> Floats:
    """Return what removing each retained record does to a rate over some test rows.

    NaN where it has no slope.
    """
    return attributor.influence(exploring(case, rows), rate, None, "explore")[case.retained]
