"""Another model in the place of one that says nothing about single records.

It chooses what is worth removing.

Influence follows from how far a record's label lies from what the model says of it. A boosted model that fits its records closely
leaves nothing of that, mistaken labels included; a forest does, as single records are held against what is around them.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from core.actions.unlearn import prepare
from core.attribution.base import Attributor
from core.case.case import Case
from core.case.roles import AtRate
from core.errors import NotSupportedError

TREES = 50
LARGE = 1e30
"""The surrogate does without columns that hold infinities or larger numbers than this."""
MOST_VALUES = 200
"""Categories of a column beyond which the surrogate does without it."""


def fits_too_closely(attributor: Attributor) -> bool:
    """Return whether the family's own influence is too weak to search by."""
    return attributor.follows_labels


def surrogate(case: Case, *, trees: bool = False) -> Case:
    """Return the same case with a logistic regression, or a forest, on the same columns.

    Fitted on the retained records.

    Raises
    ------
    NotSupportedError
        If there is no column that it could use.
    """
    X = case.X_train[case.retained]
    names = [str(name) for name in X]
    tables = X, case.X_test
    names = [name for name in names if X[name].notna().any() and not any(_has_large(table[name]) for table in tables)]
    numbers = [name for name in names if _is_number(X[name])]
    words = [name for name in names if name not in numbers and X[name].nunique() <= MOST_VALUES]
    if not numbers and not words:
        raise NotSupportedError("Rules for a model of this kind need numeric columns or columns with few values.")
    weight = None if case.train_weight is None else case.train_weight[case.retained]
    model = _forest(X, numbers, words) if trees else _logistic(numbers, words)
    model.fit(X, case.train_labels[case.retained], **{f"{model.steps[-1][0]}__sample_weight": weight})
    other = case.replace(model, case.retained)
    keeps = case.score_kind == "probability" or isinstance(case.threshold, AtRate)
    return prepare(other if keeps else other.with_threshold(None))


def _logistic(numbers: list[str], words: list[str]) -> Any:
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), words),
    )
    return make_pipeline(columns, LogisticRegression(solver="newton-cholesky"))


def _forest(X: pd.DataFrame, numbers: list[str], words: list[str]) -> Any:
    below = float(X[numbers].min().min()) - 1.0 if numbers else 0.0
    columns = make_column_transformer(
        (make_pipeline(FunctionTransformer(_as_floats), SimpleImputer(strategy="constant", fill_value=below)), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), words),
        sparse_threshold=0.0,
    )
    return make_pipeline(columns, RandomForestClassifier(TREES, random_state=0))


def _as_floats(X: pd.DataFrame) -> pd.DataFrame:
    """Return whole numbers as floats too.

    SimpleImputer would not fill them with anything but a whole number.
    """
    return X.astype("float64")


def _has_large(values: pd.Series[Any]) -> bool:
    return _is_number(values) and bool((values.abs() > LARGE).any())


def _is_number(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
