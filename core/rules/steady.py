"""Measures to choose between rules that do much the same.

A largest difference between groups jumps with every decision in a small group, and it closes as well where the better-off come
to lose. To tell rules apart it is therefore taken between the two groups that are extreme now, decisions count by how clear they
are, and what the better-off lose does not count as closing.
"""

from __future__ import annotations

import numpy as np

from core.attribution.outcome import Outcome
from core.attribution.smooth import NEAREST
from core.case.case import Case
from core.case.roles import AtRate
from core.metrics.catalog import metric_of
from core.metrics.gaps import combine
from core.metrics.rates import group_rate, terms_of
from core.numerics.linear.logistic import sigmoid
from core.rules.gap import Extremes
from core.typing import Floats

AT_ONCE = 256
"""Rows of scores that are looked at together."""


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
        label, codes = case.favorable(case.y(on)), outcome.codes
        kinds = np.column_stack(
            [(codes == group) & (label == kind) for group in self.groups for kind in self._labels()]
        )
        self.places = np.flatnonzero(kinds.any(axis=1))
        self._kinds = kinds[self.places].astype(np.float64)

    def _labels(self) -> list[bool]:
        """Return the labels, refused or favourable, whose rows the metric's rates are of."""
        terms = [weights for rate in self.outcome.metric.rates for pair in terms_of(rate) for weights in pair]
        return [kind for kind in (False, True) if any(weights[int(kind)].any() for weights in terms)]

    def closes(self, scores: Floats) -> Floats:
        """Return by how much the gap closes at each row of scores, shape (k, n): O(k n).

        Without what the better-off lose.
        """
        outcome = self.outcome
        now = outcome.case.scores(outcome.on)
        if not self.on_decisions:
            return outcome.metric.short_of_best(outcome.value()) - outcome.metric.short_of_best(outcome.values(scores))
        before = self._rates(self._soft(now[None]))
        blocks = [scores[start : start + AT_ONCE] for start in range(0, len(scores), AT_ONCE)]
        found = [self._closing(before, self._rates(self._soft(block)))[1] for block in blocks]
        return np.concatenate(found) if found else np.empty(0)

    def levels_down(self, after: Case) -> bool:
        """Return whether most of what closes the gap is what the better-off lose."""
        if not self.on_decisions:
            return False
        cases = self.outcome.case, after
        on, places = self.outcome.on, self.places
        rates = [self._rates(case.favorable(case.decisions(on))[None, places].astype(float)) for case in cases]
        closing, without_losses = self._closing(*rates)
        return bool(without_losses[0] < 0.5 * closing[0])

    def _soft(self, scores: Floats) -> Floats:
        """Return soft decisions on the rows that count, for rows of scores."""
        case = self.outcome.case
        each = isinstance(case.threshold, AtRate)
        cuts = np.array([case.cut_of(row) for row in (scores if each else scores[:1])])[:, None]
        soft = sigmoid((scores[:, self.places] - cuts) / self.width)
        return soft if case.favorable_is_positive else 1.0 - soft

    def _rates(self, decisions: Floats) -> list[Floats]:
        """Return each of the metric's rates in both groups for rows of decisions, shape (k, 2)."""
        labels = np.array(self._labels(), dtype=np.intp)
        favorable = (decisions @ self._kinds).reshape(len(decisions), len(self.groups), len(labels))
        whole = self._kinds.sum(axis=0).reshape(len(self.groups), len(labels))
        counts = np.zeros((len(decisions), len(self.groups), 2, 2))
        counts[:, :, labels] = np.stack([whole - favorable, favorable], axis=-1)
        return [group_rate(rate, counts) for rate in self.outcome.metric.rates]

    def _closing(self, before: list[Floats], after: list[Floats]) -> tuple[Floats, Floats]:
        """Return by how much the gap between the two groups closes.

        And by how much had the better-off not lost.
        """
        metric, kept = self.outcome.metric, []
        for rate, was, now in zip(metric.rates, before, after, strict=True):
            sign = -1.0 if metric_of(rate).better == "lower" else 1.0
            unharmed = now.copy()
            best = int(np.argmax(sign * was[0]))
            unharmed[:, best] = sign * np.maximum(sign * was[0, best], sign * now[:, best])
            kept.append(unharmed)
        gaps = [metric.short_of_best(combine(metric, rates)) for rates in (before, after, kept)]
        return np.asarray(gaps[0] - gaps[1]), np.asarray(gaps[0] - gaps[2])
