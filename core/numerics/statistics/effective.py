"""Weighted cell counts as the counts of as many equal records as scatter alike.

A sum of weights over n records scatters like that of ``(sum w)^2 / sum w^2`` equal ones (Kish). Cell by cell this keeps the mean and the
variance of every rate, also where weights go along with labels or decisions, so that resampling works as it does without weights.

References
----------
Kish (1965), Survey Sampling, section 11.7. Korn & Graubard (1998), Confidence intervals for proportions with small expected number of
positive counts estimated from survey data, Survey Methodology 24(2).
"""

from __future__ import annotations

import numpy as np

from core.numerics.statistics.counts import FloatArray
from core.numerics.statistics.resampling import Stratum


def effective_cells(sums: FloatArray, squares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the effective count of every cell, and the weight of one record of it.

    Parameters
    ----------
    sums, squares : float array, shape (G, 2, 2)
        Sums of weights and of their squares.

    Returns
    -------
    counts, each : float array, shape (G, 2, 2)
        Their product is ``sums``. A cell without records has the weight of one of its group.

    Examples
    --------
    >>> import numpy as np
    >>> sums, squares = np.zeros((1, 2, 2)), np.zeros((1, 2, 2))
    >>> sums[0, 1, 1], squares[0, 1, 1] = 4.0, 10.0
    >>> counts, each = effective_cells(sums, squares)
    >>> counts[0, 1, 1], each[0, 1, 1], each[0, 0, 0]
    (np.float64(1.6), np.float64(2.5), np.float64(2.5))
    """
    above, below = (table.sum(axis=(1, 2), keepdims=True) for table in (squares, sums))
    usual = _divided(above, below, np.ones_like(above))
    each = _divided(squares, sums, np.broadcast_to(usual, sums.shape))
    return _divided(sums, each, np.zeros_like(sums)), each


def effective_size(sums: FloatArray, squares: FloatArray, of: FloatArray) -> FloatArray:
    """Return Kish's effective number of the records of some cells, by group.

    Parameters
    ----------
    sums, squares : float array, shape (G, 2, 2)
    of : float array, shape (2, 2)
        What a record of each cell counts.

    Examples
    --------
    >>> import numpy as np
    >>> effective_size(np.full((1, 2, 2), 3.0), np.full((1, 2, 2), 5.0), np.ones((2, 2)))
    array([7.2])
    """
    total = (sums * of).sum(axis=(1, 2))
    return _divided(total**2, (squares * of**2).sum(axis=(1, 2)), np.zeros_like(total))


def share_size(sums: FloatArray, squares: FloatArray, top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return how many equal records a weighted share is worth, by group.

    The fewer of Kish's number and of the number whose share has the same linearised variance: weights that go along with what is counted
    can make it less, and a share of 0 or 1 has no variance to go by.

    Parameters
    ----------
    sums, squares : float array, shape (G, 2, 2)
    top, bottom : float array, shape (2, 2)
        What a record of each cell counts above and below the line.
    """
    below = (sums * bottom).sum(axis=(1, 2))
    share = _divided((sums * top).sum(axis=(1, 2)), below, np.zeros_like(below))
    lean = top - share[:, np.newaxis, np.newaxis] * bottom
    variance = _divided((squares * lean**2).sum(axis=(1, 2)), below**2, np.zeros_like(below))
    kish = effective_size(sums, squares, bottom)
    return np.minimum(kish, _divided(share * (1.0 - share), variance, kish))


def exchangeable_cells(sums: FloatArray, squares: FloatArray, stratum: Stratum) -> FloatArray:
    """Return tables of the weighted shares, of as many records as they are worth.

    Records are exchangeable between groups within a stratum: all, those of a label, or those of a decision.

    Examples
    --------
    >>> import numpy as np
    >>> tables = exchangeable_cells(np.full((1, 2, 2), 3.0), np.full((1, 2, 2), 5.0), "label")
    >>> tables.sum(axis=2).round(3), tables[0, 0, 0].round(3)
    (array([[3.6, 3.6]]), np.float64(1.8))
    """
    axes = {"all": (1, 2), "label": (2,), "decision": (1,)}[stratum]
    total, square = (table.sum(axis=axes, keepdims=True) for table in (sums, squares))
    return sums * _divided(total, square, np.zeros_like(total))


def _divided(top: FloatArray, bottom: FloatArray, otherwise: FloatArray) -> FloatArray:
    """Divide where that can be done."""
    result = np.array(np.broadcast_to(otherwise, np.broadcast_shapes(top.shape, bottom.shape)), dtype=np.float64)
    np.divide(top, bottom, out=result, where=bottom > 0)
    return result
