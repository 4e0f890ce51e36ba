"""Columns that a fitted transformer takes and gives, by name and by number."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder

from core.case.scoring import column_names
from core.errors import InputError

Names = tuple[str, ...] | None

_COLUMN_BY_COLUMN = frozenset(
    {
        "MaxAbsScaler",
        "MinMaxScaler",
        "Normalizer",
        "OrdinalEncoder",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    }
)
"""Transformers that give each column in the place where they take it."""


_OF_NUMBERS = (_COLUMN_BY_COLUMN - {"OrdinalEncoder"}) | {"KBinsDiscretizer", "PCA", "PolynomialFeatures"}


@dataclass(frozen=True, eq=False)
class Preparer:
    """A fitted transformer that stands before the model.

    Parameters
    ----------
    title : str
        For sentences: ``"the StandardScaler (scaler.pkl)"``.
    made : object
        The transformer; of several encoders, each for a column of its own, None.
    takes : tuple of str or None
        Names of the columns it was fitted on, where it has any.
    n_takes : int
        How many.
    gives : tuple of str or None
        Names of the columns it gives, where they can be told.
    n_gives : int
        How many.
    keeps : bool
        Whether each column it gives stands for the one it took in the same place.
    encoders : dict of str to object
        The encoder of each column.
    words : bool
        Whether it takes words, which no step that computes with numbers leaves.
    """

    title: str
    made: Any
    takes: Names
    n_takes: int
    gives: Names
    n_gives: int
    keeps: bool
    encoders: Mapping[str, Any] = field(default_factory=dict)
    words: bool = False


def preparer_of(title: str, made: Any) -> Preparer:
    """Describe a fitted transformer.

    Raises
    ------
    InputError
        If it does not tell how many columns it takes or gives.
    """
    names = column_names(made)
    takes = None if names is None else tuple(str(one) for one in names)
    n_takes = _number_taken(made) if takes is None else len(takes)
    if n_takes is None:
        raise InputError(
            f"What prepares the rows must say how many columns it takes. {title} does not; save it fitted."
        )
    keeps = _keeps(made)
    gives = takes if keeps else _given(made)
    if gives is None and not keeps:
        raise InputError(
            f"What prepares the rows must say which columns it gives. {title} does not; save it with the model as one Pipeline."
        )
    n_gives = n_takes if keeps else len(gives or ())
    return Preparer(
        title, made, takes, n_takes, gives if takes is not None else None, n_gives, keeps, words=_knows_words([made])
    )


def encoders_of(title: str, encoders: Mapping[str, Any]) -> Preparer:
    """Describe encoders of one column each.

    Label encoders become ordinal encoders of the same categories.
    """
    made = {name: ordinal(one) if isinstance(one, LabelEncoder) else one for name, one in encoders.items()}
    names, gives = tuple(made), list[str]()
    for name, one in made.items():
        width = 1 if _keeps(one) else len(_given(one) or ())
        own = _given(one, (name,)) if not _keeps(one) else None
        gives += own or [name if width == 1 else f"{name}_{place}" for place in range(width)]
    keeps = all(_keeps(one) for one in made.values())
    return Preparer(title, None, names, len(names), tuple(gives), len(gives), keeps, made, _knows_words(made.values()))


def computes(step: Preparer) -> bool:
    """Tell whether a transformer takes numbers alone."""
    return type(step.made).__name__ in _OF_NUMBERS


def _knows_words(made: Iterable[Any]) -> bool:
    """Tell whether encoders know categories that are words."""
    tables = [table for one in made for table in getattr(one, "categories_", ())]
    return any(isinstance(value, str) for table in tables for value in np.asarray(table).tolist())


def ordinal(encoder: LabelEncoder) -> OrdinalEncoder:
    """Return the ordinal encoder of one column that gives what a label encoder does.

    Examples
    --------
    >>> encoder = ordinal(LabelEncoder().fit(["f", "m"]))
    >>> encoder.transform([["m"], ["f"]]).ravel().tolist()
    [1.0, 0.0]
    """
    categories = np.asarray(encoder.classes_)
    if categories.dtype.kind in "US":
        categories = categories.astype(object)
    # A missing value has a number like any other: the last, as its category is.
    last = len(categories) - 1 if len(categories) and _missing(categories[-1]) else np.nan
    made = OrdinalEncoder(categories=[categories], encoded_missing_value=last)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return made.fit(categories[:, None])


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _number_taken(made: Any) -> int | None:
    found = getattr(made, "n_features_in_", None)
    return int(found) if isinstance(found, int | np.integer) else None


def _keeps(made: Any) -> bool:
    if isinstance(made, Pipeline):
        return all(_keeps(step) for _, step in made.steps)
    if isinstance(made, str) or made is None:
        return made in (None, "passthrough")
    kind = type(made).__name__
    if kind == "FunctionTransformer" or (kind == "TargetEncoder" and getattr(made, "target_type_", "") != "multiclass"):
        return True
    if isinstance(made, SimpleImputer):
        return not made.add_indicator and made.n_features_in_ == len(made.get_feature_names_out())
    return kind in _COLUMN_BY_COLUMN


def _given(made: Any, names: Names = None) -> Names:
    """Return the names of what a transformer gives."""
    try:
        own = column_names(made)
        return tuple(str(one) for one in made.get_feature_names_out(names if own is None else None))
    except (AttributeError, LookupError, TypeError, ValueError):
        return None
