"""The families of models there are."""

from __future__ import annotations

import sys
from collections import UserList
from collections.abc import Iterable
from functools import cached_property
from threading import RLock
from typing import Any

from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.errors import InputError, InputTypeError
from core.families.base import Family
from core.unlearning.base import Unlearner
from core.words import with_article


def _xgboost() -> Family:
    from core.families.xgboost.family import XGBOOST

    return XGBOOST


def _lightgbm() -> Family:
    from core.families.lightgbm.family import LIGHTGBM

    return LIGHTGBM


def _catboost() -> Family:
    from core.families.catboost.family import CATBOOST

    return CATBOOST


_OF_LIBRARIES = {
    "xgboost.XGBClassifier": _xgboost,
    "lightgbm.LGBMClassifier": _lightgbm,
    "catboost.CatBoostClassifier": _catboost,
}
"""Families by what must have been imported."""


class _Families(UserList[Family]):
    """A list that imports the families of its own on first use.

    Defining their kernels takes a while, and an audit needs none.
    """

    def __init__(self) -> None:
        self._joined = set[str]()  # `data` is made on first use
        self._joining = RLock()

    @property
    def data(self) -> list[Family]:  # type: ignore[override]
        """The families there are.

        Families of a library that is not always installed join once it is imported: before that there is no model of it.
        """
        found = self._own
        with self._joining:
            for name, family in _OF_LIBRARIES.items():
                library = sys.modules.get(name.partition(".")[0])
                if name not in self._joined and hasattr(library, name.partition(".")[2]):
                    self._joined.add(name)
                    found.append(family())
        return found

    @cached_property
    def _own(self) -> list[Family]:
        from core.families.boosting.family import BOOSTING
        from core.families.forest.family import FORESTS
        from core.families.logistic.family import LOGISTIC

        return [LOGISTIC, FORESTS, BOOSTING]


FAMILIES = _Families()
"""Those whose removals equal training again, or come provably near it, before approximate ones."""
TAKEN = ("auto", "refit")
"""What `method=` means besides the unlearners of families."""


def register_family(family: Family) -> None:
    """Add a family of models; calls and pages serve its models from then on, in this process.

    Parameters
    ----------
    family : Family

    Raises
    ------
    InputError
        If a family or a method of that name is there already, or one of its classes has a family.

    See Also
    --------
    core.verification.check_unlearner : Holds an unlearner to what it claims.
    """
    if not isinstance(family, Family):
        raise InputTypeError(f"`family` must be a core.Family. Got {type(family).__name__} instead.")
    if any(family.name == one.name for one in FAMILIES):
        raise InputError(f"Each family must have a name of its own. Got {family.name!r}, which there is already.")
    method = None if family.unlearner is None else family.unlearner.name
    if method in (*TAKEN, *(one.unlearner.name for one in FAMILIES if one.unlearner is not None)):
        raise InputError(f"Each unlearner must have a name of its own. Got {method!r}, which there is already.")
    for one in FAMILIES:
        shared = [kind.__name__ for kind in family.model_types if kind in one.model_types]
        if shared:
            raise InputError(
                f"Each class of models must have one family. {', '.join(shared)} is of {one.name!r} already; register a subclass of it."
            )
    FAMILIES.append(family)


def listed_names(names: Iterable[str]) -> str:
    """Return names as a sentence lists them: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def family_of(model: Any) -> Family | None:
    """Return the family of a model, None where there is none.

    Of a pipeline, that is its last step's; of a ThresholdOptimizer, that of what it goes by.

    Where several families mean it, the one that names the nearest class.
    """
    estimator = final_estimator(scorer(model))
    for kind in type(estimator).__mro__:
        for family in FAMILIES:
            if kind in family.model_types:
                return family
    return None


def own_unlearner(model: Any) -> Unlearner | None:
    """Return the unlearner of a model's family; None where records go by training again alone."""
    family = family_of(model)
    return None if family is None else family.unlearner


def lacking(model: Any, what: str, part: str) -> str:
    """Return a sentence, without its full stop, on something not being known for a model.

    Parameters
    ----------
    model : estimator
    what : str
        Subject and verb: "influence is".
    part : str
        The field of `Family` that would give it.
    """
    family = family_of(model)
    if family is not None:
        return f"{what} not known for {family.name}"
    known = listed_names(one.name for one in FAMILIES if getattr(one, part) is not None)
    return f"{what} known for {known}, not for {with_article(type(final_estimator(scorer(model))).__name__)}"
