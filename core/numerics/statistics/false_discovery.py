"""How many of many small p-values may be taken for discoveries."""

from __future__ import annotations

import numpy as np

from core.typing import Floats


def discovery_rates(p_values: Floats, tried: Floats) -> Floats:
    """Return the false discovery rate at which each hypothesis is rejected, among all tried.

    These are the smallest such rates, by Benjamini and Hochberg's procedure.

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
