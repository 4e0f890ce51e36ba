"""Tail probabilities of sums, and how many of many small ones may be taken for discoveries."""

from __future__ import annotations

import numpy as np

from core.typing import Floats


def bernstein_bound(total: Floats, variance: Floats, largest: float) -> Floats:
    """Return Bernstein's bound on the chance that a sum drawn without drift comes out at `total` or above.

    Parameters
    ----------
    total : ndarray
        The sums found, less their expectation.
    variance : ndarray
        Sums of the terms' variances.
    largest : float
        No term exceeds this; 0 gives the Gaussian (Chernoff) bound ``exp(-z^2 / 2)``.

    Notes
    -----
    Holds for sampling without replacement too (Hoeffding 1963, section 6).

    Examples
    --------
    >>> bernstein_bound(np.array([-1.0, 0.0, 3.0]), np.array([1.0, 0.0, 1.0]), 0.0).round(4).tolist()
    [1.0, 1.0, 0.0111]
    """
    above = np.maximum(total, 0.0)
    scale = 2.0 * (variance + largest * above / 3.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(above > 0.0, above**2 / scale, 0.0)
    return np.exp(-np.where(np.isfinite(exponent), exponent, 0.0))


def discovery_rates(p_values: Floats, tried: Floats) -> Floats:
    """Return the smallest false discovery rate at which hypotheses are rejected, among all that were tried (Benjamini & Hochberg).

    Parameters
    ----------
    p_values : ndarray, shape (n,)
        Of the hypotheses asked about, which are among those tried.
    tried : ndarray, shape (n_tried,)
        Of every hypothesis tried; NaN where nothing was tested.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57.

    Examples
    --------
    >>> discovery_rates(np.array([0.01, 0.5]), np.array([0.01, 0.5, 0.02, 0.9])).round(3).tolist()
    [0.04, 0.667]
    """
    if not len(p_values) or np.isnan(p_values).any():
        return np.full(len(p_values), np.nan)
    rising = np.sort(tried)
    scaled = np.minimum(rising * len(tried) / np.arange(1, len(tried) + 1), 1.0)
    smallest = np.minimum.accumulate(scaled[::-1])[::-1]
    rank = np.searchsorted(rising, p_values * (1.0 + 1e-9), side="right") - 1
    return np.asarray(smallest[np.maximum(rank, 0)])
