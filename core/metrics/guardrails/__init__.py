"""Who pays for a gap that closes.

Every group's level before and after, the people concerned, and a verdict in one sentence.
"""

from core.metrics.guardrails.guard import guard, guarded_features, guardrails
from core.metrics.guardrails.judge import Judged, judge
from core.metrics.guardrails.result import Guardrails

__all__ = ["Guardrails", "Judged", "guard", "guarded_features", "guardrails", "judge"]
