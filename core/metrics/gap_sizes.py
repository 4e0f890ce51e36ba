"""How the size of a difference changes, where its sign may change with it.

With ``a`` a difference after and ``b`` before, ``D = a - b`` and ``S = a + b``:

    |a| - |b| = max(min(D, S), min(-D, -S)),

so that intervals of D and S, each at the level asked for, make one of the change of size, which excludes 0 where both do (an
intersection-union test). S matters: errors common to before and after cancel in D, but a gap of 0.10 that seems to have gone may have
been one of 0.05 that is now as large the other way.

References
----------
Berger (1982), Multiparameter hypothesis testing and acceptance sampling, Technometrics 24(4).
"""

from __future__ import annotations

Interval = tuple[float, float]


def size_change(difference: float, total: float) -> float:
    """Return ``|a| - |b|`` from ``a - b`` and ``a + b``.

    Examples
    --------
    From 0.007 one way to 0.097 the other way:

    >>> round(size_change(-0.097 - 0.007, -0.097 + 0.007), 3)
    0.09
    """
    return max(min(difference, total), min(-difference, -total))


def size_change_interval(difference: Interval, total: Interval) -> Interval:
    """Return the interval of ``|a| - |b|`` from those of ``a - b`` and ``a + b``.

    Notes
    -----
    With normal errors of any correlation it holds the truth at least as often as the two intervals do.

    Examples
    --------
    >>> size_change_interval((-0.12, -0.08), (-0.10, -0.08))
    (0.08, 0.1)
    """
    (low, high), (total_low, total_high) = difference, total
    return (
        max(min(low, total_low), min(-high, -total_high)),
        max(min(high, total_high), min(-low, -total_low)),
    )
