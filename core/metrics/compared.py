"""Two models on the same records.

What their comparison is made of, drawn once whatever is asked of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.case.groups import Groups
from core.metrics.catalog import Metric, metric_of
from core.metrics.change import MetricChange, paired_change
from core.metrics.level_change import LEVEL_COLUMNS, level_changes, rows_counted
from core.metrics.samples import PairedSample, Sample, feature_name, generator, occupied
from core.numerics.statistics.counts import FloatArray

ALL_RECORDS = "(all)"


class Compared:
    """Two samples of the same records by the groups of each sensitive feature.

    Parameters
    ----------
    before, after : Sample
        What two models said about the same records.
    groups : sequence of Groups
        Sensitive features of these records.
    n_resamples, level, seed
        As for `audit`.
    """

    def __init__(
        self, before: Sample, after: Sample, groups: Sequence[Groups], *, n_resamples: int, level: float, seed: int
    ) -> None:
        self.before, self.after, self.level = before, after, level
        every = np.zeros(len(before.label), dtype=np.intp)
        self.whole = PairedSample(before, after, every, 1, n_resamples, generator(seed, ""))
        self.features = {feature_name(group.feature): group.feature for group in groups}
        self.names: dict[str, tuple[str, ...]] = {}
        self.views: dict[str, PairedSample] = {}
        for group in groups:
            names, codes = occupied(group)
            self.names[feature_name(group.feature)] = names
            self.views[feature_name(group.feature)] = PairedSample(
                before, after, codes, len(names), n_resamples, generator(seed, group.feature)
            )

    @property
    def probability(self) -> bool:
        """Whether scores are probabilities, before and after."""
        return self.before.probability and self.after.probability

    def table(self, metrics: Iterable[Metric], features: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the changes of metrics, as `compare` gives them.

        By all sensitive features or those of these names.
        """
        rows: dict[tuple[str, str], tuple[Any, ...]] = {}
        for metric in metrics:
            if metric.compares_groups:
                for name in self.views if features is None else features:
                    change = paired_change(metric, self.views[name], self.level)
                    rows[metric.name, name] = _row(metric, change, self.names[name])
            elif metric.name != "count":
                rows[metric.name, ALL_RECORDS] = _row(metric, paired_change(metric, self.whole, self.level))
        order = sorted(rows, key=lambda key: key[1] != ALL_RECORDS)
        index = pd.MultiIndex.from_tuples(order, names=["metric", "sensitive_feature"]) if rows else None
        return pd.DataFrame([rows[key] for key in order], index=index, columns=[*MetricChange._fields, "direction"])

    def rows(self, rate: str, name: str) -> FloatArray:
        """Return how many records a rate of every group of a sensitive feature is taken over."""
        return rows_counted(metric_of(rate), self.views[name])

    def levels(self, rates: Iterable[str]) -> pd.DataFrame:
        """Return the changes of every group's rates, as `compare_groups` gives them."""
        keys, columns = [], []
        for name, view in self.views.items():
            for rate in rates:
                keys += [(rate, name, group) for group in self.names[name]]
                columns.append(np.column_stack(level_changes(metric_of(rate), view, self.level)))
        index = pd.MultiIndex.from_tuples(keys, names=["metric", "sensitive_feature", "group"])
        return pd.DataFrame(np.vstack(columns), index=index, columns=list(LEVEL_COLUMNS))


def direction(metric: Metric, change: float) -> str:
    """Return whether a change of a metric is "better" or "worse".

    An empty string where it is neither.

    Examples
    --------
    >>> direction(metric_of("demographic_parity_ratio"), -0.1), direction(metric_of("accuracy"), 0.0)
    ('worse', '')
    """
    if not abs(change) > 0.0 or metric.better == "neither":
        return ""
    return "better" if (change < 0) == (metric.better == "lower") else "worse"


def _row(metric: Metric, change: MetricChange, names: Sequence[str] = ()) -> tuple[Any, ...]:
    """Return a change as a row of the table, with groups by their names."""
    ahead = [None if one is None else names[one] for one in (change.ahead_before, change.ahead_after)]
    named = change._asdict() | {"ahead_before": ahead[0], "ahead_after": ahead[1]}
    return (*named.values(), direction(metric, change.change))
