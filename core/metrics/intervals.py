"""Intervals for the rate of one group, and how many records a group needs to say anything.

References
----------
Wilson (1927), JASA 22(158). Hanley & McNeil (1982), Radiology 143(1).
Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16(2).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from core.numerics.statistics.counts import FloatArray

MARGIN = 0.1


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile of a coverage."""
    return float(ndtri(0.5 + level / 2.0))


def wilson(share: FloatArray, n: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's score interval of a proportion; NaN where n is 0.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = wilson(np.array([1.0, 0.5]), np.array([10.0, 100.0]), level=0.95)
    >>> low.round(3), high.round(3)
    (array([0.722, 0.404]), array([1.   , 0.596]))
    """
    z = normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 1.0 / (1.0 + z**2 / n)
        middle = weight * (share + z**2 / (2.0 * n))
        half = weight * z * np.sqrt(share * (1.0 - share) / n + z**2 / (4.0 * n**2))
    low, high = np.where(share == 0.0, 0.0, middle - half), np.where(share == 1.0, 1.0, middle + half)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def wilson_needed(share: FloatArray, level: float, margin: float = MARGIN) -> FloatArray:
    """Return how many records a proportion needs for a narrow interval.

    Wilson's interval is no wider than ``2 * margin`` then.

    Examples
    --------
    >>> import numpy as np
    >>> wilson_needed(np.array([0.5, 0.9, 1.0]), level=0.95)
    array([93., 37., 16.])
    """
    z2 = normal_quantile(level) ** 2
    square = margin**2
    linear = z2 * (2.0 * square - share * (1.0 - share))
    constant = z2**2 * (square - 0.25)
    return np.asarray(np.ceil((-linear + np.sqrt(linear**2 - 4.0 * square * constant)) / (2.0 * square)))


def normal_interval(values: FloatArray, error: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return value plus or minus z standard errors, not below 0."""
    half = normal_quantile(level) * error
    return np.maximum(values - half, 0.0), values + half


def auc_error_floor(values: FloatArray, positives: FloatArray, negatives: FloatArray) -> FloatArray:
    """Return Hanley and McNeil's standard error of an area a little nearer to one half.

    NaN where undefined.

    DeLong's error is 0 where one record, or perfect order, leaves nothing to vary.

    Examples
    --------
    >>> import numpy as np
    >>> auc_error_floor(np.array([1.0]), np.array([3.0]), np.array([50.0])).round(2)
    array([0.13])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rarer = np.minimum(positives, negatives)
        area = (values * rarer + 0.5) / (rarer + 1.0)
        one, two = area / (2.0 - area) - area**2, 2.0 * area**2 / (1.0 + area) - area**2
        variance = area * (1.0 - area) + (positives - 1.0) * one + (negatives - 1.0) * two
        return np.asarray(np.sqrt(variance / (positives * negatives)))


def auc_interval(values: FloatArray, error: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the interval of an area from DeLong's error.

    Wilson's, for as many records as would have that error.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = auc_interval(np.array([0.9, 1.0]), np.array([0.03, 0.1]), level=0.95)
    >>> low.round(3), high.round(3)
    (array([0.826, 0.553]), array([0.945, 1.   ]))
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.clip(values, error / 2.0, 1.0 - error / 2.0)
        return wilson(values, inner * (1.0 - inner) / error**2, level)
