"""Training a model on a table alone, and the recipe of a model as code."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from core.case.arguments import check_choice
from core.case.door import check_columns, check_seed, training_weights
from core.case.roles import Roles
from core.errors import InputError, InputTypeError, listed, said

MODELS = {"logistic": "logistic regression", "forest": "random forest", "boosting": "gradient boosting"}
"""Kinds of models that can be trained, and their names in a sentence."""

MOST_CATEGORIES = 100
"""A text column with more values is left out where most rows have one of their own, as names and ids do."""
MOST_WIDE = 500
"""Up to this many columns after one-hot encoding the quadratic solver is the quicker one, and ends at the optimum."""


def train_model(train: pd.DataFrame, roles: Roles, *, kind: str = "logistic", seed: int = 0) -> Pipeline:
    """Train a classifier on a table: O(cells) for its preparation, then as scikit-learn.

    Missing numbers become the median, but for boosting, which takes them as they are; text is one-hot encoded, unknown values ignored; numbers
    are scaled for logistic regression. Left out are the label, ids, the weight, `Roles.exclude`, dates, columns of one value, and text where
    most rows have a value of their own. Sensitive features are learned unless they are excluded.

    Parameters
    ----------
    train : DataFrame
        As `core.read_table` or `core.settle_tables` gives it.
    roles : Roles
        The label and what no model may learn; `Roles.features` names the columns, where it is set.
    kind : {"logistic", "forest", "boosting"}
    seed : int
        Of the draws of a forest; the same table, kind and seed give the same model.

    Returns
    -------
    Pipeline
        Fitted: "prepare", a ColumnTransformer, and "model". `core.model_recipe` gives its code, `core.save_model` a skops file.

    Raises
    ------
    InputError
        If there is no label with two classes, or no column to learn from.

    Examples
    --------
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, None] * 5, "sex": ["f", "m"] * 10, "granted": [0, 0, 1, 1] * 5})
    >>> model = train_model(table, Roles("granted", 1, 1, ["sex"]))
    >>> model.feature_names_in_.tolist(), model.predict(table[:3]).tolist()
    (['income', 'sex'], [0, 0, 1])
    """
    if not isinstance(train, pd.DataFrame):
        raise InputTypeError(f"The training table must be a pandas DataFrame. Got {type(train).__name__} instead.")
    if not isinstance(roles, Roles):
        raise InputTypeError(
            f"The roles must be core.Roles. Got {type(roles).__name__} instead; write core.Roles(...)."
        )
    check_choice("kind", kind, tuple(MODELS))
    check_seed(seed)
    labels = _labels(train, roles.target)
    numbers, truths, texts = _columns(train, roles)
    prepare = ColumnTransformer(_parts(train, kind, numbers, truths, texts))
    width = len(numbers) + len(truths) + sum(train[name].nunique() for name in texts)
    model = Pipeline([("prepare", prepare), ("model", _estimator(kind, seed, width))])
    weights = training_weights(train, roles.sample_weight)
    try:
        model.fit(
            train[[*numbers, *truths, *texts]], labels, **({} if weights is None else {"model__sample_weight": weights})
        )
    except (ValueError, TypeError) as error:
        raise InputError(
            f"A model must be trainable on the table. scikit-learn says: {said(error)}. Mend such cells, or exclude their column."
        ) from error
    return model


def model_recipe(model: BaseEstimator) -> str:
    """Return code that makes an unfitted model with the same classes, columns and parameters.

    Parameters at their defaults are left out. What the code makes is called `model`; `model.fit(X, y)` trains it.

    Examples
    --------
    >>> print(model_recipe(LogisticRegression(C=0.5)))
    from sklearn.linear_model import LogisticRegression
    <BLANKLINE>
    model = LogisticRegression(C=0.5)
    """
    if not isinstance(model, BaseEstimator) or isinstance(model, type):
        raise InputTypeError(f"A recipe must be asked of a scikit-learn estimator. Got {type(model).__name__} instead.")
    found: dict[str, str] = {}
    _classes(model, found)
    imports = [
        f"from {module} import {name}" for name, module in sorted(found.items(), key=lambda pair: (pair[1], pair[0]))
    ]
    code = clone(model).__repr__(N_CHAR_MAX=1_000_000)
    return "\n".join([*imports, "", f"model = {code}"])


def _classes(part: Any, found: dict[str, str]) -> None:
    """Collect the class of every estimator in a model, by the package that exports it."""
    if isinstance(part, BaseEstimator) and not isinstance(part, type):
        found[type(part).__name__] = _exported_by(type(part))
        for value in part.get_params(deep=False).values():
            _classes(value, found)
    elif isinstance(part, list | tuple):
        for one in part:
            _classes(one, found)


def _exported_by(kind: type) -> str:
    """Return the outermost package that exports a class."""
    parts = kind.__module__.split(".")
    packages = (".".join(parts[:depth]) for depth in range(1, len(parts)))
    return next(
        (one for one in packages if getattr(sys.modules.get(one), kind.__name__, None) is kind), kind.__module__
    )


def _labels(train: pd.DataFrame, target: str) -> Any:
    check_columns(train, (target,), what="The label column", where="training")
    column = train[target]
    if column.isna().any():
        raise InputError(
            f"Every record must have a label. {int(column.isna().sum())} of {len(column)} have none; drop them."
        )
    if column.nunique() < 2:
        raise InputError(
            f"The label must have at least two classes. {target!r} has only {listed(column.unique())}; choose another."
        )
    if pd.api.types.is_float_dtype(column) and not (column == column.round()).all():
        raise InputError(
            f"The label must be classes. {target!r} holds numbers with decimals; choose another column, or bin it."
        )
    return column.to_numpy()


def _columns(train: pd.DataFrame, roles: Roles) -> tuple[list[str], list[str], list[str]]:
    """Return the columns to learn from: numbers, truth values and text."""
    left = {roles.target, roles.record_id, roles.subject_id, roles.sample_weight, *roles.exclude}
    names = [name for name in train.columns if name not in left] if roles.features is None else list(roles.features)
    check_columns(train, tuple(names), what="Every feature", where="training")
    numbers, truths, texts = list[str](), list[str](), list[str]()
    for name in names:
        column = train[name]
        if column.nunique() < 2 and roles.features is None and not (column.notna().any() and column.isna().any()):
            continue
        if pd.api.types.is_bool_dtype(column) and not column.isna().any():
            truths.append(name)
        elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            if np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan)).any():
                raise InputError(f"Numbers must be finite. {name!r} has infinite cells; mend them, or exclude it.")
            numbers.append(name)
        elif not pd.api.types.is_datetime64_any_dtype(column) and (
            roles.features is not None or not _of_their_own(column)
        ):
            texts.append(name)
    if not [*numbers, *truths, *texts]:
        raise InputError("A model must have columns to learn from. None is left; exclude fewer.")
    return numbers, truths, texts


def _of_their_own(column: pd.Series[Any]) -> bool:
    return bool(column.nunique() > max(MOST_CATEGORIES, len(column) / 2))


def _parts(
    train: pd.DataFrame, kind: str, numbers: list[str], truths: list[str], texts: list[str]
) -> list[tuple[str, Any, list[str]]]:
    steps: list[tuple[str, Any]] = []
    if kind != "boosting" and train[numbers].isna().any(axis=None):
        steps.append(("impute", SimpleImputer(strategy="median", keep_empty_features=True)))
    if kind == "logistic":
        steps.append(("scale", StandardScaler()))
    of_numbers = "passthrough" if not steps else steps[0][1] if len(steps) == 1 else Pipeline(steps)
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", of_numbers, numbers), ("truths", "passthrough", truths), ("texts", encode, texts)]
    return [part for part in parts if part[2]]


def _estimator(kind: str, seed: int, width: int) -> Any:
    if kind == "forest":
        return RandomForestClassifier(n_estimators=100, min_samples_leaf=2, random_state=seed)
    if kind == "boosting":
        return HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
    if width <= MOST_WIDE:
        return LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=1000)
    return LogisticRegression(tol=1e-8, max_iter=5000)
