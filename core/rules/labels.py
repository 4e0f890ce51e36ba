"""How odd the labels of a rule's records are to the model that was trained on them.

Neighbouring rules that hold the same few mislabelled records move a linear model alike, whatever else they describe. The labels of all
their records tell them apart: by how much would the model's likelihood rise, could it move the odds of just these records by one
factor? Records labelled as they should be speak against a rule that takes them in, and those it leaves out for a wider one. What
the rule takes to name, in the same unit, is taken off.

References
----------
Zhang, Z. and Neill, D. B. (2016). Identifying significant predictive bias in classifiers. arXiv:1611.08292.
Rissanen, J. (1978). Modeling by shortest data description. Automatica 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.attribution.base import Fitted
from core.numerics.statistics.odds import best_likelihood_gain, likelihood_gain
from core.typing import Floats, Positions

FACTORS = np.log(np.array([1.0 / 50.0, 0.1, 0.25, 0.5, 2.0, 4.0, 10.0, 50.0]))
"""Shifts of the log-odds that a first look takes."""


@dataclass(frozen=True, eq=False)
class Labels:
    """The retained records' labels, what the model says of them, and what a description costs.

    Parameters
    ----------
    fitted : Fitted
    n_conditions : int
        Conditions there are to choose from; to name one takes the logarithm.
    """

    fitted: Fitted
    n_conditions: int

    def oddity(self, rows: Positions, length: int) -> float:
        """Return how odd the labels of some records are, in nats.

        Less a description of `length` conditions; 0 where they are not odd at all.
        """
        one = self.fitted
        gain = best_likelihood_gain(one.predictor[rows], one.y[rows], one.weight[rows])
        return max(0.0, gain - float(self.cost(length)))

    def cost(self, length: npt.ArrayLike) -> Floats:
        """Return what descriptions of so many conditions take, in nats."""
        return np.asarray(np.asarray(length, dtype=np.float64) * np.log(max(self.n_conditions, 1)))

    @cached_property
    def terms(self) -> Floats:
        """By how much each label becomes likelier at each of eight factors, shape (n_rows, 8)."""
        one = self.fitted
        return likelihood_gain(one.predictor[:, None], one.y[:, None], one.weight[:, None], FACTORS)
