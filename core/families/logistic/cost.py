"""Costs of a removal and of training again, from sizes.

Where a table is wide, training again on sparse rows is quicker.
"""

from __future__ import annotations

import math

import numpy as np

from core.case.case import Case
from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.unlearning.linear.objective import coefficients

CUBE = 0.8e-9
"""Seconds of an idle processor for each product of three widths: a removal factors and inverts its Hessian, and bounds what that can be."""
CELL = 1e-6
"""Seconds to encode one cell of a table,"""
PRODUCT = 6e-9
"""and for one nonzero feature of one row in one iteration of a first-order solver."""
SECOND_ORDER = frozenset({"newton-cholesky"})
FLOOR = 0.05
TIMES = 2.0
"""Training again is chosen where it is this many times quicker, as a certificate comes with every step."""


def removal_seconds(case: Case) -> float:
    """Estimate the seconds of one removal once the case is prepared."""
    return CUBE * float(len(coefficients(scorer(case.model)))) ** 3


def training_seconds(case: Case) -> float:
    """Estimate the seconds that training the whole pipeline again takes.

    Its features are sparse where one-hot encoding made most of them.
    """
    estimator = final_estimator(scorer(case.model))
    columns, width = len(case.features), estimator.coef_.shape[1]
    nonzero = columns if columns < 0.3 * width else width
    iterations = float(np.max(estimator.n_iter_))
    per_row = PRODUCT * nonzero * len(estimator.classes_) if estimator.solver not in SECOND_ORDER else 1e-9 * width**2
    return FLOOR + case.n_retained * (CELL * columns + iterations * per_row)


def why_training_is_quicker(case: Case) -> str | None:
    """Return the sentence that says so, or None."""
    removal, training = removal_seconds(case), training_seconds(case)
    if not math.isfinite(training) or removal <= TIMES * training:
        return None
    width = final_estimator(scorer(case.model)).coef_.shape[1]
    return f"training again on {width:,} features takes only about {training:.1g} s of an idle processor, a certified step about {removal:.1g} s"
