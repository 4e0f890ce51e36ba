"""A logistic regression in the place of a model that says nothing about single records: to choose what is worth removing.

Influence follows from how far a record's label lies from what the model says of it. A boosted model that fits its records closely
leaves nothing of that, mistaken labels included.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from core.attribution.base import Attributor
from core.attribution.boosting import StageInfluence
from core.case.case import Case
from core.case.roles import AtRate
from core.errors import NotSupportedError
from core.unlearning.registry import prepare

MOST_VALUES = 200
"""Categories of a column beyond which the surrogate does without it."""


def fits_too_closely(attributor: Attributor) -> bool:
    """Return whether the family's own influence is too weak to search by."""
    return isinstance(attributor, StageInfluence)


def surrogate(case: Case) -> Case:
    """Return the same case with a logistic regression on the same columns, fitted on the retained records.

    Raises
    ------
    NotSupportedError
        If there are more than two classes, or no column that it could use.
    """
    if len(case.classes) != 2:
        raise NotSupportedError(
            f"Rules for a model of this kind are sought for two classes. This model knows {len(case.classes)}."
        )
    X = case.X_train[case.retained]
    numbers = [name for name in X if _is_number(X[name]) and X[name].notna().any()]
    words = [name for name in X if name not in numbers and X[name].nunique() <= MOST_VALUES]
    if not numbers and not words:
        raise NotSupportedError("Rules for a model of this kind need numeric columns or columns with few values.")
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), words),
    )
    weight = None if case.train_weight is None else case.train_weight[case.retained]
    model = make_pipeline(columns, LogisticRegression(solver="newton-cholesky"))
    model.fit(X, case.train_labels[case.retained], logisticregression__sample_weight=weight)
    other = case.replace(model, case.retained)
    keeps = case.score_kind == "probability" or isinstance(case.threshold, AtRate)
    return prepare(other if keeps else other.with_threshold(None))


def _is_number(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
