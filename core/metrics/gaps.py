"""Comparisons of groups: differences, ratios and extremes of their rates."""

from __future__ import annotations

import numpy as np

from core.metrics.catalog import Metric, metric_of
from core.metrics.rates import group_rate, group_rate_gradient
from core.numerics.statistics.counts import FloatArray


def evaluate(name: str, counts: FloatArray, *, pos_is_favorable: bool = True) -> FloatArray:
    """Return a metric on decisions for every table of counts, O(cells).

    Parameters
    ----------
    name : str
        A metric of the catalog that uses cells. A rate is taken over all groups together.
    counts : float array, shape (..., G, 2, 2)
        Cell counts ``[group, label, decision]``, index 1 favourable.
    pos_is_favorable : bool
        Whether pos_label is favorable_label; matters to detection metrics only.

    Returns
    -------
    float array, shape (...)
        NaN where undefined: a rate of no records, a gap with fewer than two groups that have the rate.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[[6.0, 2.0], [1.0, 3.0]], [[5.0, 5.0], [6.0, 4.0]]])
    >>> evaluate("equal_opportunity_difference", counts).round(2), evaluate("accuracy", counts).round(4)
    (np.float64(0.35), np.float64(0.5625))
    """
    metric = metric_of(name)
    if not metric.compares_groups:
        return group_rate(name, counts.sum(axis=-3, keepdims=True), pos_is_favorable=pos_is_favorable)[..., 0]
    rates = [group_rate(rate, counts) for rate in metric.rates]
    return combine(metric, rates)


def combine(metric: Metric, rates: list[FloatArray], reference: int | None = None) -> FloatArray:
    """Return what a gap, ratio or extreme makes of group rates ``(..., G)``.

    There is one array per rate of the metric. With a `reference` group the others are compared with it alone: the largest difference
    either way, the ratio furthest from 1, written below 1.
    """
    parts = [
        _compare(metric.kind, rate) if reference is None else _compare_with(metric.kind, rate, reference)
        for rate in rates
    ]
    if len(parts) == 1:
        return parts[0]
    reduce = np.fmin.reduce if metric.kind == "ratio" else np.fmax.reduce
    return np.asarray(reduce(parts))


def _compare(kind: str, rates: FloatArray) -> FloatArray:
    by_group = np.ascontiguousarray(np.moveaxis(rates, -1, 0))
    low, high = np.fmin.reduce(by_group), np.fmax.reduce(by_group)
    if kind == "group_min":
        return np.asarray(low)
    if kind == "group_max":
        return np.asarray(high)
    compared = np.count_nonzero(~np.isnan(by_group), axis=0) >= 2
    if kind == "difference":
        return np.asarray(np.where(compared, high - low, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(compared, low / high, np.nan))


def _compare_with(kind: str, rates: FloatArray, reference: int) -> FloatArray:
    others = np.delete(rates, reference, axis=-1)
    own = np.broadcast_to(rates[..., [reference]], others.shape)
    if kind == "difference":
        return np.asarray(np.fmax.reduce(np.abs(others - own), axis=-1))
    if kind != "ratio":
        return np.full(rates.shape[:-1], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.fmin.reduce(np.minimum(others, own) / np.maximum(others, own), axis=-1))


def deciding_rate(metric: Metric, rates: list[FloatArray]) -> int:
    """Return which of a metric's rates sets its value, for rates of shape (G,)."""
    parts = np.array([_compare(metric.kind, rate) for rate in rates])
    if np.isnan(parts).all():
        return 0
    return int(np.nanargmin(parts) if metric.kind == "ratio" else np.nanargmax(parts))


def rate_weights(metric: Metric, rates: list[FloatArray]) -> tuple[int, FloatArray]:
    """Return which rate decides, and the metric's derivative by it in every group.

    0 where the rate is undefined.
    """
    which = deciding_rate(metric, rates)
    values = rates[which]
    weights = np.zeros(len(values))
    if np.isnan(combine(metric, rates)):
        return which, np.full(len(values), np.nan)
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    if metric.kind == "ratio":
        weights[low] += 1.0 / values[high]
        weights[high] -= values[low] / values[high] ** 2
    else:
        weights[high] += metric.kind in ("difference", "group_max")
        weights[low] += {"difference": -1.0, "group_min": 1.0}.get(metric.kind, 0.0)
    return which, weights


def count_gradient(name: str, counts: FloatArray, *, pos_is_favorable: bool = True) -> FloatArray:
    """Return the derivative of a metric by every cell count.

    That is what one more record of that kind would do, to first order.

    Parameters
    ----------
    name : str
        A metric of the catalog that uses cells.
    counts : float array, shape (G, 2, 2)
        Cell counts; expected (fractional) ones are fine.
    pos_is_favorable : bool
        Whether pos_label is favorable_label.

    Returns
    -------
    float array, shape (G, 2, 2)
        The difference along the last axis is the effect of turning a decision favourable. NaN where the metric is.

    Notes
    -----
    A max-min gap is differentiated at the groups that are largest and smallest now, the first ones on a tie.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[[6.0, 2.0], [1.0, 3.0]], [[5.0, 5.0], [6.0, 4.0]]])
    >>> gradient = count_gradient("equal_opportunity_difference", counts)
    >>> (gradient[:, 1, 1] - gradient[:, 1, 0]).round(3)
    array([ 0.25, -0.1 ])
    """
    metric = metric_of(name)
    if not metric.compares_groups:
        pooled = counts.sum(axis=0, keepdims=True)
        gradient = np.ones((1, 2, 2)) if name == "count" else _rate_gradient(name, pooled, pos_is_favorable)
        return np.broadcast_to(gradient, counts.shape).copy()
    which, weights = rate_weights(metric, [group_rate(rate, counts) for rate in metric.rates])
    gradient = _rate_gradient(metric.rates[which], counts, pos_is_favorable)
    return np.where(weights[:, np.newaxis, np.newaxis] == 0.0, 0.0, weights[:, np.newaxis, np.newaxis] * gradient)


def _rate_gradient(name: str, counts: FloatArray, pos_is_favorable: bool) -> FloatArray:
    return group_rate_gradient(name, counts, pos_is_favorable=pos_is_favorable)
