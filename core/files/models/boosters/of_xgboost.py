"""Classifiers of XGBoost from a Booster's bytes and the parameters beside them."""

from __future__ import annotations

from inspect import signature
from math import isnan
from typing import Any

import numpy as np

from core.errors import InputError, listed
from core.files.models.boosters.plain import one_thread, plain_parameters
from core.files.models.boosters.sound import unsound
from core.files.models.boosters.xgboost import XGBOOST_NAME, read_xgboost, text_for_loader
from core.files.models.inert import InertArray, Made

NO_PARAMETERS = "a file of XGBoost alone holds no parameters; open the pickled XGBClassifier, or train it again"
ALONE = "A file of XGBoost alone records neither the parameters nor the mark of missing cells: NaN is taken for missing, and no record can be removed."
OTHERS = frozenset(
    {"alpha", "eta", "lambda", "min_split_loss", "normalize_type", "one_drop", "rate_drop", "sample_type", "skip_drop"}
    | {"feature_selector", "top_k", "updater", "refresh_leaf", "seed_per_iteration", "max_cached_hist_node"}
)
"""Parameters of the library's own that are taken beside those of the classifier: none names a file or a device."""
_FORMER = frozenset({"silent", "use_label_encoder", "gpu_id", "predictor", "nthread", "seed", "_le", "_features_count"})
_STATE = frozenset({"kwargs", "unknown_training"})


def build_xgboost(kind: str, held: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Return an XGBClassifier, and sentences on it."""
    from xgboost import XGBClassifier, XGBRFClassifier

    if kind == "Booster":
        model = XGBClassifier()
        about = _load(model, held)
        model.unknown_training = NO_PARAMETERS
        return model, (*about, ALONE)
    inner = held.get("_Booster")
    _check_labels(held)
    made = XGBRFClassifier if kind == "XGBRFClassifier" else XGBClassifier
    params, left = _parameters(made, held)
    model = made(**params)
    # Not fitted are the parts that an ensemble is made from, which are kept beside those it fitted.
    notes: tuple[str, ...] = ()
    if isinstance(inner, Made):
        notes = _load(model, inner.attributes)
    why = _why_never_again(params, left, held)
    if why:
        model.unknown_training = why
    return model, notes


def _load(model: Any, held: dict[str, Any]) -> tuple[str, ...]:
    from xgboost import Booster, __version__, config_context

    data = held.get("handle")
    if not isinstance(data, bytes):
        raise unsound(XGBOOST_NAME, "the booster has no bytes")
    read = read_xgboost(data)
    with config_context(verbosity=0):  # which would warn of early releases
        booster = Booster()
        booster.load_model(text_for_loader(read))
    model._Booster, model.n_classes_ = booster, 2
    made_with = ".".join(map(str, read["version"]))
    if read["version"][:2] == [int(one) for one in __version__.split(".")[:2]]:
        return ()
    return (
        f"The model was made with XGBoost {made_with} and scores alike; training it again is done by {__version__}, whose defaults are others.",
    )


def _parameters(made: Any, held: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters, and the names of those that are not taken."""
    from xgboost import XGBModel

    known = [*signature(XGBModel.__init__).parameters, *signature(made.__init__).parameters]
    names = {name for name in known if name not in ("self", "kwargs", "callbacks")}
    others = held["kwargs"] if isinstance(held.get("kwargs"), dict) else {}
    others = {name: value for name, value in others.items() if name not in _FORMER}
    fitted = {name for name in held if name.startswith("_") or name.endswith("_")}
    asked = {name: value for name, value in held.items() if name not in _FORMER | _STATE | fitted | set(others)}
    params, left = plain_parameters(asked | others, names | OTHERS)
    missing = params.get("missing", float("nan"))
    if missing is not None and not (isinstance(missing, float) and isnan(missing)):
        raise InputError(
            f"{made.__name__} must take NaN alone for missing cells. Got one trained with missing={missing!r}; write NaN for that and train it again."
        )
    params["missing"] = float("nan")
    if params.get("random_state") is None and type(held.get("seed")) is int:
        params["random_state"] = held["seed"]
    params["n_jobs"] = one_thread(held.get("n_jobs", held.get("nthread")))
    params["device"] = None  # training again is for the processor, whatever it was trained on
    if str(params.get("tree_method", "")).startswith("gpu"):
        params["tree_method"] = "hist"
    return params, [name for name in left if (asked | others)[name] is not None]


def _why_never_again(params: dict[str, Any], left: list[str], held: dict[str, Any]) -> str:
    given = held.get("unknown_training")
    if isinstance(given, str) and given:
        return given[:500]
    if left:
        return f"it was trained with {listed(left)}, which is not taken from a file"
    if params.get("early_stopping_rounds") is not None:
        return "it stopped early by rows that its file does not hold"
    return ""


def _check_labels(held: dict[str, Any]) -> None:
    """Raise where an XGBoost before 2.0 encoded labels of its own."""
    classes = held.get("classes_")
    if isinstance(classes, InertArray) and classes.values is not None:
        labels = classes.values.tolist()
        if labels != [0, 1]:
            if len(labels) > 2:
                return  # of another objective, which is said with it
            raise InputError(
                f"XGBClassifier must have been trained on the labels 0 and 1. Got {listed(labels)}; recode them and train it again."
            )
    n_classes = held.get("n_classes_", 2)
    if isinstance(n_classes, int | np.integer) and n_classes < 2:
        raise unsound(XGBOOST_NAME, "there are fewer than two classes")
