"""Classifiers of LightGBM from a Booster's text and the parameters beside it."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelEncoder

from core.errors import listed
from core.files.models.boosters.lightgbm import LIGHTGBM_NAME, LightGBMText, read_lightgbm
from core.files.models.boosters.plain import one_thread, plain_parameters
from core.files.models.boosters.sound import of_another_objective, unsound, with_categories
from core.files.models.inert import InertArray, Made

_OF_CLASSIFIER = {
    "boosting": "boosting_type",
    "num_leaves": "num_leaves",
    "max_depth": "max_depth",
    "learning_rate": "learning_rate",
    "num_iterations": "n_estimators",
    "bin_construct_sample_cnt": "subsample_for_bin",
    "min_gain_to_split": "min_split_gain",
    "min_sum_hessian_in_leaf": "min_child_weight",
    "min_data_in_leaf": "min_child_samples",
    "bagging_fraction": "subsample",
    "bagging_freq": "subsample_freq",
    "feature_fraction": "colsample_bytree",
    "lambda_l1": "reg_alpha",
    "lambda_l2": "reg_lambda",
    "seed": "random_state",
}
"""Parameters that the text records, and what the classifier calls them."""
TRUTHS = (
    *(
        "boost_from_average",
        "deterministic",
        "enable_bundle",
        "extra_trees",
        "feature_pre_filter",
        "force_col_wise",
        "force_row_wise",
    ),
    *("is_enable_sparse", "is_unbalance", "uniform_drop", "use_missing", "xgboost_dart_mode", "zero_as_missing"),
)
OTHERS = (
    *TRUTHS,
    *(
        "bagging_seed",
        "cegb_penalty_split",
        "cegb_tradeoff",
        "data_random_seed",
        "data_sample_strategy",
        "drop_rate",
        "drop_seed",
    ),
    *(
        "extra_seed",
        "feature_fraction_bynode",
        "feature_fraction_seed",
        "max_bin",
        "max_delta_step",
        "max_drop",
        "min_data_in_bin",
    ),
    *(
        "monotone_penalty",
        "neg_bagging_fraction",
        "objective_seed",
        "other_rate",
        "path_smooth",
        "pos_bagging_fraction",
    ),
    *("scale_pos_weight", "sigmoid", "skip_drop", "top_rate"),
)
"""Further parameters that are taken from a file: numbers and truth values; none names a file, a machine or a device."""
SYNONYMS = (
    *(
        "bagging_fraction",
        "bagging_freq",
        "feature_fraction",
        "lambda_l1",
        "lambda_l2",
        "min_data_in_leaf",
        "min_gain_to_split",
    ),
    *("min_sum_hessian_in_leaf", "num_iterations", "seed", "metric", "verbose", "verbosity", "monotone_constraints"),
)
"""What a classifier may have been given besides, under names of the library's own."""
_SILENT = {
    "data",
    "valid",
    "num_threads",
    "verbosity",
    "metric",
    "objective",
    "num_class",
    "tree_learner",
    "device_type",
}
_STATE = frozenset({"unknown_training"})


def build_lightgbm(kind: str, held: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Return an LGBMClassifier, and sentences on it."""
    if kind == "Booster":
        read = _text_of(held)
        params, why = _recorded(read)
        model = _model(read, params, np.array([0, 1]), _best(held))
        if why:
            model.unknown_training = why
        return model, _said_of(why)
    inner = held.get("_Booster")
    params, why = _parameters(held)
    # Not fitted are the parts that an ensemble is made from, which are kept beside those it fitted.
    if not isinstance(inner, Made):
        return _unfitted(params, why), ()
    read = _text_of(inner.attributes)
    model = _model(read, params, _labels(held), _best({"best_iteration": held.get("_best_iteration")}))
    if why := held.get("unknown_training") or why:
        model.unknown_training = str(why)[:500]
    return model, ()


def _unfitted(params: dict[str, Any], why: str) -> Any:
    from lightgbm import LGBMClassifier

    model: Any = LGBMClassifier(**params)
    if why:
        model.unknown_training = why
    return model


def _said_of(why: str) -> tuple[str, ...]:
    if why:
        return (f"No record can be removed from this model: {why}.",)
    return ("It is trained again with the parameters its file records; its labels are 0 and 1.",)


def _text_of(held: dict[str, Any]) -> LightGBMText:
    text = held.get("_handle", held.get("handle", held.get("model_str")))
    if not isinstance(text, str):
        raise unsound(LIGHTGBM_NAME, "the booster has no text")
    if held.get("pandas_categorical"):
        raise with_categories(LIGHTGBM_NAME)
    return read_lightgbm(text)


def _best(held: dict[str, Any]) -> int:
    best = held.get("best_iteration")
    return int(best) if isinstance(best, int | np.integer) and not isinstance(best, bool) and best > 0 else 0


def _model(read: LightGBMText, params: dict[str, Any], classes: Any, best: int) -> Any:
    from lightgbm import Booster, LGBMClassifier

    if best > read.n_rounds:
        raise unsound(LIGHTGBM_NAME, "the best round is none of them")
    model: Any = LGBMClassifier(**params)
    booster = Booster(model_str=read.text)
    booster.best_iteration = best
    n, made_up = len(read.names), [f"Column_{place}" for place in range(len(read.names))]
    encoder = LabelEncoder()
    encoder.classes_ = classes
    model.__dict__.update(
        _Booster=booster,
        _best_iteration=best,
        _best_score={},
        _class_map=dict(zip(classes.tolist(), range(2), strict=True)),
        _class_weight=None,
        _classes=classes,
        _evals_result={},
        _fitted_with_feature_names=read.names != made_up,
        _le=encoder,
        _n_classes=2,
        _n_features=n,
        _n_features_in=n,
        _objective="binary",
        fitted_=True,
    )
    return model


def _labels(held: dict[str, Any]) -> Any:
    encoder = held.get("_le")
    inner = encoder.attributes.get("classes_") if isinstance(encoder, Made) else None
    part = held.get("_classes", inner) if inner is None else inner
    values = part.values if isinstance(part, InertArray) else None
    if (
        values is None
        or values.ndim != 1
        or (values.dtype == object and not all(isinstance(one, str) for one in values))
    ):
        raise unsound(LIGHTGBM_NAME, "the labels are missing")
    if len(values) != 2:
        raise of_another_objective(LIGHTGBM_NAME, f"{len(values)} classes")
    return np.array(values)


def _parameters(held: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the parameters of a classifier, and why it cannot be trained again."""
    from lightgbm import LGBMClassifier

    names = [name for name in signature(LGBMClassifier.__init__).parameters if name not in ("self", "kwargs")]
    params, left = plain_parameters({name: held[name] for name in names if name in held}, names)
    given = held.get("_other_params")
    others, also = plain_parameters(given if isinstance(given, dict) else {}, (*OTHERS, *SYNONYMS))
    params |= others
    params["n_jobs"] = one_thread(held.get("n_jobs"))
    params.setdefault("verbose", -1)
    if params.get("objective") not in (None, "binary"):
        params.pop("objective")
        left.append("objective")
    silent = _SILENT | {"nthread", "n_jobs", "silent"}
    left = [name for name in (*left, *also) if name not in silent]
    if left:
        return params, f"it was trained with {listed(left)}, which is not taken from a file"
    return params, "it stopped early by rows that its file does not hold" if _best(
        {"best_iteration": held.get("_best_iteration")}
    ) else ""


def _recorded(read: LightGBMText) -> tuple[dict[str, Any], str]:
    """Return the parameters that a text records, and why they are not enough to train it again."""
    params: dict[str, Any] = {}
    for name, value in read.settings.items():
        to = _OF_CLASSIFIER.get(name, name if name in OTHERS else "")
        if to and value:
            words = to in ("boosting_type", "data_sample_strategy")
            params[to] = value == "1" if to in TRUTHS else value if words else _number(value)
    params |= {"objective": "binary", "verbose": -1}
    if len(params) < len(_OF_CLASSIFIER):
        return {"verbose": -1}, "its file records no parameters"
    odd = [name for name, usual in _USUAL.items() if read.settings.get(name, usual) not in (usual, "")]
    if odd:
        return params, f"it was trained with {listed(odd)}, which is not taken from a file"
    if params["n_estimators"] != read.n_rounds:
        return (
            params,
            f"its file records {params['n_estimators']:,} rounds and holds {read.n_rounds:,}, so that something else ended its training",
        )
    return params, ""


_USUAL = {
    "early_stopping_round": "0",
    "linear_tree": "0",
    "forcedsplits_filename": "",
    "forcedbins_filename": "",
    "monotone_constraints": "",
    "interaction_constraints": "",
    "feature_contri": "",
    "max_bin_by_feature": "",
    "cegb_penalty_feature_lazy": "",
    "cegb_penalty_feature_coupled": "",
    "use_quantized_grad": "0",
}
"""Settings with which nothing more has to be known to train it again."""


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() and "." not in text and "e" not in text.lower() else value
