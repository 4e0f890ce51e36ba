"""A smooth stand-in for metrics on decisions, so that they can be differentiated.

``1[score > t]`` becomes a logistic curve, as wide as the scores near t are sparse: in the linear predictor of a logistic
regression, in the probability itself where that is an average of votes. A metric on scores is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.case.case import Case
from core.case.roles import AtRate
from core.metrics.catalog import Metric, metric_of
from core.metrics.gaps import count_gradient, evaluate
from core.metrics.score_gradients import score_metric_gradient
from core.metrics.scores import score_metric
from core.numerics.counts import cell_counts
from core.numerics.logistic import sigmoid

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEAREST = 0.8
"""The window of the curve holds the n ** 0.8 rows nearest to the threshold."""


class Quantity(Protocol):
    """Something that can take the metric's place: a number that scores on a split determine."""

    def smooth(self, case: Case, on: str, floor: float | None) -> SmoothMetric:
        """Return it as a smooth function of predictors, or with a floor of probabilities."""


@dataclass(frozen=True, eq=False)
class SmoothMetric:
    """A metric as a smooth function of linear predictors of `pos_label`, or of its probabilities.

    Parameters
    ----------
    metric : Metric
        From the catalog.
    codes : ndarray of int, shape (n,)
        Group of every row; all 0 for a metric that does not compare groups.
    n_groups : int
    favorable : ndarray of bool, shape (n,)
        Which labels are favourable.
    positive_is_favorable : bool
    cut : float
        Predictor, or probability, at which decisions change.
    width : float
        Width of the logistic curve, in predictors or probabilities.
    follows : bool
        Whether the cut follows the scores, as with an alert capacity.
    floor : float or None
        None: a function of predictors. A number: of probabilities, which cannot tell less than this from 0; metrics on scores get
        them moved so far from 0 and 1, or the log loss of a vote without dissent would have no slope to speak of.
    """

    metric: Metric
    codes: npt.NDArray[np.int32]
    n_groups: int
    favorable: Bools
    positive_is_favorable: bool
    cut: float
    width: float
    follows: bool
    floor: float | None = None

    @classmethod
    def of(
        cls,
        case: Case,
        metric: str | Quantity,
        feature: str | tuple[str, ...] | None,
        on: str,
        *,
        floor: float | None = None,
    ) -> SmoothMetric:
        """Return the smooth stand-in for a metric of a case whose scores are probabilities."""
        if not isinstance(metric, str):
            return metric.smooth(case, on, floor)
        found = metric_of(metric)
        if found.compares_groups:
            groups = case.groups(feature, on)
            codes, n_groups = groups.codes, len(groups)
        else:
            codes, n_groups = np.zeros(len(case.rows(on)), dtype=np.int32), 1
        scores, cuts = case.scores(on), np.array([case.cut(on)])
        eta, cut = (scores, cuts[0]) if floor is not None else (predictors(scores), predictors(cuts)[0])
        return cls(
            found,
            codes,
            n_groups,
            case.favorable(case.y(on)),
            case.favorable_is_positive,
            float(cut),
            max(_width(eta, float(cut)), floor or 0.0),
            isinstance(case.threshold, AtRate),
            floor,
        )

    def value(self, eta: Floats) -> float:
        """Return the smooth metric at predictors or probabilities `eta`, shape (n,)."""
        if self.metric.uses == "scores":
            return float(
                score_metric(
                    self.metric.name,
                    self.favorable,
                    self._favorable_score(eta)[0],
                    self.codes,
                    self.n_groups,
                    pos_is_favorable=self.positive_is_favorable,
                )
            )
        return float(evaluate(self.metric.name, self._counts(eta), pos_is_favorable=self.positive_is_favorable))

    def gradient(self, eta: Floats) -> Floats:
        """Return the derivative of the smooth metric by every predictor or probability, shape (n,)."""
        sign = 1.0 if self.positive_is_favorable else -1.0
        if self.metric.uses == "scores":
            p, slope = self._favorable_score(eta)
            by_score = score_metric_gradient(
                self.metric.name,
                self.favorable,
                p,
                self.codes,
                self.n_groups,
                pos_is_favorable=self.positive_is_favorable,
            )
            return np.asarray(sign * by_score * slope)
        cells = count_gradient(self.metric.name, self._counts(eta), pos_is_favorable=self.positive_is_favorable)
        turned = cells[..., 1] - cells[..., 0]
        soft = sigmoid((eta - self.cut) / self.width)
        slope = soft * (1.0 - soft) / self.width
        gradient = sign * turned[self.codes, self.favorable.astype(int)] * slope
        return np.asarray(gradient - slope * (gradient.sum() / slope.sum()) if self.follows else gradient)

    def _counts(self, eta: Floats) -> Floats:
        soft = sigmoid((eta - self.cut) / self.width)
        return cell_counts(
            self.codes, self.favorable, soft if self.positive_is_favorable else 1.0 - soft, self.n_groups
        )

    def _favorable_score(self, eta: Floats) -> tuple[Floats, Floats | float]:
        """Return the favourable label's probability, and how steeply it follows `eta`, sign aside."""
        if self.floor is None:
            p = sigmoid(eta if self.positive_is_favorable else -eta)
            return p, p * (1.0 - p)
        kept = 1.0 - 2.0 * self.floor
        return self.floor + kept * (eta if self.positive_is_favorable else 1.0 - eta), kept


def predictors(probability: Floats) -> Floats:
    """Return the linear predictors behind probabilities."""
    p = np.clip(probability, 1e-15, 1.0 - 1e-15)
    return np.asarray(np.log(p) - np.log1p(-p))


def _width(eta: Floats, cut: float) -> float:
    distance = np.abs(eta - cut)
    nearest = min(len(eta) - 1, max(50, round(len(eta) ** NEAREST)))
    window = float(np.partition(distance, nearest)[nearest])
    return max(window / 3.0, 1e-6)
