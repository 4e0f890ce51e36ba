"""Intervals for the rate of one group, and how many records a group needs to say anything.

References
----------
Wilson (1927), JASA 22(158). Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit, ndtri

from core.numerics.counts import FloatArray

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
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def wilson_needed(share: FloatArray, level: float, margin: float = MARGIN) -> FloatArray:
    """Return how many records a proportion must rest on for Wilson's interval to be no wider than ``2 * margin``.

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


def auc_interval(
    values: FloatArray, error: FloatArray, smaller_class: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return DeLong's interval on the logit scale; Wilson's over the smaller class where no pair is out of order.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = auc_interval(np.array([0.9]), np.array([0.03]), np.array([40.0]), level=0.95)
    >>> low.round(3), high.round(3)
    (array([0.824]), array([0.945]))
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = logit(values)
        half = normal_quantile(level) * error / (values * (1.0 - values))
        low, high = expit(centre - half), expit(centre + half)
    flat = (error == 0.0) | (values == 0.0) | (values == 1.0)
    low_flat, high_flat = wilson(values, smaller_class, level)
    return np.where(flat, low_flat, low), np.where(flat, high_flat, high)
