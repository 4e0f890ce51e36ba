"""Categories and numbers that a fitted model learned of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from core.case.group_thresholds import scorer

_WRAPPED = ("best_estimator_", "estimator_", "estimator")


@dataclass(frozen=True)
class Learned:
    """The categories that a model learned of one column, or that it takes numbers.

    Parameters
    ----------
    categories : ndarray or None
        The values it knows, missing ones left out; None where it takes any number.
    missing : bool
        Whether it knows missing cells.
    """

    categories: npt.NDArray[Any] | None
    missing: bool = True

    @property
    def text(self) -> bool:
        """Whether some of the categories are text."""
        return self.categories is not None and any(isinstance(value, str) for value in self.categories)


def learned_of(model: Any, names: Sequence[str]) -> dict[str, Learned]:
    """Return what a model learned of its columns; those it says nothing of are left out.

    Looks into pipelines, column transformers, encoders, imputers, and into what searches, calibration and thresholds wrap.

    Parameters
    ----------
    model : estimator
    names : sequence of str
        The columns it gets, in its order.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> rows = pd.DataFrame({"branch": ["01", "02"] * 5})
    >>> model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(rows, [0, 1] * 5)
    >>> learned_of(model, ["branch"])["branch"].categories.tolist()
    ['01', '02']
    """
    found: dict[str, list[Learned]] = {}
    for name, learned in _walk(scorer(model), list(names), False):
        found.setdefault(name, []).append(learned)
    return {name: _one_of(several) for name, several in found.items()}


def _one_of(several: list[Learned]) -> Learned:
    """Categories say more than numbers: a column may go to an encoder and to a scaler."""
    return next((one for one in several if one.categories is not None), several[0])


def _walk(step: Any, names: list[str], filled: bool) -> Iterator[tuple[str, Learned]]:
    if step is None or isinstance(step, str):
        return
    if isinstance(step, Pipeline):
        yield from _through(step, names, filled)
    elif isinstance(step, ColumnTransformer):
        places = getattr(step, "_transformer_to_input_indices", {})
        for name, part, _ in step.transformers_:
            yield from _walk(part, [names[int(place)] for place in places.get(name, ()) if place < len(names)], filled)
    elif isinstance(step, FeatureUnion):
        for _, part in step.transformer_list:
            yield from _walk(part, names, filled)
    elif isinstance(getattr(step, "categories_", None), list):
        for name, values in zip(names, step.categories_, strict=False):
            gaps = pd.isna(np.asarray(values, dtype=object))
            yield name, Learned(np.asarray(values)[~gaps], filled or bool(gaps.any()))
    else:
        yield from _whole(step, names, filled)


def _whole(step: Any, names: list[str], filled: bool) -> Iterator[tuple[str, Learned]]:
    """Ask the model inside a wrapper; others of scikit-learn that count columns take numbers."""
    inner = next((one for name in _WRAPPED if hasattr(one := getattr(step, name, None), "n_features_in_")), None)
    if inner is None and getattr(step, "calibrated_classifiers_", None):
        inner = step.calibrated_classifiers_[0].estimator
    if isinstance(inner, Pipeline):
        yield from _walk(inner, names, filled)
    elif hasattr(step, "n_features_in_") and _takes_numbers(step):
        yield from ((name, Learned(None)) for name in names)


def _takes_numbers(step: Any) -> bool:
    if isinstance(step, FunctionTransformer):
        return step.func is None
    open_ended = isinstance(step, MissingIndicator) or "text" in type(step).__module__
    own = getattr(step, "is_categorical_", None)
    return not open_ended and own is None and type(step).__module__.startswith("sklearn.")


def _through(pipeline: Pipeline, names: list[str], filled: bool) -> Iterator[tuple[str, Learned]]:
    """Ask the first step that is no imputer, which hands its columns on."""
    for _, step in pipeline.steps:
        if step is None or (isinstance(step, str) and step == "passthrough"):
            continue
        if isinstance(step, SimpleImputer) and not step.add_indicator:
            if step.missing_values is not np.nan and not pd.isna(step.missing_values):
                return
            if not hasattr(step, "statistics_"):  # of a part that had no columns, and was not fitted
                return
            empty = pd.isna(np.asarray(step.statistics_, dtype=object))
            names = [name for name, gone in zip(names, empty, strict=False) if not gone or step.keep_empty_features]
            filled = True
            continue
        yield from _walk(step, names, filled)
        return
