"""The rate of every group with its interval, and whether the group is large enough."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.metrics.catalog import METRICS
from core.metrics.intervals import MARGIN, auc_interval, normal_interval, wilson, wilson_needed
from core.metrics.rates import RATES, terms_of
from core.metrics.samples import GroupSample
from core.numerics.statistics.counts import BoolArray, FloatArray


class RateEvidence(NamedTuple):
    """A rate of every group, its interval, and the records each group would need.

    A share of records without weights also has its counts: `hits` of the `of` records it is taken over, of which `of_needed` would do; NaN for other rates.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    n_needed: FloatArray
    hits: FloatArray | None = None
    of: FloatArray | None = None
    of_needed: FloatArray | None = None

    def insufficient(self, n: FloatArray) -> BoolArray:
        """Return which groups have fewer records than needed."""
        return np.asarray(self.n_needed > n)


def rate_evidence(view: GroupSample, rate: str, level: float) -> RateEvidence:
    """Return what a sample says about a rate of every group.

    Parameters
    ----------
    view : GroupSample
        The sample.
    rate : str
        A rate or detection metric.
    level : float
        Coverage of the intervals.

    Returns
    -------
    RateEvidence
        A group needs as many records as make its interval at most plus or minus 0.1, at its own rate and its own share of
        records that the rate is taken over; the overall share stands in where the group has none.
    """
    if METRICS[rate].uses == "scores":
        return _score_evidence(view, rate, level)
    if RATES[rate].proportion:
        return _share_evidence(view, rate, level)
    draws = view.rate(rate)
    low, high = (np.quantile(draws.draws, q, axis=0) for q in (0.5 - level / 2, 0.5 + level / 2))
    low, high = np.minimum(low, draws.estimate), np.maximum(high, draws.estimate)
    return RateEvidence(draws.estimate, low, high, _scaled(view, low, high, level))


def _share_evidence(view: GroupSample, rate: str, level: float) -> RateEvidence:
    ((top, bottom),) = terms_of(rate, pos_is_favorable=view.sample.pos_is_favorable)
    base = view.share_size(top, bottom)
    values = view.values(rate)
    low, high = wilson(values, base, level)
    needed = wilson_needed(np.where(np.isnan(values), 0.5, values), level)
    overall = base.sum() / max(view.n.sum(), 1.0)
    share = np.where(base > 0, base / np.maximum(view.n, 1.0), overall)
    records = np.ceil(needed / np.maximum(share, 1e-6))
    if view.weighted:
        return RateEvidence(values, low, high, records)
    hits = (view.counts * top).sum(axis=(1, 2))
    return RateEvidence(values, low, high, records, hits, base, np.ceil(needed))


def _score_evidence(view: GroupSample, rate: str, level: float) -> RateEvidence:
    values, error = view.score_errors(rate)
    if METRICS[rate].is_area:
        low, high = auc_interval(values, error, level)
    else:
        low, high = normal_interval(values, error, level)
    if not METRICS[rate].has_scale:
        return RateEvidence(values, low, high, np.ones(view.n_groups))
    return RateEvidence(values, low, high, _scaled(view, low, high, level))


def _scaled(view: GroupSample, low: FloatArray, high: FloatArray, level: float) -> FloatArray:
    """Return the records needed, the interval shrinking with their square root.

    Where there is none, those for the rarer label.
    """
    rarer = view.counts.sum(axis=(0, 2)).min() / max(view.counts.sum(), 1e-300)
    unknown = float(wilson_needed(np.array([0.5]), level)[0]) / max(float(rarer), 1e-6)
    half = (high - low) / 2.0
    return np.where(np.isnan(half), np.ceil(unknown), np.ceil(view.n * (half / MARGIN) ** 2))
