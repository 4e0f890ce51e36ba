"""Building classifiers of XGBoost, LightGBM and CatBoost from inert parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.errors import InputError, said
from core.files.models.allowed import BOOSTERS
from core.files.models.boosters import of_catboost, of_lightgbm, of_xgboost
from core.files.models.boosters.sound import not_installed, unsound
from core.files.models.inert import Made, named

_BUILD: dict[str, Callable[[str, dict[str, Any]], tuple[Any, tuple[str, ...]]]] = {
    "xgboost": of_xgboost.build_xgboost,
    "lightgbm": of_lightgbm.build_lightgbm,
    "catboost": of_catboost.build_catboost,
}


def build_booster(part: Made) -> tuple[Any, tuple[str, ...]]:
    """Return a classifier, and sentences on it.

    Its library's own loader reads what was found sound, written anew where that can be.

    Parameters
    ----------
    part : Made
        Of a class in `BOOSTERS`.

    Raises
    ------
    InputError
        If the library is not installed, or the booster is damaged, of another objective or of a later release.
    """
    name = named(part.maker)
    library, kind = BOOSTERS[name], name.rpartition(".")[2]
    if why := not_installed(library):
        raise InputError(why)
    try:
        return _BUILD[library](kind, part.attributes)
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, AssertionError) as error:
        if isinstance(error, InputError):
            raise
        raise unsound(library, f"a part is missing or of another kind ({type(error).__name__})") from error
    except Exception as error:  # a library's own error
        raise unsound(library, f"the library finds a fault ({said(error)[:200]})") from error
