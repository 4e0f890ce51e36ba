"""Checks made once, when tables and a model become a case."""

from __future__ import annotations

import contextlib
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from core.case.group_thresholds import decides_by_group, scorer
from core.case.libraries.models import names_in_table
from core.case.readings.alike import by_meaning, meaning
from core.case.roles import Roles
from core.case.scoring import column_names, columns_taken
from core.errors import InputError, InputTypeError, listed, nearest


def check_tables(train: object, test: object) -> None:
    """Raise unless both tables are DataFrames with rows, and with unique text column names."""
    for name, table in (("training", train), ("test", test)):
        if not isinstance(table, pd.DataFrame):
            raise InputTypeError(f"The {name} table must be a pandas DataFrame. Got {type(table).__name__} instead.")
        if table.empty:
            raise InputError(
                f"The {name} table must have rows and columns. Got {table.shape[0]} rows and {table.shape[1]} columns."
            )
        repeated = table.columns[table.columns.duplicated()]
        if len(repeated):
            raise InputError(f"Column names must be unique. The {name} table repeats {listed(repeated)}; rename them.")


def check_model(model: object) -> None:
    """Raise unless `model` is a fitted classifier that gives scores."""
    if decides_by_group(model):
        _check_thresholds(model)
        model = scorer(model)
    if not (hasattr(model, "predict_proba") or hasattr(model, "decision_function")):
        with contextlib.suppress(NotFittedError, TypeError):
            check_is_fitted(model)
        raise InputTypeError(
            f"The model must be a fitted classifier with predict_proba or decision_function. Got {type(model).__name__} instead."
        )
    if isinstance(model, type):
        raise InputTypeError(
            f"The model must be a fitted classifier. Got the class {model.__name__}; make one of it and call fit."
        )
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise InputError(
            f"The model must be fitted. This {type(model).__name__} is not; call fit on its training data first."
        ) from error
    if not hasattr(model, "classes_"):
        raise InputTypeError(f"The model must be a classifier. {type(model).__name__} has no classes_.")


def _check_thresholds(model: Any) -> None:
    if not hasattr(model, "interpolated_thresholder_"):
        raise InputError(
            "The model must be fitted. This ThresholdOptimizer is not; call fit on its training data first."
        )
    classes = list(getattr(scorer(model), "classes_", ()))
    if classes != [0, 1]:
        raise InputError(
            f"A ThresholdOptimizer must stand on a classifier of the labels 0 and 1. Got {listed(classes)}; recode the labels."
        )


def check_seed(seed: object) -> None:
    """Raise unless `seed` can seed a split."""
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise InputTypeError(f"The seed must be a whole number. Got {seed!r} instead; 0 is usual.")
    if seed < 0:
        raise InputError(f"The seed must not be negative. Got {seed}; 0 is usual.")


def retained_rows(retained: object, n: int) -> npt.NDArray[np.bool_]:
    """Return which of `n` training rows the model knows: all unless a mask says otherwise."""
    if retained is None:
        return np.ones(n, dtype=bool)
    mask = np.asarray(retained)
    if mask.dtype != np.bool_ or mask.shape != (n,) or not mask.any():
        raise InputError(
            f"`retained` must say of each of the {n:,} training rows whether the model knows it, and keep some. Got {mask.dtype} of shape {mask.shape}."
        )
    return mask.copy()


def check_columns(table: pd.DataFrame, columns: tuple[str, ...], *, what: str, where: str) -> None:
    """Raise if `table` lacks any of `columns`, naming the nearest ones it has."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        hint = nearest(missing[0], [column for column in table.columns if column not in columns])
        way_out = f".{hint}" if hint else "; add what is missing."
        raise InputError(f"{what} must be in the {where} table. It lacks {listed(missing)}{way_out}")


def check_named(roles: Roles, table: pd.DataFrame, where: str) -> None:
    """Raise if groups are to be made of a column that the table lacks."""
    for name, columns in (("merge", roles.merge), ("ages_on", roles.ages_on or {})):
        check_columns(table, tuple(columns), what=f"Every column in Roles.{name}", where=where)


def resolve_features(model: Any, train: pd.DataFrame, roles: Roles) -> tuple[str, ...]:
    """Return the columns the model gets, in its order.

    Raises
    ------
    InputError
        If an explicit list differs from the model's own names, or an unnamed model leaves the columns open.
    """
    own = column_names(model)
    if own is not None:
        names = names_in_table(scorer(model), tuple(str(name) for name in own), train.columns)
        if roles.features is not None and tuple(roles.features) != names:
            raise InputError(
                f"Roles.features must equal the model's own columns in order. The model was fitted on {listed(names)}; "
                f"got {listed(roles.features)}. Leave features out to use the model's."
            )
    elif roles.features is not None:
        names = tuple(roles.features)
        count = getattr(model, "n_features_in_", len(names))
        if len(names) != count:
            raise InputError(f"Roles.features must name the {count} columns the model was fitted on. Got {len(names)}.")
    else:
        names = _remaining(model, train, roles)
    if roles.target in names:
        if own is None:
            raise InputError(
                f"The label must not be a feature. Roles.features names {roles.target!r}; leave it out, or choose another label."
            )
        raise _fitted_on_the_label(model, names, roles.target)
    check_columns(train, names, what="Every column the model needs", where="training")
    return names


def _fitted_on_the_label(model: Any, names: tuple[str, ...], target: str) -> InputError:
    """Return the error for a label among the columns a model was fitted on.

    A ColumnTransformer may take it or not.
    """
    taken = columns_taken(model)
    fitted = f"The label must not be a feature. The model was fitted on a table that holds it: {target!r} is among {listed(names)}"
    if taken is None:
        return InputError(f"{fitted}. Fit it again without that column, or choose another label.")
    if target in taken:
        return InputError(
            f"{fitted}, and its ColumnTransformer takes {listed(taken)}, so that it predicts the label from itself. Fit the pipeline again "
            "without that column, in the table and in the ColumnTransformer, or choose another label."
        )
    return InputError(
        f"{fitted}, though its ColumnTransformer takes only {listed(taken)}. Fit the pipeline again on a table of just these columns, "
        "or choose another label."
    )


def _remaining(model: Any, train: pd.DataFrame, roles: Roles) -> tuple[str, ...]:
    taken = {roles.target, roles.record_id, roles.subject_id, roles.sample_weight, *roles.exclude}
    names = tuple(column for column in train.columns if column not in taken)
    count = getattr(model, "n_features_in_", None)
    if count is not None and count != len(names):
        raise InputError(
            f"A model without column names needs exactly {count} columns besides label, ids and weight. "
            f"The training table leaves {len(names)}; name them in Roles.features."
        )
    return names


def resolve_label(value: object, classes: npt.NDArray[Any], *, role: str) -> object:
    """Return the model's own class that equals `value`."""
    for label in classes:
        if pd.api.types.is_scalar(value) and (label == value or str(label) == str(value)):
            return label
    known, _ = by_meaning(classes.tolist())
    if pd.api.types.is_scalar(value) and meaning(value) in known:
        return classes[[meaning(label) for label in classes.tolist()].index(meaning(value))]
    raise InputError(f"{role} must be a class of the model. Got {value!r}; the model knows {listed(classes)}.")


def labels_as_codes(table: pd.DataFrame, target: str, classes: npt.NDArray[Any], *, where: str) -> npt.NDArray[np.intp]:
    """Return each label's index into the model's classes."""
    check_columns(table, (target,), what="The label column", where=where)
    column = table[target]
    if column.isna().any():
        raise InputError(
            f"Every record must have a label. {int(column.isna().sum())} of {len(column)} in the {where} table have none; drop them."
        )
    codes: npt.NDArray[np.intp] = pd.Index(classes).get_indexer(pd.Index(column))
    unseen = column[codes < 0].unique()
    if len(unseen):
        raise InputError(
            f"Every label must be a class the model knows. The {where} table has {listed(unseen)} in {target!r}; "
            f"the model knows {listed(classes)}. Choose the right label column or recode it."
        )
    if len(np.unique(codes)) < 2:
        raise InputError(
            f"The label must have at least two classes. {target!r} in the {where} table has only {listed(column.unique())}; "
            "choose another label, or a table with rows of both."
        )
    return codes


def unique_ids(table: pd.DataFrame, column: str | None) -> pd.Index[Any]:
    """Return the record ids of the training table: a column of it, or the row positions."""
    if column is None:
        return pd.RangeIndex(len(table), name="record")
    check_columns(table, (column,), what="The record id", where="training")
    ids: pd.Index[Any] = pd.Index(table[column], name=column)
    empty = int(table[column].isna().sum())
    if empty:
        raise InputError(
            f"Every record must have an id. {empty} cells of {column!r} are empty; fill them or choose another column."
        )
    repeated = ids[ids.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"Record ids must be unique. {column!r} repeats {listed(repeated)}; choose another column, "
            "or make it the subject id if one person has several rows."
        )
    return ids


def training_weights(table: pd.DataFrame, column: str | None) -> npt.NDArray[np.float64] | None:
    """Return the column of training weights, checked."""
    if column is None:
        return None
    check_columns(table, (column,), what="The sample weight", where="training")
    try:
        weights = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except ValueError as error:
        raise InputError(f"Sample weights must be numbers. Got text in {column!r}.") from error
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(f"Sample weights must be finite and not negative. {column!r} has cells that are not.")
    return weights
