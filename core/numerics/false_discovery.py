"""Tail probabilities of sums, and how many of many small ones may be taken for discoveries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normal_bound(total: Floats, variance: Floats) -> Floats:
    """Return ``exp(-z^2 / 2)``, a bound on the chance that a sum without drift comes out at `total` or above; 1 where it is not positive.

    For sums of symmetric terms divided by the root of the sum of their squares it holds without any further assumption
    (de la Pena 1999); for others it is the Gaussian (Chernoff) bound.

    Examples
    --------
    >>> normal_bound(np.array([-1.0, 0.0, 3.0]), np.array([1.0, 0.0, 1.0])).round(4).tolist()
    [1.0, 1.0, 0.0111]
    """
    return bernstein_bound(total, variance, 0.0)


def bernstein_bound(total: Floats, variance: Floats, largest: float) -> Floats:
    """Return Bernstein's bound on the chance that a sum drawn without drift comes out at `total` or above.

    Parameters
    ----------
    total : ndarray
        The sums found, less their expectation.
    variance : ndarray
        Sums of the terms' variances.
    largest : float
        No term exceeds this.

    Notes
    -----
    Holds for sampling without replacement too (Hoeffding 1963, section 6).
    """
    above = np.maximum(total, 0.0)
    scale = 2.0 * (variance + largest * above / 3.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(above > 0.0, above**2 / scale, 0.0)
    return np.exp(-np.where(np.isfinite(exponent), exponent, 0.0))


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return the smallest false discovery rate at which each of many hypotheses is rejected.

    Parameters
    ----------
    p_values : ndarray, shape (n,)
        One for every hypothesis tried.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.5, 0.02, 0.9])).round(3).tolist()
    [0.04, 0.667, 0.04, 0.9]
    """
    n = len(p_values)
    falling = np.argsort(p_values, kind="stable")[::-1]
    scaled = p_values[falling] * n / np.arange(n, 0, -1)
    found = np.empty(n)
    found[falling] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return found
