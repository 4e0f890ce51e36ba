"""How much likelier labels become when the odds a model gives them rise by one factor.

References
----------
Zhang, Z. and Neill, D. B. (2016). Identifying significant predictive bias in classifiers. arXiv:1611.08292.
"""

from __future__ import annotations

import numpy as np

from core.numerics.linear.logistic import sigmoid
from core.typing import Floats

FARTHEST = 8.0
"""Logarithm of the largest factor."""
STEPS = 25
CLOSE = 1e-6


def likelihood_gain(predictor: Floats, y: Floats, weight: Floats, shift: Floats | float) -> Floats:
    """Return the rise of every label's weighted log-likelihood when its log-odds move.

    Parameters
    ----------
    predictor : ndarray, shape (n,)
        Log-odds that the label is 1.
    y : ndarray, shape (n,)
        Labels, 0.0 or 1.0.
    weight : ndarray, shape (n,)
    shift : float or ndarray
        Broadcast against the others.

    Examples
    --------
    >>> likelihood_gain(np.zeros(2), np.array([1.0, 0.0]), np.ones(2), np.log(3.0)).round(3).tolist()
    [0.405, -0.693]
    """
    return np.asarray(weight * (y * shift - np.logaddexp(0.0, predictor + shift) + np.logaddexp(0.0, predictor)))


def best_likelihood_gain(predictor: Floats, y: Floats, weight: Floats) -> float:
    """Return the largest summed gain that one shift of all log-odds gives.

    Newton steps kept within brackets, O(n) each.

    Examples
    --------
    >>> round(best_likelihood_gain(np.zeros(100), (np.arange(100) < 80).astype(float), np.ones(100)), 3)
    19.274
    """
    low, high, shift = -FARTHEST, FARTHEST, 0.0
    for _ in range(STEPS):
        p = sigmoid(predictor + shift)
        slope, bend = float(weight @ (y - p)), float(weight @ (p * (1.0 - p)))
        low, high = (shift, high) if slope > 0.0 else (low, shift)
        step = slope / bend if bend > 0.0 else np.inf * np.sign(slope)
        last, shift = shift, shift + step
        if not low < shift < high:
            shift = (low + high) / 2.0
        if abs(shift - last) < CLOSE:
            break
    return float(likelihood_gain(predictor, y, weight, shift).sum())
