"""Decisions in the metric's place.

A mean over some test rows, as a smooth function of the scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

import numpy as np

from core.attribution.smooth import SmoothMetric
from core.case.case import Case
from core.numerics.linear.logistic import sigmoid
from core.typing import Bools, Floats, Positions

QUANTITIES: Mapping[str, str] = MappingProxyType({"confidence": "lower", "favorable_score": "higher", "loss": "lower"})
"""What can be asked of decisions, and which way a removal should move it to take the decisions' cause away."""


@dataclass(frozen=True, eq=False)
class SmoothRows(SmoothMetric):
    """The mean probability of an outcome over some rows, or its mean logistic loss.

    Parameters
    ----------
    share : ndarray, shape (n,)
        Weight of every row of the split; 0 for those not asked about.
    towards : ndarray of bool, shape (n,)
        Whether the outcome is `pos_label`.
    as_loss : bool
        Whether the loss is taken.
    """

    share: Floats = field(kw_only=True)
    towards: Bools = field(kw_only=True)
    as_loss: bool = field(kw_only=True)

    def value(self, eta: Floats) -> float:
        """Return the mean at predictors or probabilities `eta`, shape (n,)."""
        p = self._probability(eta)[0]
        return float(self.share @ (-np.log(p) if self.as_loss else p))

    def gradient(self, eta: Floats) -> Floats:
        """Return the derivative of the mean by every predictor or probability, shape (n,)."""
        p, slope = self._probability(eta)
        return np.asarray(self.share * (-slope / p if self.as_loss else slope))

    def _probability(self, eta: Floats) -> tuple[Floats, Floats]:
        """Return each row's probability of its outcome, and how it follows `eta`."""
        sign = np.where(self.towards, 1.0, -1.0)
        if self.floor is None:
            p = sigmoid(sign * eta)
            return p, sign * p * (1.0 - p)
        kept = 1.0 - 2.0 * self.floor
        return self.floor + kept * np.where(self.towards, eta, 1.0 - eta), sign * kept


@dataclass(frozen=True, eq=False)
class DecisionQuantity:
    """The mean decision on some test rows, in the metric's place.

    Parameters
    ----------
    rows : ndarray of int
        Positions within the split.
    quantity : str
        One of `QUANTITIES`.
    """

    rows: Positions
    quantity: str

    def smooth(self, case: Case, on: str, floor: float | None) -> SmoothMetric:
        """Return the quantity as a smooth function of predictors, or with a floor of probabilities."""
        base = SmoothMetric.of(case, "log_loss", None, on, floor=floor)
        share = np.zeros(len(case.rows(on)))
        share[self.rows] = 1.0 / len(self.rows)
        towards = case.decisions(on) if self.quantity == "confidence" else case.y(on)
        if self.quantity == "favorable_score":
            towards = np.full(len(share), case.favorable_is_positive)
        same = {part.name: getattr(base, part.name) for part in fields(base)}
        return SmoothRows(**same, share=share, towards=towards, as_loss=self.quantity == "loss")
