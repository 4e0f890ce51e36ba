"""The families of models there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.errors import InputError, InputTypeError
from core.families.base import Family
from core.families.boosting.family import BOOSTING
from core.families.forest.family import FORESTS
from core.families.logistic.family import LOGISTIC

FAMILIES: list[Family] = [LOGISTIC, FORESTS, BOOSTING]
"""Strongest guarantee first."""


def register_family(family: Family) -> None:
    """Add a family of models; the calls and pages serve its models from then on.

    Parameters
    ----------
    family : Family

    Raises
    ------
    InputError
        If a family or a method of that name is there already.
    """
    if not isinstance(family, Family):
        raise InputTypeError(f"`family` must be a core.Family. Got {type(family).__name__} instead.")
    if any(family.name == one.name for one in FAMILIES):
        raise InputError(f"Each family must have a name of its own. Got {family.name!r}, which there is already.")
    if any(family.unlearner.name == one.unlearner.name for one in FAMILIES) or family.unlearner.name in (
        "auto",
        "refit",
    ):
        raise InputError(
            f"Each unlearner must have a name of its own. Got {family.unlearner.name!r}, which there is already."
        )
    FAMILIES.append(family)


def listed_names(names: Iterable[str]) -> str:
    """Return names as a sentence lists them: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def family_of(model: Any) -> Family | None:
    """Return the family of a model, of a pipeline's last step, or of what a ThresholdOptimizer goes by; None where there is none."""
    return next((family for family in FAMILIES if family.means(model)), None)
