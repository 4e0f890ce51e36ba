"""Looking through a rebuilt model before it is used.

Some settings reach files or grow without bound; some numbers compiled code would trust.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import Any

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.postprocessing._interpolated_thresholder import InterpolatedThresholder
from fairlearn.postprocessing._threshold_operation import ThresholdOperation
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures

from core.case.group_thresholds import PREDICT_METHODS
from core.errors import InputError, LimitError
from core.files.models.arrays import plain_dtype
from core.files.models.building.special import malformed
from core.files.models.compiled import check_numbers

_MOST_PRODUCTS = 100_000
_LONGEST_TYPE = 40


def check_content(model: object) -> None:
    """Check every part of a rebuilt model.

    Every object's attributes are walked, of whatever class. Cost grows with the number of its parts and of its trees' nodes.

    Parameters
    ----------
    model : object
        What was rebuilt; not yet used for anything.

    Raises
    ------
    InputError
        If a part would read or write files, take memory without bound, or hold a tree or table that points outside itself.
    """
    for part in parts_of(model):
        try:
            _check_settings(part)
            check_numbers(part)
            if isinstance(part, InterpolatedThresholder | ThresholdOptimizer):
                _check_thresholds(part)
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            if isinstance(error, InputError):
                raise
            raise malformed(f"a part of {type(part).__name__} is missing") from error


def parts_of(model: object) -> Iterator[object]:
    """Yield every object with attributes of a rebuilt model, once."""
    pending, seen = [model], set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, list | tuple | set | frozenset) or (
            isinstance(part, np.ndarray) and part.dtype == object
        ):
            pending.extend(part)
        elif not isinstance(part, type) and hasattr(part, "__dict__"):
            yield part
            pending.extend(vars(part).values())


def _check_settings(part: Any) -> None:
    if getattr(part, "memory", None) is not None:
        raise InputError(
            "A pipeline must have memory=None, since its cache reads and writes files by a path in the model. "
            f"Got {str(part.memory)[:100]!r}; call set_params(memory=None) and save it again."
        )
    if isinstance(part, BaseEstimator) and isinstance(vars(part).get("dtype"), str):
        # A text of many types would be spelled out anew with every call.
        plain_dtype(part.dtype)
    if isinstance(part, make_column_selector):
        _check_selector(part)
    if isinstance(part, ColumnTransformer | FeatureUnion) and not isinstance(part.verbose_feature_names_out, bool):
        raise malformed("names of columns are formatted by a text of the model's own")
    if isinstance(part, FunctionTransformer) and (part.kw_args or part.inv_kw_args or callable(part.feature_names_out)):
        raise malformed("a FunctionTransformer hands on arguments of the model's own")
    if isinstance(part, PolynomialFeatures) and hasattr(part, "n_features_in_"):
        degree = part._max_degree
        if not 0 <= degree <= _LONGEST_TYPE or comb(part.n_features_in_ + degree, degree) > _MOST_PRODUCTS:
            raise LimitError(
                f"A model can make at most {_MOST_PRODUCTS:,} products of columns. PolynomialFeatures of degree {degree} makes more; save a simpler model."
            )


def _check_selector(part: make_column_selector) -> None:
    if part.pattern is not None:
        raise InputError(
            f"A column selector must choose columns by type. Got the pattern {str(part.pattern)[:100]!r}; list the columns and save the model again."
        )
    for chosen in (part.dtype_include, part.dtype_exclude):
        for one in chosen if isinstance(chosen, list | tuple) else [chosen]:
            if isinstance(one, str) and len(one) > _LONGEST_TYPE:
                raise malformed("a column selector chooses a type of many")


def _check_thresholds(part: Any) -> None:
    """Check what deciding by thresholds of groups calls.

    It calls the estimator's method by its stored name, and each rule's comparison.
    """
    if {part.predict_method, getattr(part, "_predict_method", "auto")} - set(PREDICT_METHODS):
        raise malformed("a ThresholdOptimizer asks for a method that gives no predictions")
    inner = getattr(part, "interpolated_thresholder_", None)
    if isinstance(part, ThresholdOptimizer) and not (
        isinstance(inner, InterpolatedThresholder) and isinstance(part.estimator_, ClassifierMixin | Pipeline)
    ):
        raise malformed("a ThresholdOptimizer lacks its thresholds or the classifier that scores")
    rules = part.interpolation_dict if isinstance(part, InterpolatedThresholder) else {}
    for rule in rules.values():
        operations = rule["operation0"], rule["operation1"]
        if not all(isinstance(one, ThresholdOperation) and one.operator in ("<", ">") for one in operations):
            raise malformed("a group's rule is not a comparison with a threshold")
        shares = rule["p0"], rule["p1"], rule.get("p_ignore", 0.0), rule.get("prediction_constant", 0.0)
        if not all(isinstance(one, float | int) for one in (*shares, *(one.threshold for one in operations))):
            raise malformed("a group's rule has a threshold or a share that is no number")
