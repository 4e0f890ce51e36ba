"""A family of models: all that the library knows of it, in one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from core.attribution.base import Attributor
from core.attribution.explainer import Explainer
from core.case.case import Case
from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.case.verdict import Provenance
from core.typing import Floats
from core.unlearning.base import Unlearner

ProvenanceCheck: TypeAlias = Callable[[Case, Any, str], Provenance]
"""Given a case, its retained rows as the last step takes them, and what was found of the preprocessing, to begin a sentence with."""
OwnMoves: TypeAlias = Callable[[Case], tuple[Floats, Floats]]
"""Given a prepared case: raw predictions of every training row, and how far they move without the row; shape (n_train, n_outputs)."""


@dataclass(frozen=True, eq=False)
class Family:
    """What the library knows of one kind of models. Only the unlearner is a must; a page says what else is missing.

    Parameters
    ----------
    name : str
        Plural, as in a sentence: "random forests".
    model_types : tuple of type
        Classes of the estimators it is meant for; a pipeline is known by its last step.
    unlearner : Unlearner
        Removes records.
    attributor : Attributor, optional
        Predicts what removing records does.
    provenance : callable, optional
        Says whether rows are those that the last step was fitted on.
    self_influence : callable, optional
        Gives how far each record's own prediction moves without it.
    explainer : Explainer, optional
        Gives SHAP values.
    """

    name: str
    model_types: tuple[type, ...]
    unlearner: Unlearner
    attributor: Attributor | None = None
    provenance: ProvenanceCheck | None = None
    self_influence: OwnMoves | None = None
    explainer: Explainer | None = None

    def means(self, model: Any) -> bool:
        """Return whether a model, or the last step of a pipeline, is of this family."""
        return isinstance(final_estimator(scorer(model)), self.model_types)
