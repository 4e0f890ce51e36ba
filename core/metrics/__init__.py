"""Fairness and performance metrics, with intervals and tests."""

from core.metrics.audit import audit
from core.metrics.catalog import DEFAULT_METRICS, METRICS, Metric, metric_of
from core.metrics.compare import compare, compare_decisions, compare_groups
from core.metrics.gaps import count_gradient, evaluate
from core.metrics.rates import group_rate
from core.metrics.report import AuditReport
from core.metrics.score_gradients import score_metric_gradient
from core.metrics.scores import score_metric

__all__ = [
    "DEFAULT_METRICS",
    "METRICS",
    "AuditReport",
    "Metric",
    "audit",
    "compare",
    "compare_decisions",
    "compare_groups",
    "count_gradient",
    "evaluate",
    "group_rate",
    "metric_of",
    "score_metric",
    "score_metric_gradient",
]
