"""Where versions of a case lie on the fairness-accuracy plane."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from core.case.case import Case
from core.metrics.audit import audit, overall_interval, sample_of
from core.metrics.samples import feature_name


def versions_on_plane(
    cases: Iterable[Case], metric: str, sensitive_feature: str | tuple[str, ...], utility: str, on: str
) -> pd.DataFrame:
    """Measure a gap and a utility of several versions, as `core.figures.plane` draws them.

    The last one is in force.

    Parameters
    ----------
    cases : iterable of Case
        The versions, first to last.
    metric : str
        A metric that compares groups.
    sensitive_feature : str or tuple of str
        Whose groups.
    utility : str
        A rate over all records.
    on : str
        The split.

    Returns
    -------
    DataFrame
        Indexed by ``version``, from 0: ``gap`` and ``utility``, each with ``_low`` and ``_high``, ``removed`` and ``now``.
    """
    rows = []
    for case in cases:
        found = audit(case, [metric, utility], sensitive_feature=[sensitive_feature], on=on)
        gap = found.gaps.loc[[(metric, feature_name(sensitive_feature))]].iloc[0]
        low, high = overall_interval(sample_of(case, on), utility)
        rows.append(
            {
                "gap": gap["value"],
                "gap_low": gap["low"],
                "gap_high": gap["high"],
                "utility": found.overall[utility],
                "utility_low": low,
                "utility_high": high,
                "removed": len(case.forgotten_ids),
            }
        )
    table = pd.DataFrame(rows).rename_axis("version")
    return table.assign(now=table.index == len(table) - 1)
