"""Derivatives of score metrics by every record's score.

The Brier score and log loss are differentiable as they are, and the calibration error while records stay in their bin. The ROC
AUC and average precision are steps: a score matters only when it passes another. Their steps are smoothed by a Gaussian kernel,
which turns counts of neighbours into densities: raising a positive's score gains as many pairs as there are negatives around it.

References
----------
Silverman (1986), Density Estimation, section 3.4. Yan et al. (2003), Optimizing classifier performance via an approximation to
the Wilcoxon-Mann-Whitney statistic, ICML.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.metrics.catalog import metric_of
from core.metrics.gaps import rate_weights
from core.metrics.scores import SMALLEST, group_scores, members, positive_side, score_bins
from core.numerics.statistics.counts import BoolArray, FloatArray, IntArray

GRID = 2048


def _density(sample: FloatArray, at: FloatArray, bandwidth: float) -> FloatArray:
    """Gaussian kernel density of a sample at other points, on a grid, O(n)."""
    low, high = at.min() - 5.0 * bandwidth, at.max() + 5.0 * bandwidth
    grid = np.linspace(low, high, GRID)
    step = grid[1] - grid[0]
    place = np.clip((sample - low) / step, 0.0, GRID - 1.000001)
    left = place.astype(np.intp)
    mass = np.bincount(left, weights=left + 1 - place, minlength=GRID + 1)[: GRID + 1]
    mass += np.bincount(left + 1, weights=place - left, minlength=GRID + 1)[: GRID + 1]
    reach = np.arange(-GRID + 1, GRID) * step / bandwidth
    kernel = np.exp(-0.5 * reach**2) / (bandwidth * np.sqrt(2.0 * np.pi))
    from scipy.signal import fftconvolve  # takes long to import

    values = fftconvolve(mass[:GRID], kernel)[GRID - 1 : 2 * GRID - 1]
    return np.asarray(np.interp(at, grid, values / max(len(sample), 1)))


def smoothing_bandwidth(score: FloatArray) -> float:
    """Return the bandwidth that steps in these scores are smoothed with (Silverman's rule)."""
    quartiles = np.quantile(score, [0.25, 0.75])
    spread = min(float(score.std()), float(quartiles[1] - quartiles[0]) / 1.34) or float(score.std()) or 1.0
    return float(0.9 * spread * len(score) ** -0.2)


def _roc_auc(y: BoolArray, score: FloatArray) -> FloatArray:
    width = smoothing_bandwidth(score)
    positives, negatives = np.count_nonzero(y), np.count_nonzero(~y)
    return np.where(y, _density(score[~y], score, width) / positives, -_density(score[y], score, width) / negatives)


def _average_precision(y: BoolArray, score: FloatArray) -> FloatArray:
    width = smoothing_bandwidth(score)
    positives, negatives = np.count_nonzero(y), np.count_nonzero(~y)
    order = np.sort(score[y])
    found = positives - np.searchsorted(order, score, side="left")
    flagged = len(score) - np.searchsorted(np.sort(score), score, side="left")
    share = found / np.maximum(flagged, 1) ** 2
    gained = share * _density(score[~y], score, width) * negatives / positives
    return np.asarray(np.where(y, gained, -share * _density(score[y], score, width)))


def _brier_score(y: BoolArray, score: FloatArray) -> FloatArray:
    return np.asarray(2.0 * (score - y) / len(y))


def _log_loss(y: BoolArray, score: FloatArray) -> FloatArray:
    given = np.clip(score, SMALLEST, 1.0 - SMALLEST)
    return np.asarray((given - y) / (given * (1.0 - given)) / len(y))


def _calibration_error(y: BoolArray, score: FloatArray) -> FloatArray:
    bins = score_bins(score)
    return np.asarray(np.sign(np.bincount(bins, weights=score - y))[bins] / len(y))


GRADIENTS: dict[str, Callable[[BoolArray, FloatArray], FloatArray]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "brier_score": _brier_score,
    "log_loss": _log_loss,
    "calibration_error": _calibration_error,
}


def score_metric_gradient(
    name: str,
    y_favorable: BoolArray,
    score: FloatArray,
    codes: IntArray,
    n_groups: int,
    *,
    pos_is_favorable: bool = True,
) -> FloatArray:
    """Return the derivative of a score metric by the favourable label's score of every record.

    Parameters
    ----------
    name, y_favorable, score, codes, n_groups, pos_is_favorable
        As for `score_metric`.

    Returns
    -------
    float array, shape (n,)
        For the ROC AUC and average precision, of the smoothed metric. NaN throughout where the metric is undefined.

    Examples
    --------
    >>> import numpy as np
    >>> y, s = np.array([True, False, True, False]), np.array([0.9, 0.2, 0.4, 0.6])
    >>> score_metric_gradient("brier_score", y, s, np.array([0, 0, 1, 1]), 2)
    array([-0.05,  0.1 , -0.3 ,  0.3 ])
    """
    metric = metric_of(name)
    if not metric.compares_groups:
        y, own = positive_side(name, y_favorable, score, pos_is_favorable=pos_is_favorable)
        if np.isnan(group_scores(name, y, own, np.zeros(len(y), dtype=np.intp), 1)[0][0]):
            return np.full(len(y), np.nan)
        turned = y is not y_favorable
        return -GRADIENTS[name](y, own) if turned else GRADIENTS[name](y, own)
    rates = [group_scores(rate, y_favorable, score, codes, n_groups)[0] for rate in metric.rates]
    which, weights = rate_weights(metric, rates)
    if np.isnan(weights).any():
        return np.full(len(y_favorable), np.nan)
    gradient = np.zeros(len(y_favorable))
    for group, rows in enumerate(members(codes, n_groups)):
        if weights[group] != 0.0:
            gradient[rows] = weights[group] * GRADIENTS[metric.rates[which]](y_favorable[rows], score[rows])
    return gradient
