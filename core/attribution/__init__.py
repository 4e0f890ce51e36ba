"""What each training record does to a metric."""

from core.attribution.registry import harmful, influence, preview

__all__ = ["harmful", "influence", "preview"]
