"""Guessing what each column is for, to be confirmed by a person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.case.group_thresholds import scorer
from core.case.groups import FEW_VALUES, MAX_GROUPS
from core.case.roles import Roles
from core.case.values.bins import default_edges
from core.errors import InputError, InputTypeError, listed

LABELS = (
    "label", "target", "y", "class", "outcome", "granted", "approved", "default", "income", "fraud", "is_fraud", "churn", "loan_status",
    "credit_risk", "two_year_recid", "hired", "admitted", "readmitted", "subscribed", "decision", "result", "response",
)  # fmt: skip
"""Names that label columns often have; the likelier first."""

SENSITIVE = (
    "sex", "gender", "race", "ethnicity", "ethnic_group", "age", "religion", "nationality", "native_country", "country_of_birth",
    "disability", "disabled", "marital_status", "marital", "marriage", "sexual_orientation", "pregnant", "foreign_worker", "citizenship",
    "skin_color", "language", "caste", "personal_status_sex",
)  # fmt: skip
"""Names of columns that describe what people are rather than what they did."""

BAD_WORDS = (
    "default",
    "fraud",
    "reject",
    "denied",
    "churn",
    "recid",
    "risk",
    "readmi",
    "arrest",
    "delinq",
    "claim",
    "bad",
    "fail",
    "death",
    "died",
)
"""A label with such a name is usually bad for the person when it is true."""

GOOD_VALUES = (
    "good",
    "granted",
    "approved",
    "accepted",
    "hired",
    "admitted",
    "paid",
    "pass",
    "passed",
    "repaid",
    ">50k",
)
BAD_VALUES = ("bad", "denied", "rejected", "refused", "fraud", "default", "charged off", "fail", "failed", "<=50k")
TRUE_VALUES = ("1", "1.0", "true", "yes", "y", "t", *GOOD_VALUES)
FALSE_VALUES = ("0", "0.0", "-1", "false", "no", "n", "f", *BAD_VALUES)
MOST_SENSITIVE = 3
"""How many sensitive features a guess takes; with more, hardly anybody is left in an intersection."""
MOST_CLASSES = 20
"""A column with more values than this is not taken for a label that the model lacks classes of."""

SPLITS = ("split", "fold", "set", "partition", "subset", "is_train", "is_test")


@dataclass(frozen=True)
class Guess:
    """A guess at the roles, and why.

    Parameters
    ----------
    roles : Roles or None
        None where no label or no sensitive feature could be found; the parts found stand in the other fields.
    target : str or None
        Label column.
    pos_label, favorable_label : object
        Label values; None without a label.
    sensitive_features : tuple of str
        Columns describing what people are; may be empty.
    record_id : str or None
        Column with a unique id.
    exclude : tuple of str
        Columns the model does not use.
    missing : mapping of str to int
        Missing cells of every column that has some.
    notes : tuple of str
        What the guess rests on, one sentence each.
    """

    roles: Roles | None
    target: str | None
    pos_label: Any
    favorable_label: Any
    sensitive_features: tuple[str, ...]
    record_id: str | None
    exclude: tuple[str, ...]
    missing: dict[str, int]
    notes: tuple[str, ...]


def guess_roles(train: pd.DataFrame, model: Any = None) -> Guess:
    """Guess label, favourable outcome, sensitive features, record id and columns left out.

    Looks at names, at values, and at what the model says about itself. O(cells) for the record id.

    Parameters
    ----------
    train : DataFrame
        The training table.
    model : estimator, optional
        The fitted model; its classes and its column names narrow the guess.

    Returns
    -------
    Guess

    Raises
    ------
    InputTypeError
        If `train` is not a DataFrame.

    Examples
    --------
    >>> table = pd.DataFrame({"id": range(8), "sex": ["f", "m"] * 4, "income": range(8), "granted": [0, 0, 1, 1] * 2})
    >>> guess = guess_roles(table)
    >>> guess.roles.target, guess.roles.sensitive_features, guess.roles.record_id
    ('granted', ('sex',), 'id')
    """
    if not isinstance(train, pd.DataFrame):
        raise InputTypeError(f"The training table must be a pandas DataFrame. Got {type(train).__name__} instead.")
    model = scorer(model)
    own = tuple(str(name) for name in getattr(model, "feature_names_in_", ()))
    notes = list[str]()
    target = _target(train, model, own, notes)
    positive, favorable = _labels(train, target, model, notes) if target else (None, None)
    sensitive = _sensitive(train, target, notes)
    record_id = _record_id(train, {*own, target, *sensitive}, notes)
    exclude = _excluded(train.columns, own, {target, record_id, *sensitive}, notes)
    roles = None
    if target is not None and sensitive:
        bins = {name: edges for name in sensitive if (edges := _edges(train[name]))}
        roles = Roles(target, positive, favorable, sensitive, record_id=record_id, bins=bins or None, exclude=exclude)
    missing = {str(name): int(count) for name, count in train.isna().sum().items() if count}
    return Guess(roles, target, positive, favorable, sensitive, record_id, exclude, missing, tuple(notes))


def _target(train: pd.DataFrame, model: Any, own: tuple[str, ...], notes: list[str]) -> str | None:
    classes = None if model is None else getattr(model, "classes_", None)
    names = [str(name) for name in train.columns if name not in own]
    fits = [name for name in names if _fits(train[name], classes)]
    if not fits:
        wider = (
            []
            if classes is None
            else [name for name in names if _fits(pd.Series(classes), train[name].dropna().unique())]
        )
        notes += [_lacking(train[name], classes) for name in wider if train[name].nunique() <= MOST_CLASSES]
        kind = "two values" if classes is None else f"just the model's classes ({', '.join(map(str, classes))})"
        notes.append(f"No column that could be the label has {kind}; choose the label column.")
        taken = [name for name in own if name in train.columns and classes is not None and _fits(train[name], classes)]
        if taken:
            notes.append(
                f"The model was fitted on {listed(taken)} too, whose values would fit: if the label is among them, fit the model again "
                "on a table without it."
            )
        return None
    named = sorted(
        (LABELS.index(_plain(name)), position) for position, name in enumerate(fits) if _plain(name) in LABELS
    )
    if named:
        chosen, why = fits[named[0][1]], "its name is a usual one for a label"
    elif len(fits) == 1:
        chosen, why = (
            fits[0],
            "no other column has values that fit"
            if classes is None
            else "no other column holds just the model's classes",
        )
    else:
        hinted = [name for name in fits if {*LABELS, *BAD_WORDS} & set(_plain(name).split("_"))]
        chosen, why = (
            (hinted or fits)[-1],
            "its name and values fit" if hinted else "it is the last column whose values fit",
        )
    notes.append(f"{chosen!r} is taken as the label: {why}.")
    return chosen


def _lacking(column: pd.Series[Any], classes: Any) -> str:
    """Return a remark on a column that holds the model's classes and others."""
    known = {_as_text(label) for label in classes}
    others = [value for value in column.dropna().unique().tolist() if _as_text(value) not in known]
    return (
        f"{str(column.name)!r} holds {listed(others)} besides the model's classes ({', '.join(map(str, classes))}): if it is the label, fit "
        "the model again with every class, or leave those rows out of the tables."
    )


def _fits(column: pd.Series[Any], classes: Any) -> bool:
    values = column.dropna().unique()
    if classes is None:
        return len(values) == 2
    known = {_as_text(label) for label in classes}
    return len(values) >= 2 and {_as_text(value) for value in values} <= known


def _labels(train: pd.DataFrame, target: str, model: Any, notes: list[str]) -> tuple[Any, Any]:
    values = getattr(model, "classes_", None)
    labels = sorted(train[target].dropna().unique(), key=_as_text) if values is None else list(values)
    labels = [label.item() if isinstance(label, np.generic) else label for label in labels]
    positive = _first(labels, TRUE_VALUES)
    if positive is None:
        others = [label for label in labels if _as_text(label).lower() not in FALSE_VALUES]
        positive = others[-1] if len(others) == 1 or len(others) == len(labels) else labels[-1]
    bad = next((word for word in BAD_WORDS if word in _plain(target)), None)
    texts = {_as_text(label).lower() for label in labels}
    spoken = texts & {*GOOD_VALUES, *BAD_VALUES}
    favorable = positive
    if spoken and len(labels) == 2:
        good = _first(labels, GOOD_VALUES)
        favorable = (
            good if good is not None else next(label for label in labels if _as_text(label).lower() not in BAD_VALUES)
        )
    elif bad and len(labels) == 2:
        favorable = next(label for label in labels if label != positive)
    elif bad and _first(labels, FALSE_VALUES) is not None:
        favorable = _first(labels, FALSE_VALUES)
    why = f", since {target!r} speaks of {bad!r}" if bad and not spoken and favorable != positive else ""
    notes.append(f"{favorable!r} is taken as the outcome that is good for the person{why}; please check.")
    return positive, favorable


def _first(labels: list[Any], words: Iterable[str]) -> Any:
    by_text = {_as_text(label).lower(): label for label in labels}
    return next((by_text[word] for word in words if word in by_text), None)


def _sensitive(train: pd.DataFrame, target: str | None, notes: list[str]) -> tuple[str, ...]:
    found = [name for name in _sensitive_names(train.columns) if name != target and _has_groups(train[name])]
    if not found:
        notes.append(
            "No column has a name like sex, gender, race or age; choose the columns whose groups are to be compared."
        )
    if found[MOST_SENSITIVE:]:
        notes.append(
            f"These may be sensitive too: {', '.join(found[MOST_SENSITIVE:])}. Every one more makes intersections smaller."
        )
    return tuple(found[:MOST_SENSITIVE])


def _sensitive_names(columns: Iterable[Any]) -> list[str]:
    found = [
        (SENSITIVE.index(name), str(column))
        for column in columns
        if (name := _sensitive_word(_plain(column))) is not None
    ]
    return [column for _, column in sorted(found, key=lambda pair: pair[0])]


def _sensitive_word(name: str) -> str | None:
    if name in SENSITIVE:
        return name
    bare = re.sub(
        r"_(group|cat|category|years|code|band|of_applicant)$|^(applicant|person|client|customer|patient)_", "", name
    )
    return bare if bare in SENSITIVE else None


def _has_groups(column: pd.Series[Any]) -> bool:
    """Whether the column's values make between two and the most groups allowed."""
    n = column.nunique(dropna=True)
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return n + bool(column.isna().any()) > 1 and (n < MAX_GROUPS or numeric)


def _edges(column: pd.Series[Any]) -> tuple[float, ...]:
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if not numeric or column.nunique() <= FEW_VALUES:
        return ()
    try:
        return default_edges(column)
    except InputError:
        return ()


def _record_id(train: pd.DataFrame, taken: set[Any], notes: list[str]) -> str | None:
    for name in train.columns:
        if name not in taken and _is_id_name(_plain(name)) and _names_rows(train[name]):
            notes.append(f"{name!r} is taken as the record id: every row has its own value.")
            return str(name)
    notes.append("No column names the records; a record's id is its position in the training table.")
    return None


def _names_rows(column: pd.Series[Any]) -> bool:
    return not pd.api.types.is_float_dtype(column) and not column.isna().any() and column.is_unique


def _is_id_name(name: str) -> bool:
    return re.search(r"(^|_)(id|ids|key|uuid|guid|number|no|nr|index)$|^(id|uuid|column)_", name) is not None


def _excluded(columns: Iterable[Any], own: tuple[str, ...], taken: set[Any], notes: list[str]) -> tuple[str, ...]:
    rest = [str(name) for name in columns if name not in taken]
    if own:
        exclude = tuple(name for name in rest if name not in own)
    else:
        exclude = tuple(
            name
            for name in rest
            if _plain(name) in SPLITS or re.fullmatch(r"column_\d+|index_level_\d+|unnamed_\d+", _plain(name))
        )
    if exclude:
        notes.append(
            f"Left out, since {'the model does not use them' if own else 'they do not describe people'}: {', '.join(exclude)}."
        )
    return exclude


def _plain(name: object) -> str:
    """Return a column name in lower case with underscores.

    ``"Marital Status"`` and ``"maritalStatus"`` alike.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _as_text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
