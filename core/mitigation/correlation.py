"""CorrelationRemover: the model trained on features without correlation with the groups.

All linear correlation is taken from them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from fairlearn.preprocessing import CorrelationRemover
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from core.case.scoring import final_estimator, positive_scores, reals
from core.errors import NotSupportedError, listed
from core.mitigation.base import FittedModels, Mitigator, Task
from core.typing import Floats, Progress


class Correlation(Mitigator):
    """Put CorrelationRemover between preprocessing and classifier, and train both again."""

    name = "correlation_remover"
    scores = True

    def constraint(self, task: Task) -> str | None:  # noqa: ARG002
        """Return an empty name: it knows no constraint."""
        return ""

    def refusal(self, task: Task) -> str | None:
        """Return why the groups cannot be taken out of the features, or None."""
        unseen = task.unseen_groups()
        return (
            f"no training record belongs to {listed(unseen)}, and the features of these groups cannot be shifted"
            if unseen
            else None
        )

    def run(self, task: Task, progress: Progress) -> FittedModels:
        """Fit: one refit of the model and a least-squares fit of every feature on the groups."""
        progress(0.1, "Taking the groups out of the features")
        case, names = task.case, task.group_names("train")
        groups = np.unique(names)[1:]
        steps = clone(case.model[:-1]).fit(task.X, case.train_labels[case.retained]) if _has_steps(case.model) else None
        remover = CorrelationRemover(sensitive_feature_ids=list(range(len(groups))))
        table = _beside(groups, names, _numbers(steps, task.X))
        progress(0.5, "Training the model on what is left")
        weight = {} if task.weight is None else {"sample_weight": task.weight}
        last = clone(final_estimator(case.model))
        last.fit(remover.fit(table).transform(table), case.train_labels[case.retained], **weight)
        split = _beside(groups, task.group_names(task.on), _numbers(steps, task.X_split))
        scores = positive_scores(last, remover.transform(split), case.pos_column)
        decided = case.favorable(case.decide(scores)).astype(np.float64)
        notes = [
            "It aims at no metric: it takes linear correlation with the groups out of the features, and trees find what is not linear."
        ]
        if weight:
            notes.append(
                "The correlation counts every training record once, whatever its weight; the model is trained with the weights."
            )
        return FittedModels([decided], [(steps, remover, last)], scores=scores, notes=notes)


def _has_steps(model: Any) -> bool:
    return isinstance(model, Pipeline) and len(model.steps) > 1


def _numbers(steps: Any, X: Any) -> Floats:
    table = X if steps is None else steps.transform(X)
    try:
        numbers = reals(table)
    except (ValueError, TypeError) as error:
        raise NotSupportedError("the features are not all numbers when they reach the classifier") from error
    if not np.isfinite(numbers).all():
        raise NotSupportedError("some cells are still missing or infinite when they reach the classifier")
    return numbers


def _beside(groups: npt.NDArray[Any], names: npt.NDArray[Any], features: Floats) -> Floats:
    """Return an indicator column for every group but one, then the features."""
    return np.column_stack([*((names == group).astype(np.float64) for group in groups), features])
