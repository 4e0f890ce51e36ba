"""ThresholdOptimizer: the case's own model kept, with thresholds of each group.

References
----------
Hardt, M., Price, E. and Srebro, N. (2016). Equality of opportunity in supervised learning. NeurIPS.
"""

from __future__ import annotations

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer

from core.case.group_thresholds import expected_decisions
from core.errors import listed
from core.mitigation.base import FittedModels, Mitigator, Task
from core.mitigation.constraints import OBJECTIVES, THRESHOLDS, rates_made_equal
from core.mitigation.estimators import Favorable
from core.typing import Progress

SHARPER = 0.05
"""Accuracy on the training rows this far above that on the measured ones is worth a word."""


class Thresholds(Mitigator):
    """Chooses thresholds of each group on the model's scores of the training rows."""

    name = "threshold_optimizer"

    def constraint(self, task: Task) -> str | None:
        """Return the rate parity that matches the metric."""
        return THRESHOLDS.get(rates_made_equal(task.metric))

    def refusal(self, task: Task) -> str | None:
        """Return why no thresholds can be chosen, or None."""
        unseen = task.unseen_groups()
        if unseen:
            return f"no training record belongs to {listed(unseen)}, so there is no threshold for these groups"
        names, y = task.group_names("train"), task.y
        one_label = [name for name in np.unique(names) if len(np.unique(y[names == name])) < 2]
        if one_label:
            return f"the training records of {listed(one_label)} all have the same label, so no threshold can be chosen"
        return None

    def run(self, task: Task, progress: Progress) -> FittedModels:
        """Sort every group's scores once: O(n log n)."""
        progress(0.1, "Choosing thresholds of each group")
        scored = Favorable.of(task.case)
        model = ThresholdOptimizer(
            estimator=scored,
            constraints=self.constraint(task),
            objective=OBJECTIVES.get(task.utility.name, "accuracy_score"),
            prefit=True,
            predict_method=scored.score_method(),
        )
        model.fit(task.X, task.y, sensitive_features=task.group_names("train"))
        soft = getattr(scored, scored.score_method())(task.X_split)
        soft = soft[:, 1] if soft.ndim == 2 else soft
        expected = expected_decisions(model.interpolated_thresholder_, soft, task.group_names(task.on))
        return FittedModels([expected], [model], notes=_notes(task, scored))


def _notes(task: Task, scored: Favorable) -> list[str]:
    notes = ["Decisions between two thresholds are drawn at random; they count by their probability."]
    case = task.case
    train = float(np.mean(scored.predict(task.X) == task.y))
    seen = float(np.mean(scored.predict(task.X_split) == case.favorable(case.y(task.on))))
    if train > seen + SHARPER:
        notes.append(
            f"Thresholds are chosen on training rows, which the model knows too well: its accuracy is {train:.1%} there and {seen:.1%} "
            "on the measured rows."
        )
    if case.train_weight is not None:
        notes.append("The thresholds count every training record once, whatever its weight.")
    return notes
