"""Which of fairlearn's constraints matches which metric of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fairlearn.reductions import (
    DemographicParity,
    EqualizedOdds,
    ErrorRateParity,
    FalsePositiveRateParity,
    TruePositiveRateParity,
    UtilityParity,
)

from core.metrics.catalog import Metric

THRESHOLDS: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("selection_rate",): "demographic_parity",
        ("true_positive_rate",): "true_positive_rate_parity",
        ("false_positive_rate",): "false_positive_rate_parity",
        ("true_negative_rate",): "true_negative_rate_parity",
        ("false_negative_rate",): "false_negative_rate_parity",
        ("true_positive_rate", "false_positive_rate"): "equalized_odds",
    }
)
"""For rates that are to be equal, the constraint of ThresholdOptimizer."""

OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {"accuracy": "accuracy_score", "balanced_accuracy": "balanced_accuracy_score"}
)
"""For a utility, the objective of ThresholdOptimizer."""

MOMENTS: Mapping[tuple[str, ...], Callable[..., UtilityParity]] = MappingProxyType(
    {
        ("selection_rate",): DemographicParity,
        ("true_positive_rate",): TruePositiveRateParity,
        ("false_negative_rate",): TruePositiveRateParity,
        ("false_positive_rate",): FalsePositiveRateParity,
        ("true_negative_rate",): FalsePositiveRateParity,
        ("true_positive_rate", "false_positive_rate"): EqualizedOdds,
        ("accuracy",): ErrorRateParity,
        ("zero_one_loss",): ErrorRateParity,
    }
)
"""For rates that are to be equal, the moment of the reductions."""


def rates_made_equal(metric: Metric) -> tuple[str, ...]:
    """Return the rates that a gap or ratio wants equal.

    None for a metric that compares groups in another way.

    Examples
    --------
    >>> from core.metrics.catalog import metric_of
    >>> rates_made_equal(metric_of("equalized_odds_ratio"))
    ('true_positive_rate', 'false_positive_rate')
    >>> rates_made_equal(metric_of("recall_score_group_min"))
    ()
    """
    return metric.rates if metric.kind in ("difference", "ratio") else ()
