"""Rules by which a model of an earlier scikit-learn becomes one of the installed release.

Each class's rules stand in the module of its kind; each is shown by the files in `tests/data/models`, made by the releases themselves, to
leave scores as they were. What no rule brings over is refused (`core.files.models.types`), with the recipe to train it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from core.case.identity import THREADS
from core.files.models.allowed import CURRENT
from core.files.models.porting import boosting, linear, others, preprocessing, trees

Rule = Callable[[Any, dict[str, Any], int], tuple[str, ...]]

_RULES: tuple[Mapping[str, Rule], ...] = (
    boosting.RULES,
    linear.RULES,
    others.RULES,
    preprocessing.RULES,
    trees.RULES,
)
RULES: dict[str, Rule] = {name: rule for rules in _RULES for name, rule in rules.items()}
"""For each class, what brings it over: changes its attributes in place, and says what a user should know."""


def port(made: Any, release: int | None) -> tuple[str, ...]:
    """Bring an object with the attributes of an earlier release to the installed one, in place.

    Parameters
    ----------
    made : object
        Of a class of the closed table, its attributes as the file has them.
    release : int, optional
        x of the scikit-learn 1.x it was made with; None: the installed one.

    Returns
    -------
    tuple of str
        What a user should know, a sentence each.
    """
    held, release = vars(made), CURRENT if release is None else release
    _normalise_threads(held)
    rule = RULES.get(type(made).__name__)
    notes = rule(made, held, release) if rule else ()
    if release < CURRENT:
        _fill_parameters(made, held)
    return notes


def _fill_parameters(made: Any, held: dict[str, Any]) -> None:
    """Give parameters that are new, or left to a release to choose, today's value."""
    for name, parameter in signature(type(made).__init__).parameters.items():
        if name == "self" or parameter.default is parameter.empty:
            continue
        value = held.get(name, "warn")
        if isinstance(value, str) and value in ("warn", "deprecated"):
            held[name] = parameter.default


def _normalise_threads(held: dict[str, Any]) -> None:
    # A model may not say how many processes or threads start here.
    for name in THREADS:
        if held.get(name) is not None:
            held[name] = 1 if type(held[name]) is int and held[name] == 1 else None
