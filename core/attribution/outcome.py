"""A metric of a case as a function of scores.

Of the decisions that the case makes of them, or of the scores themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from core.case.case import Case
from core.metrics.audit import sample_of
from core.metrics.catalog import Metric, metric_of
from core.metrics.gaps import evaluate
from core.metrics.scores import score_metric
from core.typing import Floats


@dataclass(frozen=True, eq=False)
class Outcome:
    """A metric on one split, for many vectors of scores.

    Parameters
    ----------
    case : Case
        Its threshold makes the decisions.
    metric : Metric
    on : str
        The split.
    codes : ndarray of int, shape (n,)
        Group of every row; all 0 for a metric that does not compare groups.
    n_groups : int
    """

    case: Case
    metric: Metric
    on: str
    codes: npt.NDArray[np.int32]
    n_groups: int

    @classmethod
    def of(cls, case: Case, metric: str, feature: str | tuple[str, ...] | None, on: str) -> Outcome:
        """Return a metric of the catalog on a split of a case."""
        found = metric_of(metric)
        if not found.compares_groups:
            return cls(case, found, on, np.zeros(len(case.rows(on)), dtype=np.int32), 1)
        groups = case.groups(feature, on)
        return cls(case, found, on, groups.codes, len(groups))

    def value(self) -> float:
        """Return the metric as it is now."""
        return float(self.values(self.case.scores(self.on)[np.newaxis])[0])

    def values(self, scores: Floats) -> Floats:
        """Return the metric at scores of pos_label, shape (k, n): O(k n).

        NaN where the scores are, or it is undefined.
        """
        found = self._on_scores(scores) if self.metric.uses == "scores" else self._on_decisions(scores)
        return np.where(np.isnan(scores).any(axis=1), np.nan, found)

    def _on_scores(self, scores: Floats) -> Floats:
        samples = [sample_of(self.case, self.on, row) for row in scores]
        found = [
            score_metric(
                self.metric.name,
                sample.label,
                np.zeros(0) if sample.score is None else sample.score,
                self.codes,
                self.n_groups,
                pos_is_favorable=sample.pos_is_favorable,
            )
            for sample in samples
        ]
        return np.array(found)

    def _on_decisions(self, scores: Floats) -> Floats:
        case = self.case
        decided = np.array([case.favorable(case.decide(row)) for row in scores]).reshape(scores.shape)
        n = len(self.codes)
        cells = self.codes * 2 + case.favorable(case.y(self.on))
        in_cell = csr_array((np.ones(n), (cells, np.arange(n))), shape=(2 * self.n_groups, n))
        favorable = (in_cell @ decided.T.astype(np.float64)).T
        counts = np.stack([in_cell.sum(axis=1) - favorable, favorable], axis=-1)
        counts = counts.reshape(len(scores), self.n_groups, 2, 2)
        return evaluate(self.metric.name, counts, pos_is_favorable=case.favorable_is_positive)
