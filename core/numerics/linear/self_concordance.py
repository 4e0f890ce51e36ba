"""Bounds for logistic losses, whose third derivative never exceeds the second (Bach 2010).

Sun & Tran-Dinh (2019) generalise them.

Notation: H is the Hessian at the current point, nu the Newton decrement ``sqrt(g . H^-1 g)``, M the largest
``||z_i||`` in the norm of H^-1, and s a bound on how far any row's linear predictor moves.

References
----------
Bach, F. (2010). Self-concordant analysis for logistic regression. Electronic Journal of Statistics 4.
Sun, T. and Tran-Dinh, Q. (2019). Generalized self-concordant functions. Mathematical Programming 178.
"""

from __future__ import annotations

import math


def taylor_excess(s: float) -> float:
    """Return ``(exp(s) - 1 - s) / s``, the relative error of the gradient after a Newton step.

    The step moves predictors by at most s.

    Examples
    --------
    >>> taylor_excess(0.0)
    0.0
    >>> round(taylor_excess(0.1), 6)
    0.051709
    """
    if s < 1e-5:
        return 0.5 * s + s * s / 6.0 * (1.0 + s)
    return (math.expm1(s) - s) / s if s < 700.0 else math.inf


def distance_to_optimum(nu: float, M: float) -> float:
    """Bound the H-norm distance to the optimum by ``nu * (-ln(1 - q)) / q`` with q = M * nu.

    Infinite where q >= 1.

    Examples
    --------
    >>> distance_to_optimum(0.0, 3.0)
    0.0
    >>> round(distance_to_optimum(0.1, 1.0), 6)
    0.105361
    >>> distance_to_optimum(2.0, 1.0)
    inf
    """
    q = M * nu
    if q >= 1.0:
        return math.inf
    if q < 1e-8:
        return nu * (1.0 + q)
    return nu * -math.log1p(-q) / q
