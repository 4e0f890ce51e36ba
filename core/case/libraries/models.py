"""Models of XGBoost, LightGBM and CatBoost, read alike whichever library keeps them.

Nothing here imports a library: a model is known by the name of its class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

LIBRARIES = ("xgboost", "lightgbm", "catboost")


def library_of(model: Any) -> str:
    """Return the boosting library that a model is of, or an empty string.

    Subclasses of its booster and of its classifiers count.
    """
    for kind in type(model).__mro__:
        library = kind.__module__.partition(".")[0]
        if library in LIBRARIES and kind.__name__ in ("Booster", "XGBModel", "LGBMModel", "CatBoost"):
            return library
    return ""


def content_of(model: Any) -> list[Any] | None:
    """Return the content of a booster, or of a classifier around one, as plain values.

    None for models of other kinds. Left out is what differs from one training, or reading, to the next: identifiers, times, caches, thread counts.
    """
    library = library_of(model)
    if not library:
        return None
    if type(model).__name__ == "Booster":
        return [_trees(model, library)]
    booster = model if library == "catboost" else getattr(model, "_Booster", None)
    fitted = model.is_fitted() if library == "catboost" else booster is not None
    params = {name: value for name, value in model.get_params(deep=False).items() if name not in _THREADS}
    if library == "catboost" and fitted:
        params = {}  # the trees' own file records all of them
    known = [type(model).__qualname__, params, getattr(model, "unknown_training", "")]
    return [*known, np.asarray(model.classes_), _trees(booster, library)] if fitted else known


def own_names(model: Any) -> Any:
    """Return the names of the columns that a classifier was fitted on.

    None where its library made them up.
    """
    names = getattr(model, "feature_names_" if library_of(model) == "catboost" else "feature_names_in_", None)
    if names is None or not library_of(model):
        return names
    made_up = any(list(names) == [f"{stem}{place}" for place in range(len(names))] for stem in ("", "Column_"))
    return None if made_up or not len(names) else np.asarray(names, dtype=object)


def names_in_table(model: Any, names: tuple[str, ...], columns: Iterable[Any]) -> tuple[str, ...]:
    """Return a model's own names of columns as a table has them.

    LightGBM writes an underscore for each space.

    Examples
    --------
    >>> names_in_table(None, ("capital_gain",), ["capital gain"])
    ('capital_gain',)
    """
    if library_of(model) != "lightgbm":
        return names
    known = list(columns)
    spelled = [re.sub(r"\s", "_", str(column)) for column in known]
    found = {name: column for name, column in zip(spelled, known, strict=True) if spelled.count(name) == 1}
    return tuple(name if name in known else found.get(name, name) for name in names)


def _trees(booster: Any, library: str) -> Any:
    if library == "xgboost":
        return bytes(booster.save_raw("ubj"))
    if library == "lightgbm":
        return booster.model_to_string(num_iteration=-1).partition("\nend of trees")[0]
    told = (
        not booster.get_cat_feature_indices()
    )  # with categories the library asks for the training rows to tell splits
    splits = [booster._get_tree_splits(tree, None) for tree in range(booster.tree_count_)] if told else []
    bias = booster.get_scale_and_bias()
    return [booster.get_leaf_values(), booster.get_leaf_weights(), splits, list(bias), list(booster.feature_names_)]


_THREADS = ("n_jobs", "nthread", "num_threads", "thread_count")
