"""Metrics on scores, their errors, and what each record's score and weight do to them.

Every value comes with its derivative by the logarithm of each record's weight (the infinitesimal jackknife; with weights of one, that by
the weight itself): the squares add up to the variance, the products of two models' derivatives to their covariance. For the ROC AUC that is DeLong's method.

References
----------
DeLong, DeLong & Clarke-Pearson (1988), Comparing the areas under two or more correlated ROC curves, Biometrics 44(3).
Jaeckel (1972), The infinitesimal jackknife. Brier (1950), Monthly Weather Review 78(1).
Naeini, Cooper & Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning, AAAI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.metrics.catalog import METRICS, metric_of
from core.metrics.gaps import combine
from core.numerics.statistics.counts import BoolArray, FloatArray, IntArray

N_BINS = 10
SMALLEST = float(np.finfo(np.float64).eps)

Weighted = tuple[float, FloatArray]


def roc_auc(y: BoolArray, score: FloatArray, weight: FloatArray | None = None) -> Weighted:
    """Return the ROC AUC and its derivative by weights; NaN with one class. O(n log n)."""
    w = _weights(y, weight)
    up_w, down_w = w * y, w * ~y
    positives, negatives = float(up_w.sum()), float(down_w.sum())
    if positives == 0 or negatives == 0:
        return float("nan"), np.full(len(y), np.nan)
    _, place = np.unique(score, return_inverse=True)
    up = np.bincount(place, weights=up_w)
    down = np.bincount(place, weights=down_w)
    below = (np.cumsum(down) - down / 2.0)[place] / negatives
    above = 1.0 - (np.cumsum(up) - up / 2.0)[place] / positives
    value = float(up_w @ below) / positives
    return value, w * np.where(y, (below - value) / positives, (above - value) / negatives)


def average_precision(y: BoolArray, score: FloatArray, weight: FloatArray | None = None) -> Weighted:
    """Return the average precision of y and its derivative by weights; NaN without positives.

    O(n log n).
    """
    w = _weights(y, weight)
    positives = float((w * y).sum())
    if positives == 0:
        return float("nan"), np.full(len(y), np.nan)
    _, place = np.unique(-score, return_inverse=True)
    hits = np.bincount(place, weights=w * y)
    found = np.cumsum(hits)
    flagged = np.cumsum(np.bincount(place, weights=w))
    precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
    value = float(hits @ precision) / positives
    square = np.where(flagged > 0, flagged, 1.0) ** 2
    by_hit = np.cumsum((hits * (flagged - found) / square)[::-1])[::-1]
    by_miss = np.cumsum((hits * found / square)[::-1])[::-1]
    return value, w * np.where(y, precision[place] - value + by_hit[place], -by_miss[place]) / positives


def brier_score(y: BoolArray, score: FloatArray, weight: FloatArray | None = None) -> Weighted:
    """Return the mean squared error of the probabilities and its derivative by weights."""
    return _mean((score - y) ** 2, _weights(y, weight))


def log_loss(y: BoolArray, score: FloatArray, weight: FloatArray | None = None) -> Weighted:
    """Return the mean log loss of probabilities kept off 0 and 1.

    By one rounding step, as scikit-learn does.
    """
    given = np.clip(score, SMALLEST, 1.0 - SMALLEST)
    return _mean(-np.log(np.where(y, given, 1.0 - given)), _weights(y, weight))


def calibration_error(y: BoolArray, score: FloatArray, weight: FloatArray | None = None) -> Weighted:
    """Return the expected calibration error over ten equal bins of the score.

    Biased upwards in small groups.
    """
    w = _weights(y, weight)
    total, bins = float(w.sum()), score_bins(score)
    excess = np.bincount(bins, weights=w * (score - y), minlength=N_BINS)
    if total == 0:
        return float("nan"), np.full(len(y), np.nan)
    value = float(np.abs(excess).sum()) / total
    return value, w * (np.sign(excess)[bins] * (score - y) - value) / total


def score_bins(score: FloatArray, n_bins: int = N_BINS) -> NDArray[np.intp]:
    """Return the equal-width bin of every probability."""
    return np.clip((score * n_bins).astype(np.intp), 0, n_bins - 1)


def _weights(y: BoolArray, weight: FloatArray | None) -> FloatArray:
    return np.ones(len(y)) if weight is None else weight


def _mean(losses: FloatArray, weight: FloatArray) -> Weighted:
    total = float(weight.sum())
    if total == 0:
        return float("nan"), np.full(len(losses), np.nan)
    value = float(weight @ losses) / total
    return value, weight * (losses - value) / total


SCORE_FUNCTIONS: dict[str, Callable[..., Weighted]] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "brier_score": brier_score,
    "log_loss": log_loss,
    "calibration_error": calibration_error,
}


def positive_side(
    name: str, y_favorable: BoolArray, score: FloatArray, *, pos_is_favorable: bool, probability: bool = True
) -> tuple[BoolArray, FloatArray]:
    """Turn labels and scores of the favourable label to the class a metric is about."""
    if METRICS[name].kind != "detection" or pos_is_favorable:
        return y_favorable, score
    return ~y_favorable, 1.0 - score if probability else -score


def members(codes: IntArray, n_groups: int) -> Iterator[NDArray[np.intp]]:
    """Yield the positions of every group's records, in order."""
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=n_groups))
    for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        yield order[start:end]


def group_scores(
    name: str, y: BoolArray, score: FloatArray, codes: IntArray, n_groups: int, weight: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return a score rate of every group, and its derivative by every record's weight.

    The derivative is that of the record's own group.

    Parameters
    ----------
    name : str
        A key of `SCORE_FUNCTIONS`.
    y, score : array, shape (n,)
        Label and score of the metric's own positive class.
    codes : int array, shape (n,)
        Group of each record.
    n_groups : int
        Number of groups.
    weight : float array, shape (n,), optional
        Of each record; None is one each.

    Returns
    -------
    values : float array, shape (n_groups,)
    derivatives : float array, shape (n,)
    """
    values = np.full(n_groups, np.nan)
    derivatives = np.full(len(y), np.nan)
    for group, rows in enumerate(members(codes, n_groups)):
        values[group], derivatives[rows] = SCORE_FUNCTIONS[name](
            y[rows], score[rows], None if weight is None else weight[rows]
        )
    return values, derivatives


def score_metric(
    name: str,
    y_favorable: BoolArray,
    score: FloatArray,
    codes: IntArray,
    n_groups: int,
    *,
    pos_is_favorable: bool = True,
) -> float:
    """Return a metric on scores, O(n log n).

    Parameters
    ----------
    name : str
        A metric of the catalog that uses scores; a rate is taken over all records together.
    y_favorable : bool array, shape (n,)
        Whether the label is favourable.
    score : float array, shape (n,)
        Score of the favourable label: a probability (Brier score, log loss, calibration), or any increasing score.
    codes : int array, shape (n,)
        Group of each record.
    n_groups : int
        Number of groups.
    pos_is_favorable : bool
        Whether pos_label is favorable_label; matters to average precision only.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> y, s = np.array([True, False, True, False]), np.array([0.9, 0.2, 0.4, 0.6])
    >>> score_metric("roc_auc", y, s, np.array([0, 0, 1, 1]), 2)
    0.75
    >>> score_metric("roc_auc_difference", y, s, np.array([0, 0, 1, 1]), 2)
    1.0
    """
    metric = metric_of(name)
    if not metric.compares_groups:
        own = positive_side(name, y_favorable, score, pos_is_favorable=pos_is_favorable)
        return SCORE_FUNCTIONS[name](*own)[0]
    return float(combine(metric, [group_scores(rate, y_favorable, score, codes, n_groups)[0] for rate in metric.rates]))
