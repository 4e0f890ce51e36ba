"""Telling what a booster's bytes hold, by reading them as data; no library is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import InputError
from core.files.models.allowed import BOOSTERS
from core.files.models.boosters.lightgbm import read_lightgbm
from core.files.models.boosters.xgboost import OLD_FORMATS, old_format, read_xgboost
from core.files.models.inert import Made, Name, named

_SPACE = b" \t\r\n"


@dataclass(frozen=True)
class Told:
    """Facts known of a booster before it is built.

    Parameters
    ----------
    names : tuple of str
        Of its columns; empty where it has none, or the library made them up.
    n_columns : int or None
    why : str
        Why it is not opened; empty where it is, as far as this tells.
    """

    names: tuple[str, ...] = ()
    n_columns: int | None = None
    why: str = ""


def read_booster(data: bytes) -> tuple[str, Made] | None:
    """Return the format of a boosting library's file, and the inert part it stands for.

    None where the data are no such file.

    Raises
    ------
    InputError
        If it is in a format that its library gave up.
    """
    if data.startswith(OLD_FORMATS):
        raise old_format()
    if data.startswith(b"CBM1"):
        return "CatBoost", _part("catboost.core", "CatBoostClassifier", {"__model": data})
    if data.startswith((b"tree\n", b"tree\r\n")):
        text = data.decode("utf-8", "replace").replace("\r\n", "\n")
        return "LightGBM", _part("lightgbm.basic", "Booster", {"_handle": text})
    if data.lstrip(_SPACE).startswith(b"{"):
        return "XGBoost", _part("xgboost.core", "Booster", {"handle": data.lstrip(_SPACE)})
    return None


def _part(module: str, name: str, state: dict[str, Any]) -> Made:
    part = Made(Name(module, name))
    part.state = state
    return part


def told(part: Made) -> Told:
    """Tell what a part holds that stands for a booster, or a classifier around one."""
    library = BOOSTERS[named(part.maker)]
    inner = part.attributes.get("_Booster", part)
    held = inner.attributes if isinstance(inner, Made) else {}
    try:
        if library == "xgboost" and isinstance(held.get("handle"), bytes):
            about = read_xgboost(held["handle"])["learner"]
            return Told(tuple(about["feature_names"]), int(about["learner_model_param"]["num_feature"]))
        text = held.get("_handle", held.get("handle"))
        if library == "lightgbm" and isinstance(text, str):
            names = read_lightgbm(text).names
            made_up = names == [f"Column_{place}" for place in range(len(names))]
            return Told(() if made_up else tuple(names), len(names))
    except InputError as error:
        return Told(why=str(error))
    return Told()
