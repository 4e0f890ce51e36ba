"""Decisions on a record with other values, and the nearest values that turn one.

Values tried are those of retained training records, one column at a time and then two. Distances are those of the What-If Tool
on ranks: of a number the share of records between both values, of a category the probability that two records have the same one; they add up
over columns. No claim is made that a person could change a value, or that the outcome would follow.

References
----------
Wachter, S., Mittelstadt, B. and Russell, C. (2018). Counterfactual explanations without opening the black box. Harvard Journal of Law and Technology 31.
Wexler, J. et al. (2020). The What-If Tool: interactive probing of machine learning models. IEEE TVCG 26.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from core.case.arguments import check_choice
from core.case.case import Case, check_case
from core.case.roles import AtRate
from core.case.scoring import model_rows, no_single_threshold, positive_scores
from core.errors import InputError, listed, nearest, whole_number
from core.former import formerly
from core.shown import Shown
from core.typing import Bools, Floats

MOST_NUMBERS, MOST_CATEGORIES = 48, 100
"""Values of a column that are tried at first: numbers spread over the records, the most frequent categories."""
PAIRED_COLUMNS, PAIRED_VALUES = 8, 10
"""Columns that are changed two at a time, and values of each."""

Flip = tuple[tuple[str, ...], tuple[Any, ...], float, float]
"""Columns, their values, the score with these and the distance."""


@dataclass(frozen=True, repr=False)
class WhatIf(Shown):
    """A record with other values, and what the model makes of it.

    Parameters
    ----------
    record : hashable
        Its id, or its label in the test table.
    values : Series
        The columns the model takes, as changed.
    changed : dict of str to (value, value)
        Former and new value of each column that differs.
    score_before, score : float
        Of `pos_label`.
    decided_before, decided : bool
        Whether that is decided as `pos_label`.
    cut : float
        The score at which decisions change.
    pos_label : Any
    target : str
    """

    record: Any
    values: pd.Series[Any]
    changed: dict[str, tuple[Any, Any]]
    score_before: float
    score: float
    decided_before: bool
    decided: bool
    cut: float
    pos_label: Any
    target: str

    @property
    def turned(self) -> bool:
        """Whether the decision is another one."""
        return self.decided != self.decided_before

    @property
    def sentence(self) -> str:
        """One sentence that says what the model makes of it."""
        said = f"{self.target} = {self.pos_label}"
        scores = f"score of {said} {self.score_before:.3f} to {self.score:.3f}, decided at {self.cut:.3f}"
        if not self.changed:
            return f"Decided as {'' if self.decided else 'not '}{said} (score {self.score:.3f}, decided at {self.cut:.3f})."
        how = "turns" if self.turned else "stays"
        return f"The decision {how}{' to' if self.turned else ''} {'' if self.decided else 'not '}{said} ({scores})."

    def lines(self) -> list[str]:
        """Say what was changed and what is decided."""
        return [
            f"Record {self.record}: {self.sentence}",
            *(f"{name}: {was} -> {now}" for name, (was, now) in self.changed.items()),
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the changed columns, before and after."""
        return pd.DataFrame(
            [(name, was, now) for name, (was, now) in self.changed.items()], columns=["column", "before", "after"]
        )


@formerly()
def what_if(case: Case, record: Any, *, changes: Mapping[str, Any] | None = None, table: str = "train") -> WhatIf:
    """Return what the model makes of a record with other values.

    Parameters
    ----------
    case : Case
    record : hashable
        A record id; with ``table="test"`` a label of the test table.
    changes : mapping of column to value, optional
        Columns are those the model takes; a value must be one that the column can hold.
    table : {"train", "test"}

    Returns
    -------
    WhatIf

    Raises
    ------
    InputError
        If the record or a column is unknown, or the model does not score the value.
    NotSupportedError
        If the model's decisions are drawn at random.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("credit")
    >>> found = core.what_if(case, case.record_ids[0], changes={"savings": 50_000.0})
    >>> list(found.changed), found.score > found.score_before
    (['savings'], True)
    """
    row = _row(case, record, table)
    other = _changed(case, row, changes or {})
    scores = _scores(case, pd.concat([row, other]))
    before, after = (bool(one) for one in _decided(case, scores))
    differ = [name for name in row if not _same(row[name].iloc[0], other[name].iloc[0])]
    return WhatIf(
        record=record,
        values=other.iloc[0],
        changed={str(name): (row[name].iloc[0], other[name].iloc[0]) for name in differ},
        score_before=float(scores[0]),
        score=float(scores[1]),
        decided_before=before,
        decided=after,
        cut=float(case.cut("explore")),
        pos_label=case.roles.pos_label,
        target=case.roles.target,
    )


@formerly()
def nearest_flips(
    case: Case,
    record: Any,
    *,
    changes: Mapping[str, Any] | None = None,
    table: str = "train",
    columns: Iterable[str] | None = None,
    top_k: int = 5,
) -> pd.DataFrame:
    """Return the nearest changes that turn a record's decision.

    Those of one column come before those of two, which are looked for where one is not enough.

    Parameters
    ----------
    case, record, changes, table
        As for `what_if`; the search starts from the record as changed.
    columns : iterable of str, optional
        Columns that may change; None is all that the model takes.
    top_k : int
        The most changes to return, one for each column or pair of columns.

    Returns
    -------
    DataFrame
        ``change`` in words, ``columns`` and ``values`` (tuples), ``score`` of `pos_label` then, ``distance``, and ``sensitive``: whether a sensitive
        feature is among the columns. Empty where no value seen in training turns it.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("credit")
    >>> found = core.nearest_flips(case, case.record_ids[0], top_k=2)
    >>> [len(names) for names in found["columns"]], bool(found["distance"].is_monotonic_increasing)
    ([1, 1], True)
    """
    row = _changed(case, _row(case, record, table), changes or {})
    most = whole_number("top_k", top_k)
    names = list(case.features) if columns is None else _known(case, columns)
    decided = bool(_decided(case, _scores(case, row))[0])
    search = _Search(case, row, decided)
    found = [one for one in (search.nearest(name) for name in names) if one is not None]
    if not found:
        found = search.pairs(names)
    flips = pd.DataFrame(found, columns=["columns", "values", "score", "distance"])
    flips.insert(0, "change", [_words(row, *pair) for pair in zip(flips["columns"], flips["values"], strict=True)])
    sensitive = set(case.roles.sensitive_features)
    flips["sensitive"] = [bool(sensitive.intersection(one)) for one in flips["columns"]]
    return flips.sort_values("distance", kind="stable").head(most).reset_index(drop=True)


class _Search:
    """Values that turn the decision of one row."""

    def __init__(self, case: Case, row: pd.DataFrame, decided: bool) -> None:
        self.case, self.row, self.decided = case, row, decided
        self.records = case.X_train[case.retained]

    def nearest(self, name: str) -> Flip | None:
        """Return the nearest value of one column that turns the decision."""
        values = self._values(name)
        found = self._first(name, values)
        if found is None or not self._numeric(name):
            return found
        # Between the nearest of the values tried and the record's own lie others that were seen.
        own, there = self.row[name].iloc[0], found[1][0]
        seen = np.unique(self.records[name].dropna())
        if not pd.isna(own):
            seen = seen[(seen > min(own, there)) & (seen < max(own, there))]
            nearer = self._first(name, list(seen[:: max(len(seen) // MOST_NUMBERS, 1)]))
            found = found if nearer is None else nearer
        return found

    def pairs(self, names: list[str]) -> list[Flip]:
        """Return for pairs of columns the nearest values that turn the decision together."""
        sign = -1.0 if self.decided else 1.0
        best: dict[str, list[Any]] = {}
        towards: dict[str, float] = {}
        for name in names:
            values = self._values(name)
            if not values:
                continue
            scores = sign * self._scores_with([{name: value} for value in values])
            order = np.argsort(-scores, kind="stable")[:PAIRED_VALUES]
            best[name], towards[name] = [values[i] for i in order], float(scores[order[0]])
        columns = sorted(best, key=lambda name: -towards[name])[:PAIRED_COLUMNS]
        far = {name: [self._distance(name, value) for value in values] for name, values in best.items()}
        tried = [
            (pair, (i, j))
            for pair in combinations(columns, 2)
            for i, j in product(range(len(best[pair[0]])), range(len(best[pair[1]])))
        ]
        scores = self._scores_with(
            [{name: best[name][i] for name, i in zip(pair, at, strict=True)} for pair, at in tried]
        )
        found: dict[tuple[str, ...], Flip] = {}
        for number in np.flatnonzero(_decided(self.case, scores) != self.decided):
            pair, at = tried[number]
            away = float(sum(far[name][i] for name, i in zip(pair, at, strict=True)))
            if pair not in found or away < found[pair][3]:
                together: tuple[Any, ...] = tuple(best[name][i] for name, i in zip(pair, at, strict=True))
                found[pair] = (pair, together, float(scores[number]), away)
        return list(found.values())

    def _first(self, name: str, values: list[Any]) -> Flip | None:
        if not values:
            return None
        scores = self._scores_with([{name: value} for value in values])
        turns = np.flatnonzero(_decided(self.case, scores) != self.decided)
        if not len(turns):
            return None
        far = {int(i): self._distance(name, values[i]) for i in turns}
        i = min(far, key=lambda one: far[one])
        return (name,), (values[i],), float(scores[i]), far[i]

    def _scores_with(self, changes: list[dict[str, Any]]) -> Floats:
        table = self.row.iloc[[0] * len(changes)].reset_index(drop=True)
        for name in dict.fromkeys(name for change in changes for name in change):
            own = self.row[name].iloc[0]
            table[name] = pd.Series([change.get(name, own) for change in changes], dtype=self.row[name].dtype)
        return _scores(self.case, table)

    def _numeric(self, name: str) -> bool:
        dtype = self.records[name].dtype
        return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)

    def _values(self, name: str) -> list[Any]:
        """Return values of a column to try, without the row's own."""
        column, own = self.records[name].dropna(), self.row[name].iloc[0]
        if self._numeric(name):
            seen = np.unique(column)
            spread = np.unique(column.quantile(np.linspace(0.0, 1.0, MOST_NUMBERS), interpolation="nearest"))
            values = list(seen if len(seen) <= MOST_NUMBERS else spread)
        else:
            values = list(column.value_counts().index[:MOST_CATEGORIES])
        return [value for value in values if not _same(value, own)]

    def _distance(self, name: str, value: Any) -> float:
        column, own = self.records[name], self.row[name].iloc[0]
        if self._numeric(name) and not pd.isna(own):
            low, high = min(own, value), max(own, value)
            return float(((column > low) & (column < high)).mean() + (column == value).mean() / 2.0)
        shares = column.value_counts(normalize=True, dropna=False)
        return float((shares**2).sum())


def _row(case: Case, record: Any, table: str) -> pd.DataFrame:
    check_case(case)
    check_choice("table", table, ("train", "test"))
    if case.randomised:
        raise no_single_threshold()
    labels, rows = (case.record_ids, case.X_train) if table == "train" else (case.test.index, case.X_test)
    found = np.flatnonzero(np.asarray(labels == record))
    if len(found) != 1:
        what = "the id of one training record" if table == "train" else "the label of one row of the test table"
        raise InputError(f"`record` must be {what}. Got {record!r}, which {len(found):,} have.")
    return rows.iloc[found]


def _changed(case: Case, row: pd.DataFrame, changes: Mapping[str, Any]) -> pd.DataFrame:
    other = row.copy()
    for name in _known(case, changes):
        value, dtype = changes[name], row[name].dtype
        try:
            other[name] = pd.Series([value], index=row.index).astype(dtype)
        except (TypeError, ValueError) as error:
            raise InputError(f"The value of {name!r} must fit its column ({dtype}). Got {value!r}.") from error
        if pd.api.types.is_float_dtype(dtype) and np.isinf(other[name]).any():
            raise InputError(f"The value of {name!r} must be finite. Got {value!r}.")
    return other


def _known(case: Case, names: Iterable[str]) -> list[str]:
    names = list(names)
    for name in names:
        if name not in case.features:
            raise InputError(
                f"A column to change must be one the model takes: {listed(case.features)}. Got {name!r}.{nearest(name, case.features)}"
            )
    return names


def _scores(case: Case, table: pd.DataFrame) -> Floats:
    return positive_scores(case.model, model_rows(case.model, table), case.pos_column)


def _decided(case: Case, scores: Floats) -> Bools:
    if isinstance(case.threshold, AtRate):
        return np.asarray(scores > case.cut("explore"))
    return case.decide(scores)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or bool(pd.isna(one) and pd.isna(other))


def _words(row: pd.DataFrame, columns: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return " and ".join(
        f"{name} {_shown(row[name].iloc[0])} to {_shown(value)}" for name, value in zip(columns, values, strict=True)
    )


def _shown(value: Any) -> str:
    if pd.isna(value):
        return "missing"
    return f"{value:,.6g}" if isinstance(value, float | np.floating) else str(value)
