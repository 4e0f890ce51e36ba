"""Measures to choose between rules that do much the same.

A largest difference between groups jumps with every decision in a small group, and it closes as well where the better-off come
to lose. To tell rules apart it is therefore taken between the two groups that are extreme now, decisions count by how clear they
are, and what the better-off lose does not count as closing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.attribution.outcome import Outcome
from core.attribution.smooth import NEAREST
from core.case.case import Case
from core.metrics.catalog import metric_of
from core.metrics.gaps import combine
from core.metrics.rates import group_rate
from core.numerics.linear.logistic import sigmoid
from core.numerics.statistics.counts import cell_counts
from core.rules.gap import Extremes
from core.typing import Floats


class Steady:
    """How far removals close a gap.

    Parameters
    ----------
    outcome : Outcome
        The metric itself, of a case as it is now.
    extremes : Extremes
        The groups it is between.
    """

    def __init__(self, outcome: Outcome, extremes: Extremes) -> None:
        self.outcome, self.extremes = outcome, extremes
        self.groups = sorted(extremes.weights)
        self.on_decisions = outcome.metric.uses == "cells" and len(self.groups) == 2
        case, on = outcome.case, outcome.on
        distance = np.abs(case.scores(on) - case.cut(on))
        nearest = min(len(distance) - 1, max(50, round(len(distance) ** NEAREST)))
        self.width = max(float(np.partition(distance, nearest)[nearest]) / 3.0, 1e-6)

    def closes(self, scores: Floats) -> Floats:
        """Return by how much the gap closes at each row of scores, shape (k, n), without what the better-off lose."""
        outcome = self.outcome
        now = outcome.case.scores(outcome.on)
        if not self.on_decisions:
            return outcome.metric.short_of_best(outcome.value()) - outcome.metric.short_of_best(outcome.values(scores))
        before = self._rates(self._soft(now))
        found = [
            self._closing(before, self._rates(self._soft(row)))[1] if np.isfinite(row).all() else np.nan
            for row in scores
        ]
        return np.array(found)

    def levels_down(self, after: Case) -> bool:
        """Return whether most of what closes the gap is what the better-off lose."""
        if not self.on_decisions:
            return False
        cases = self.outcome.case, after
        rates = [self._rates(case.favorable(case.decisions(self.outcome.on))) for case in cases]
        closing, without_losses = self._closing(*rates)
        return without_losses < 0.5 * closing

    def _soft(self, scores: Floats) -> Floats:
        case = self.outcome.case
        soft = sigmoid((scores - case.cut_of(scores)) / self.width)
        return soft if case.favorable_is_positive else 1.0 - soft

    def _rates(self, decision: npt.NDArray[np.bool_] | Floats) -> list[Floats]:
        counts = _counts(self.outcome, decision)[self.groups]
        return [group_rate(rate, counts) for rate in self.outcome.metric.rates]

    def _closing(self, before: list[Floats], after: list[Floats]) -> tuple[float, float]:
        """Return by how much the gap between the two groups closes, and by how much had the better-off not lost."""
        metric, kept = self.outcome.metric, []
        for rate, was, now in zip(metric.rates, before, after, strict=True):
            sign = -1.0 if metric_of(rate).better == "lower" else 1.0
            unharmed = now.copy()
            best = int(np.argmax(sign * was))
            unharmed[best] = sign * max(sign * was[best], sign * now[best])
            kept.append(unharmed)
        gaps = [metric.short_of_best(combine(metric, rates)) for rates in (before, after, kept)]
        return float(gaps[0] - gaps[1]), float(gaps[0] - gaps[2])


def _counts(outcome: Outcome, decision: npt.NDArray[np.bool_] | Floats) -> Floats:
    case = outcome.case
    return cell_counts(outcome.codes, case.favorable(case.y(outcome.on)), decision, outcome.n_groups)
