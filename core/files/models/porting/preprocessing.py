"""Steps before a model, of earlier releases."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import FunctionTransformer


def _one_hot(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    if ((former := held.pop("sparse", None)) is not None and held.get("sparse_output") is None) or (
        former is not None and former != "deprecated"
    ):
        held["sparse_output"] = bool(former)
    held.setdefault("min_frequency", None)
    held.setdefault("max_categories", None)
    if "categories_" in held:
        held.setdefault("_infrequent_enabled", False)
        held.setdefault("_drop_idx_after_grouping", made.drop_idx_)
        held.setdefault("_n_features_outs", made._compute_n_features_outs())
    return ()


def _ordinal(_: Any, held: dict[str, Any], __: int) -> tuple[str, ...]:
    if "categories_" in held:
        held.setdefault("_infrequent_enabled", False)
        held.setdefault("_missing_indices", {})
    return ()


def _imputer(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    held.pop("verbose", None)
    if "statistics_" in held:
        held.setdefault("_fit_dtype", made.statistics_.dtype)
        held.setdefault("_fill_dtype", made._fit_dtype)
    return ()


def _bins(_: Any, held: dict[str, Any], release: int) -> tuple[str, ...]:
    if release < 7 or held.get("quantile_method") == "warn":
        held["quantile_method"] = "linear"
    if held.get("subsample", "warn") == "warn":
        held["subsample"] = None
    return ()


def _columns(made: Any, held: dict[str, Any], release: int) -> tuple[str, ...]:
    for name in ("_n_features", "force_int_remainder_cols"):
        held.pop(name, None)
    former = held.pop("_name_to_fitted_passthrough", None) or {}
    if release < 4 and "transformers_" in held:
        made.transformers_ = [
            (name, former.get(name) or _passes(made, name) if _is(step, "passthrough") else step, columns)
            for name, step, columns in made.transformers_
        ]
    return ()


def _is(step: Any, word: str) -> bool:
    return isinstance(step, str) and step == word


def _passes(made: Any, name: str) -> FunctionTransformer:
    """Return the fitted step that stands today where columns pass through."""
    step = FunctionTransformer(accept_sparse=True, check_inverse=False, feature_names_out="one-to-one")
    step.set_output(transform="default")
    places = made._transformer_to_input_indices[name]
    step.n_features_in_ = len(places)
    names = getattr(made, "feature_names_in_", None)
    if names is not None:
        step.feature_names_in_ = np.asarray([names[place] for place in places], dtype=object)
    return step


RULES = {
    "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal,
    "SimpleImputer": _imputer,
    "KBinsDiscretizer": _bins,
    "ColumnTransformer": _columns,
}
