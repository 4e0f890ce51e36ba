"""What each training record does to a metric."""

from core.attribution.groups import group_changes, predicted_scores
from core.attribution.registry import harmful, influence, preview
from core.attribution.subsets import explain_gap

__all__ = ["explain_gap", "group_changes", "harmful", "influence", "predicted_scores", "preview"]
