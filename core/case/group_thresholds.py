"""Models that decide by thresholds of each group: fairlearn's ThresholdOptimizer, around the estimator that scores.

Its decisions are drawn at random between two thresholds, so a record has the probability of a decision, and counts by it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def expected_decisions(thresholds: Any, soft: Floats, groups: npt.NDArray[Any]) -> Floats:
    """Return the probability of the decision 1 for every row; 0 for rows of groups without thresholds, as fairlearn has it.

    Parameters
    ----------
    thresholds : InterpolatedThresholder
        fairlearn's, fitted.
    soft : ndarray, shape (n_rows,)
        What the scoring estimator says of each row.
    groups : ndarray, shape (n_rows,)
        The group of each row, as it was named when the thresholds were fitted.

    Returns
    -------
    ndarray, shape (n_rows,)
    """
    expected = np.zeros(len(soft))
    for group, rule in thresholds.interpolation_dict.items():
        rows = groups == group
        mixed = rule["p0"] * rule["operation0"](soft[rows]) + rule["p1"] * rule["operation1"](soft[rows])
        ignored = rule.get("p_ignore", 0.0)
        expected[rows] = ignored * rule.get("prediction_constant", 0.0) + (1.0 - ignored) * mixed
    return np.clip(expected, 0.0, 1.0)
