"""How the rate of every single group changed, with an interval and a test each.

References
----------
McNemar (1947), Note on the sampling error of the difference between correlated proportions, Psychometrika 12(2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, ndtr

from core.metrics.catalog import Metric
from core.metrics.intervals import normal_quantile
from core.metrics.rates import terms_of
from core.metrics.samples import PairedSample
from core.numerics.statistics.counts import FloatArray, before_and_after

LEVEL_COLUMNS = ("before", "after", "change", "low", "high", "p_value", "n")


class LevelChanges(NamedTuple):
    """A rate of every group before and after, its paired change, and its number of records."""

    before: FloatArray
    after: FloatArray
    change: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    n: FloatArray


def level_changes(rate: Metric, view: PairedSample, level: float) -> LevelChanges:
    """Return the change of a rate in every group, O(resamples x groups).

    Parameters
    ----------
    rate : Metric
        A rate of the catalog.
    view : PairedSample
        The records.
    level : float
        Coverage of each group's interval alone.

    Returns
    -------
    LevelChanges
        NaN where the rate is undefined on either side.

    Notes
    -----
    Where decisions do not choose the records a rate is taken over (all but precision and its kin), the p-value is McNemar's exact one.
    """
    before, after = view.rate(rate.name)
    change = after.estimate - before.estimate
    scatter = (after.draws - after.centre) - (before.draws - before.centre)
    half = normal_quantile(level) * np.sqrt(np.mean(np.square(scatter), axis=0))
    p_value = np.where(np.isnan(change), np.nan, _p_value(rate, view, change))
    return LevelChanges(
        before.estimate, after.estimate, change, change - half, change + half, p_value, rows_counted(rate, view)
    )


def rows_counted(rate: Metric, view: PairedSample) -> FloatArray:
    """Return how many records a rate of every group is taken over.

    The fewer of before and after where decisions choose them.
    """
    if rate.uses == "scores":
        return np.bincount(view.codes, minlength=view.n_groups).astype(np.float64)
    terms = terms_of(rate.name, pos_is_favorable=view.before.pos_is_favorable)
    sides = before_and_after(view.joint)
    return np.asarray(np.min([(side * bottom).sum(axis=(1, 2)) for side in sides for _, bottom in terms], axis=0))


def _p_value(rate: Metric, view: PairedSample, change: FloatArray) -> FloatArray:
    if rate.uses == "scores":
        covariance = view.score_moments(rate.name)[2]
        variance = covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1]
        return _normal(change, np.sqrt(np.maximum(variance, 0.0)))
    terms = terms_of(rate.name, pos_is_favorable=view.before.pos_is_favorable)
    if len(terms) == 1 and (terms[0][1][:, 0] == terms[0][1][:, 1]).all():
        top = terms[0][0]
        return mcnemar(*_changed(view.joint, top[:, 1] - top[:, 0]))
    before, after = view.swapped_rate(rate.name)
    return _normal(change, np.sqrt(np.nanmean(np.square(after - before), axis=0)))


def _changed(joint: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how many records of every group turned for the rate and against it.

    `weight` is what a decision counts by label.
    """
    raised, lowered = joint[..., 0, 1], joint[..., 1, 0]
    with_it, against = weight > 0, weight < 0
    up = raised[:, with_it].sum(axis=1) + lowered[:, against].sum(axis=1)
    return up, lowered[:, with_it].sum(axis=1) + raised[:, against].sum(axis=1)


def mcnemar(up: FloatArray, down: FloatArray) -> FloatArray:
    """Return the exact two-sided test that as many turn one way as the other.

    Examples
    --------
    >>> mcnemar(np.array([17.0, 0.0]), np.array([6.0, 0.0])).round(4)
    array([0.0347, 1.    ])
    """
    one, other = np.rint(up), np.rint(down)
    fewer, n = np.minimum(one, other), one + other
    return np.asarray(np.where(n > 0, np.minimum(2.0 * bdtr(fewer, n.astype(np.int64), 0.5), 1.0), 1.0))


def _normal(change: FloatArray, error: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2.0 * ndtr(-np.abs(change) / error)
    return np.asarray(np.where(error > 0, p_value, np.where(change == 0, 1.0, np.where(np.isnan(change), np.nan, 0.0))))
