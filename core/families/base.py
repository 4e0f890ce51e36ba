"""A family of models: all that the library knows of it, in one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from core.attribution.base import Attributor
from core.attribution.explainer import Explainer
from core.case.case import Case
from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.case.verdict import Provenance
from core.errors import InputError, InputTypeError
from core.typing import Floats, Progress
from core.unlearning.base import Guarantee, Unlearner
from core.unlearning.splits import SplitCheck
from core.words import with_article

ProvenanceCheck: TypeAlias = Callable[[Case, Any, str], Provenance]
"""Given a case, its retained rows as the last step takes them, and what was found of the preprocessing, to begin a sentence with."""
OwnMoves: TypeAlias = Callable[[Case], tuple[Floats, Floats]]
"""Given a case: raw predictions of every training row, and how far they move without the row; shape (n_train, n_outputs)."""
SplitsCheck: TypeAlias = Callable[[Case, int | None, Progress | None], SplitCheck]
"""Given a case, how many stages to look at (None: all), and what to report to."""


@dataclass(frozen=True, eq=False)
class Family:
    """One kind of models, with all that the library can do with it.

    Only name and classes are a must; calls and pages say what is missing, and records are removed by training again where there is no unlearner.

    Parameters
    ----------
    name : str
        As it stands inside a sentence: "logistic regression", "random forests".
    model_types : tuple of type
        Classes of the estimators it is meant for, subclasses included; a pipeline is known by its last step.
    unlearner : Unlearner, optional
        Removes records quicker than training again does.
    attributor : Attributor, optional
        Predicts what removing records does.
    provenance : callable, optional
        Says whether rows are those that the last step was fitted on.
    self_influence : callable, optional
        Gives how far each record's own prediction moves without it.
    explainer : Explainer, optional
        Gives SHAP values.
    splits : callable, optional
        Counts the splits that a removal kept and training again would not choose.
    examples : mapping of str to estimator, optional
        Small unfitted models by name, of every kind that runs through code of its own: `python -m core kernels` compiles what they need.

    Raises
    ------
    InputError
        If a name is empty, or an example is of another family.
    InputTypeError
        If a part is of another kind.
    """

    name: str
    model_types: tuple[type, ...]
    unlearner: Unlearner | None = None
    attributor: Attributor | None = None
    provenance: ProvenanceCheck | None = None
    self_influence: OwnMoves | None = None
    explainer: Explainer | None = None
    splits: SplitsCheck | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError(f"A family must have a name, as it stands in a sentence. Got {self.name!r}.")
        _check_types(self.name, self.model_types)
        for part, kind, optional in _KINDS:
            value = getattr(self, part)
            if not isinstance(value, kind) and not (optional and value is None):
                raise InputTypeError(
                    f"`{part}` of the family {self.name!r} must be {with_article(kind.__name__)}. Got {_kind_of(value)} instead."
                )
        for part in _CALLED:
            value = getattr(self, part)
            if value is not None and not callable(value):
                raise InputTypeError(
                    f"`{part}` of the family {self.name!r} must be a function. Got {_kind_of(value)} instead."
                )
        _check_unlearner(self.name, self.unlearner)
        for name, model in self.examples.items():
            if not isinstance(final_estimator(model), self.model_types):
                raise InputError(
                    f"Every example must be a model of its family. {name!r} is {with_article(_kind_of(final_estimator(model)))}, "
                    f"which is not one of {self.name!r}."
                )

    def means(self, model: Any) -> bool:
        """Return whether a model, or the last step of a pipeline, is of this family."""
        return isinstance(final_estimator(scorer(model)), self.model_types)


_KINDS: tuple[tuple[str, type, bool], ...] = (
    ("unlearner", Unlearner, True),
    ("attributor", Attributor, True),
    ("explainer", Explainer, True),
    ("examples", Mapping, False),
)
"""What a field must be an instance of, and whether it may be None."""
_CALLED = ("provenance", "self_influence", "splits")


def _check_types(name: str, types: object) -> None:
    if not isinstance(types, tuple) or not types or not all(isinstance(one, type) for one in types):
        raise InputTypeError(
            f"`model_types` of the family {name!r} must be a tuple of one or more classes. Got {types!r} instead."
        )


def _check_unlearner(name: str, unlearner: Unlearner | None) -> None:
    if unlearner is None:
        return
    method, guarantee = getattr(unlearner, "name", None), getattr(unlearner, "guarantee", None)
    if not isinstance(method, str) or not method.strip():
        raise InputError(
            f"The unlearner of the family {name!r} must have a name, which `method=` takes. Got {method!r}."
        )
    if not isinstance(guarantee, Guarantee):
        raise InputError(f"The unlearner of the family {name!r} must state a core.Guarantee. Got {guarantee!r}.")


def _kind_of(value: object) -> str:
    return f"the class {value.__name__}, not an instance," if isinstance(value, type) else type(value).__name__
