"""The role of each column of a table."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from numbers import Real
from typing import Any

from core.case.values.ages import day_of
from core.errors import InputError, InputTypeError


@dataclass(frozen=True)
class AtRate:
    """An alert capacity: the highest `rate` of scores of `pos_label` are flagged.

    Parameters
    ----------
    rate : float
        Share of rows flagged, strictly between 0 and 1.

    Raises
    ------
    InputError
        If `rate` lies outside (0, 1).

    Examples
    --------
    >>> AtRate(0.02).rate
    0.02
    """

    rate: float

    def __post_init__(self) -> None:
        rate: Any = self.rate
        if isinstance(rate, bool) or not isinstance(rate, Real) or not 0.0 < float(rate) < 1.0:
            raise InputError(f"The alert capacity must lie strictly between 0 and 1. Got {self.rate!r} instead.")


@dataclass(frozen=True)
class Roles:
    """The role of each column; checked against the tables when a case is made.

    Parameters
    ----------
    target : str
        Label column.
    pos_label : object
        Label value that picks the score column; "flagged" means predicted as this class.
    favorable_label : object
        The outcome that is good for the person (in fraud detection usually 0).
    sensitive_features : sequence of str
        Columns whose groups are compared. Numeric ones are binned; a missing value is a group of its own.
    features : sequence of str, optional
        Columns the model gets, in order. Default: the model's own names.
    record_id : str, optional
        Column with a unique id per record. Default: the original position in the training table.
    subject_id : str, optional
        Column naming the person or account; may repeat.
    sample_weight : str, optional
        Column of training weights.
    bins : mapping of str to sequence of float, optional
        Inner edges of the bins of numeric sensitive features, ascending; a bin holds its lower edge.
    exclude : sequence of str
        Columns the model does not use and nobody should look at.
    merge : sequence of str
        Sensitive features whose values are one group where they differ by capitals or spaces only; the tables stay as they are.
    ages_on : mapping of str to date or str
        Columns of dates or years of birth, and the day that ages are counted on, as ``{"born": "2024-12-31"}``; ages are binned.

    Raises
    ------
    InputError
        If no sensitive feature is given, or bin edges do not ascend.
    InputTypeError
        If a list of columns is given as one string.

    Examples
    --------
    >>> roles = Roles("granted", 1, 1, ["sex", "age"], bins={"age": [25, 40]})
    >>> roles.sensitive_features, roles.edges("age")
    (('sex', 'age'), (25.0, 40.0))
    """

    target: str
    pos_label: Any
    favorable_label: Any
    sensitive_features: Sequence[str]
    features: Sequence[str] | None = None
    record_id: str | None = None
    subject_id: str | None = None
    sample_weight: str | None = None
    bins: Mapping[str, Sequence[float]] | None = None
    exclude: Sequence[str] = ()
    merge: Sequence[str] = ()
    ages_on: Mapping[str, date | str] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.target, Hashable):
            raise InputTypeError(f"Roles.target must name one column. Got {self.target!r}; write its name.")
        for name in ("sensitive_features", "features", "exclude", "merge"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise InputTypeError(
                    f"Roles.{name} must be a list of columns. Got the string {value!r}; write [{value!r}]."
                )
            if value is not None and not isinstance(value, Iterable):
                raise InputTypeError(f"Roles.{name} must be a list of columns. Got {value!r}; write [{value!r}].")
            if value is not None:
                object.__setattr__(self, name, tuple(value))
        if not self.sensitive_features:
            raise InputError(
                "Roles.sensitive_features must name at least one column. Got none; name the columns whose groups are to be compared."
            )
        repeated = {name for name in self.sensitive_features if list(self.sensitive_features).count(name) > 1}
        if repeated:
            raise InputError(
                f"Roles.sensitive_features must name each column once. Got {sorted(repeated)[0]!r} more than once."
            )
        try:
            bins = {column: tuple(float(edge) for edge in edges) for column, edges in (self.bins or {}).items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise InputTypeError(
                f"Roles.bins must map columns to lists of numbers, their inner edges. Got {self.bins!r}; write {{'age': [30, 45]}}."
            ) from error
        for column, edges in bins.items():
            if any(not low < high for low, high in itertools.pairwise(edges)):
                raise InputError(f"The bin edges of {column!r} must ascend. Got {list(edges)} instead.")
        object.__setattr__(self, "bins", bins or None)
        given = {} if self.ages_on is None else self.ages_on
        if not isinstance(given, Mapping):
            raise InputTypeError(
                f"Roles.ages_on must map columns to days. Got {given!r}; write {{'born': '2024-12-31'}}."
            )
        days = {column: day_of(day).isoformat() for column, day in given.items()}
        object.__setattr__(self, "ages_on", days or None)

    def edges(self, column: str) -> tuple[float, ...] | None:
        """Return the inner bin edges chosen for `column`, or None where they are left to the data."""
        return None if self.bins is None or column not in self.bins else tuple(self.bins[column])

    def day(self, column: str) -> date | None:
        """Return the day that ages of `column` are counted on, or None where it has none."""
        return None if self.ages_on is None or column not in self.ages_on else day_of(self.ages_on[column])

    def with_(self, **changes: Any) -> Roles:
        """Return a copy with some roles changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the roles as plain lists and dictionaries, leaving out what is not set."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        if self.ages_on is not None:
            plain["ages_on"] = dict(self.ages_on)
        if self.bins is not None:
            plain["bins"] = {column: list(edges) for column, edges in self.bins.items()}
        return {name: value for name, value in plain.items() if value is not None and value != []}
