"""The verdict together with the table of `compare`, both read from one comparison.

Pages and the command line show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.case.case import Case, check_case
from core.errors import RedressError
from core.metrics.catalog import DEFAULT_METRICS, metric_of, metrics_of
from core.metrics.compare import compared_cases
from core.metrics.guardrails.guard import MAX_UTILITY_DROP, gap_of, guard, guarded_features, records_gone
from core.metrics.guardrails.result import Guardrails
from core.metrics.samples import feature_name
from core.typing import Feature, Floats


@dataclass(frozen=True)
class Judged:
    """A judged change: the verdict and the comparison behind it.

    Parameters
    ----------
    side : Guardrails or None
        The verdict and what is behind it; None where the metric has none.
    why : str
        Why not.
    table : DataFrame
        The chosen metric and the usual ones, as `core.compare` gives them.
    """

    side: Guardrails | None
    why: str
    table: pd.DataFrame

    def by(self, feature: Feature) -> pd.DataFrame:
        """Return the table by one sensitive feature, with the rates over all rows."""
        of = self.table.index.get_level_values("sensitive_feature")
        return self.table[of.isin([feature_name(feature), "(all)"])]


def judge(
    before: Case,
    after: Case,
    metric: str,
    feature: Feature,
    on: str = "explore",
    *,
    scores: Floats | None = None,
    forget: Iterable[Any] | None = None,
    briefly: bool = False,
) -> Judged:
    """Judge a change, made or predicted by its scores, and lay out what changed.

    Takes one look where rows are kept aside.

    Parameters
    ----------
    before, after : Case
        As for `guardrails`; the same case twice where `scores` are given.
    metric : str
        Any metric; only gaps and ratios have a verdict.
    feature : str or tuple of str
        Between whose groups.
    on, scores, forget
        As for `guardrails`.
    briefly : bool
        Whether to lay out the usual metrics by the chosen sensitive feature alone.
    """
    check_case(before)
    check_case(after)
    feature = before.sensitive_feature(feature)
    compared = compared_cases(before, after, guarded_features(before, feature), on, scores)
    usual = [one for one in metrics_of(DEFAULT_METRICS) if compared.probability or not one.needs_probability]
    after.looked_at(on, "guardrails")
    chosen, others = metric_of(metric), [one for one in usual if one.name != metric]
    table = pd.concat([compared.table([chosen]), compared.table(others, [feature_name(feature)] if briefly else None)])
    table.attrs.update(on=on, n=len(before.rows(on)), looks=len(before.looks))
    try:
        gone = records_gone(before, after, forget)
        asked = gap_of(metric)
        side = guard(before, compared, asked, feature, on=on, gone=gone, max_utility_drop=MAX_UTILITY_DROP)
    except RedressError as error:
        return Judged(None, str(error), table)
    return Judged(side, "", table)
