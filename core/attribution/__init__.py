"""What each training record does to a metric."""

from core.attribution.groups import group_changes, predicted_scores
from core.attribution.registry import harmful, influence, preview

__all__ = ["group_changes", "harmful", "influence", "predicted_scores", "preview"]
