"""A smooth stand-in for metrics on decisions, so that they can be differentiated.

``1[score > t]`` becomes a logistic curve, as wide as the scores near t are sparse: in the linear predictor of a logistic
regression, in the probability itself where that is an average of votes. A metric on scores is left as it is.

Differentiated, a comparison of many groups leaves out those with insufficient evidence and looks at all groups on either side of
the middle, not at the two extreme ones alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.case.case import Case
from core.case.roles import AtRate
from core.metrics.audit import LEVEL, sample_of
from core.metrics.catalog import Metric, metric_of
from core.metrics.gaps import count_gradient, deciding_rate, evaluate
from core.metrics.group_evidence import rate_evidence
from core.metrics.rates import group_rate, group_rate_gradient
from core.metrics.samples import GroupSample, generator
from core.metrics.score_gradients import score_metric_gradient
from core.metrics.scores import score_metric
from core.numerics.linear.logistic import sigmoid
from core.numerics.statistics.counts import cell_counts
from core.typing import Bools, Floats

NEAREST = 0.8
"""The window of the curve holds the n ** 0.8 rows nearest to the threshold."""
RESAMPLES = 500
"""Of the groups, to judge whether they are large enough, where a rate has no interval in closed form."""


class Quantity(Protocol):
    """A number that the scores on a split determine, able to take the metric's place."""

    def smooth(self, case: Case, on: str, floor: float | None) -> SmoothMetric:
        """Return the quantity as a smooth function of predictors, or with a floor of probabilities."""


@dataclass(frozen=True, eq=False)
class SmoothMetric:
    """A metric as a smooth function of predictors of `pos_label`, or of its probabilities.

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
    flagged : int or None
        Rows above the cut where it follows the scores, as with an alert capacity.
    floor : float or None
        None: a function of predictors. A number: of probabilities, which cannot tell less than this from 0; metrics on scores get
        them moved so far from 0 and 1, or the log loss of a vote without dissent would have no slope to speak of.
    part : ndarray of int or None
        Rows of the groups that are compared; None where all are.
    """

    metric: Metric
    codes: npt.NDArray[np.int32]
    n_groups: int
    favorable: Bools
    positive_is_favorable: bool
    cut: float
    width: float
    flagged: int | None
    floor: float | None = None
    part: npt.NDArray[np.intp] | None = None

    @classmethod
    def of(
        cls,
        case: Case,
        metric: str | Quantity,
        feature: str | tuple[str, ...] | None,
        on: str,
        *,
        floor: float | None = None,
        judged_only: bool = True,
    ) -> SmoothMetric:
        """Return the smooth stand-in for a metric of a case whose scores are probabilities.

        Unless `judged_only` is False, groups with insufficient evidence are not compared, as long as two others are left.
        """
        if not isinstance(metric, str):
            return metric.smooth(case, on, floor)
        found = metric_of(metric)
        codes, n_groups, part = np.zeros(len(case.rows(on)), dtype=np.int32), 1, None
        if found.compares_groups:
            groups = case.groups(feature, on)
            codes, n_groups = groups.codes, len(groups)
            judged = judged_groups(case, found, feature, on) if judged_only else np.ones(n_groups, dtype=bool)
            if not judged.all():
                part = np.flatnonzero(judged[codes])
                codes, n_groups = (np.cumsum(judged) - 1).astype(np.int32)[codes], int(judged.sum())
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
            int(np.count_nonzero(eta > cut)) if isinstance(case.threshold, AtRate) else None,
            floor,
            part,
        )

    def value(self, eta: Floats) -> float:
        """Return the smooth metric at predictors or probabilities `eta`, shape (n,)."""
        if self.metric.uses == "scores":
            rows = self._rows
            return float(
                score_metric(
                    self.metric.name,
                    self.favorable[rows],
                    self._favorable_score(eta[rows])[0],
                    self.codes[rows],
                    self.n_groups,
                    pos_is_favorable=self.positive_is_favorable,
                )
            )
        return float(evaluate(self.metric.name, self._counts(eta), pos_is_favorable=self.positive_is_favorable))

    def gradient(self, eta: Floats) -> Floats:
        """Return the derivative of the smooth metric by every predictor or probability, shape (n,)."""
        sign = 1.0 if self.positive_is_favorable else -1.0
        rows, gradient = self._rows, np.zeros(len(eta))
        if self.metric.uses == "scores":
            p, slope = self._favorable_score(eta[rows])
            by_score = score_metric_gradient(
                self.metric.name,
                self.favorable[rows],
                p,
                self.codes[rows],
                self.n_groups,
                pos_is_favorable=self.positive_is_favorable,
            )
            gradient[rows] = sign * by_score * slope
            return gradient
        cells = self._count_gradient(self._counts(eta))
        turned = cells[..., 1] - cells[..., 0]
        soft = self._soft(eta)
        slope = soft * (1.0 - soft) / self.width
        gradient[rows] = sign * turned[self.codes[rows], self.favorable[rows].astype(int)] * slope[rows]
        return gradient if self.flagged is None else gradient - slope * (gradient.sum() / slope.sum())

    def _count_gradient(self, counts: Floats) -> Floats:
        """Return the metric's derivative by cell counts.

        Of a comparison of many groups, with `side_weights`.
        """
        flag = self.positive_is_favorable
        if self.metric.kind not in ("difference", "ratio") or self.n_groups == 2:
            return count_gradient(self.metric.name, counts, pos_is_favorable=flag)
        rates = [group_rate(rate, counts, pos_is_favorable=flag) for rate in self.metric.rates]
        which = deciding_rate(self.metric, rates)
        weights = side_weights(rates[which], counts.sum(axis=(1, 2)), ratio=self.metric.kind == "ratio")[:, None, None]
        by_rate = group_rate_gradient(self.metric.rates[which], counts, pos_is_favorable=flag)
        return np.where(weights == 0.0, 0.0, weights * by_rate)

    @property
    def _rows(self) -> npt.NDArray[np.intp] | slice:
        return slice(None) if self.part is None else self.part

    def _soft(self, eta: Floats) -> Floats:
        cut = self.cut
        if self.flagged is not None:
            cut = float(np.partition(eta, len(eta) - self.flagged - 1)[len(eta) - self.flagged - 1])
        return sigmoid((eta - cut) / self.width)

    def _counts(self, eta: Floats) -> Floats:
        rows, soft = self._rows, self._soft(eta)
        favorable = soft if self.positive_is_favorable else 1.0 - soft
        return cell_counts(self.codes[rows], self.favorable[rows], favorable[rows], self.n_groups)

    def _favorable_score(self, eta: Floats) -> tuple[Floats, Floats | float]:
        """Return the favourable label's probability, and how steeply it follows `eta`, sign aside."""
        if self.floor is None:
            p = sigmoid(eta if self.positive_is_favorable else -eta)
            return p, p * (1.0 - p)
        kept = 1.0 - 2.0 * self.floor
        return self.floor + kept * (eta if self.positive_is_favorable else 1.0 - eta), kept


def judged_groups(case: Case, metric: Metric, feature: str | tuple[str, ...] | None, on: str) -> Bools:
    """Return which groups of a feature have enough records for the rates of a metric.

    All, where fewer than two have.
    """
    groups = case.groups(feature, on)
    view = GroupSample(sample_of(case, on), groups.codes, len(groups), RESAMPLES, generator(0, groups.feature))
    enough = np.ones(len(groups), dtype=bool)
    for rate in metric.rates:
        enough &= ~rate_evidence(view, rate, LEVEL).insufficient(view.n)
    return enough if np.count_nonzero(enough) >= 2 else np.ones(len(groups), dtype=bool)


def side_weights(rates: Floats, sizes: Floats, *, ratio: bool = False) -> Floats:
    """Return the derivative of a gap between many groups by their rates.

    Each side of the middle is shared out by size.

    The group that is largest or smallest now soon is so no longer, above all where it is small. For two groups this is the derivative
    of the difference, or of the ratio, itself.

    Examples
    --------
    >>> side_weights(np.array([0.9, 0.7, 0.2, np.nan]), np.array([10.0, 30.0, 50.0, 5.0]))
    array([ 0.25,  0.75, -1.  ,  0.  ])
    """
    known = ~np.isnan(rates)
    if np.count_nonzero(known) < 2:
        return np.full(len(rates), np.nan)
    filled = np.where(known, rates, 0.0)
    low = np.where(known & (rates < (rates[known].max() + rates[known].min()) / 2.0), sizes, 0.0)
    high = np.where(known & (low == 0.0), sizes, 0.0)
    if not low.any():
        return np.zeros(len(rates))
    high, low = high / high.sum(), low / low.sum()
    top = high @ filled
    return np.asarray(low / top - high * (low @ filled) / top**2 if ratio else high - low)


def predictors(probability: Floats) -> Floats:
    """Return the linear predictors behind probabilities."""
    p = np.clip(probability, 1e-15, 1.0 - 1e-15)
    return np.asarray(np.log(p) - np.log1p(-p))


def _width(eta: Floats, cut: float) -> float:
    distance = np.abs(eta - cut)
    nearest = min(len(eta) - 1, max(50, round(len(eta) ** NEAREST)))
    window = float(np.partition(distance, nearest)[nearest])
    return max(window / 3.0, 1e-6)
