"""The rows of a metric in two halves: one to search on, one to test on what the search found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.attribution.base import Attributor
from core.attribution.explanation import badness
from core.case.case import Case
from core.case.splits import split_test
from core.errors import InputError
from core.metrics.catalog import metric_of

Floats = npt.NDArray[np.float64]
Feature = str | tuple[str, ...]

FEWEST = 20
"""A half with fewer rows tells nothing."""


def gains(
    attributor: Attributor, case: Case, metric: str, feature: Feature, on: str, seed: int
) -> tuple[Floats, Floats | None]:
    """Return by how much removing each retained record improves the metric on either half of the rows.

    Parameters
    ----------
    attributor : Attributor
    case : Case
        Prepared.
    metric, feature, on
        What is to improve, and on which rows.
    seed : int
        Of the division, which is stratified by label and group.

    Returns
    -------
    searched, kept_back : ndarray, shape (n_retained,)
        Where either half has too few rows, or lacks the metric: on all rows, and None.
    """
    for name, rows in _halves(case, feature, on, seed).items():
        mask = np.ones(len(case.test), dtype=bool)
        mask[rows] = False
        part = case.with_confirm_rows(mask).with_state(case.state)
        half = _gain(attributor, part, metric, feature, "explore") if len(rows) >= FEWEST else None
        if half is None:
            break
        if name == "kept back":
            return first, half
        first = half
    whole = _gain(attributor, case, metric, feature, on)
    if whole is None:
        raise InputError(
            f"The metric must be defined on the {on} rows. {metric!r} of {feature!r} is not; choose another metric or feature."
        )
    return whole, None


def _halves(case: Case, feature: Feature, on: str, seed: int) -> dict[str, npt.NDArray[np.intp]]:
    rows = case.rows(on)
    back = split_test(case.y(on), [case.groups(feature, on).codes], seed)
    return {"searched": rows[~back], "kept back": rows[back]}


def _gain(attributor: Attributor, case: Case, metric: str, feature: Feature, on: str) -> Floats | None:
    effects = attributor.influence(case, metric, feature, on)[case.retained]
    if not np.isfinite(effects).all():
        return None
    return -effects if metric_of(metric).better == "lower" else effects
