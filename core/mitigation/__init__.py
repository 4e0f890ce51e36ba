"""fairlearn's own mitigators behind one call, to compare removals with."""

from core.mitigation.base import METHODS, Mitigation
from core.mitigation.registry import mitigate, mitigations

__all__ = ["METHODS", "Mitigation", "mitigate", "mitigations"]
