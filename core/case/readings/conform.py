"""Reading the columns of two tables as a model learned them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.readings.alike import (
    MISSING_WORDS,
    READ_AS_MISSING,
    by_meaning,
    meaning,
    numbers_of_texts,
    plain_numbers,
    texts_of_numbers,
)
from core.case.readings.learned import Learned
from core.errors import InputError, listed

EXPECTED = 10
"""How often a word should occur in a table for its absence to say that it was lost."""


@dataclass(frozen=True)
class Reading:
    """How the cells of a column are read, where that is not as they came.

    Parameters
    ----------
    column : str
    read_as : str
        "text", "numbers", "the model's categories", "the model's classes" or "missing".
    why : str
        What it follows from, in a sentence.
    tables : tuple of str
        Which tables were changed: "training", "test".
    changed : int
        Cells that now read otherwise.
    example : tuple
        A cell before and after.
    """

    column: str
    read_as: str
    why: str
    tables: tuple[str, ...]
    changed: int
    example: tuple[Any, Any]

    def __str__(self) -> str:
        before, after = (repr(getattr(value, "item", lambda value=value: value)()) for value in self.example)
        tables = " and ".join(self.tables)
        return f"{self.column!r} is read as {self.read_as} in the {tables} table, {before} as {after}: {self.why}"


def rows_of_both(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of two tables in one that knows how missing cells were spelled."""
    table = pd.concat([first, second], ignore_index=True)
    spelled: dict[str, dict[str, int]] = {}
    for part in (first, second):
        for name, words in part.attrs.get(READ_AS_MISSING, {}).items():
            spelled[name] = {
                word: spelled.get(name, {}).get(word, 0) + words.get(word, 0)
                for word in {**spelled.get(name, {}), **words}
            }
    table.attrs = {READ_AS_MISSING: spelled} if spelled else {}
    return table


class Changes:
    """The tables on their way to how the model learned them, and what became of each column."""

    def __init__(self, train: pd.DataFrame, test: pd.DataFrame) -> None:
        self.tables = {"training": train, "test": test}
        self.readings: list[Reading] = []

    def having(self, name: str) -> dict[str, pd.Series[Any]]:
        """Return the column in each table that has it."""
        return {where: table[name] for where, table in self.tables.items() if name in table.columns}

    def take(self, name: str, new: dict[str, pd.Series[Any]], read_as: str, why: str) -> None:
        """Put new columns in the place of former ones, and keep what changed."""
        changed, example = 0, None
        for where, column in new.items():
            old = self.tables[where][name]
            differ = np.flatnonzero(~_same(old, column))
            changed += len(differ)
            if example is None and len(differ):
                example = (old.iloc[differ[0]], column.iloc[differ[0]])
            self.tables[where] = self.tables[where].assign(**{name: column})
        if example is not None:
            self.readings.append(Reading(name, read_as, why, tuple(new), changed, example))


def conformed(
    learned: Mapping[str, Learned],
    train: pd.DataFrame,
    test: pd.DataFrame,
    target: str | None,
    classes: npt.NDArray[Any],
    others: Iterable[str | None],
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Reading, ...]]:
    """Return both tables with their cells as the model learned them, and what was changed.

    A column whose kind fits what the model learned is left as it is, whatever its cells: only a number where the model knows text, text where
    it takes numbers, a word taken for missing that it knows, and labels spelled otherwise than its classes are read anew, each only where that
    can be done in one way. O(cells of the columns changed), and one pass over the distinct values of the others.

    Parameters
    ----------
    learned : mapping of str to Learned
        What the model learned of its columns.
    train, test : DataFrame
    target : str or None
        The label column.
    classes : ndarray
        Of the model.
    others : iterable of str
        Columns that no model learned and that both tables should have alike: sensitive features, ids.

    Raises
    ------
    InputError
        If cells taken for missing were spelled in several ways, of which the model knows one.
    """
    changes = Changes(train, test)
    if target is not None and target in train.columns and target in test.columns:
        _label(changes, target, classes)
    for name, about in learned.items():
        if name in train.columns and name in test.columns and name != target:
            _feature(changes, name, about)
    for name in dict.fromkeys(one for one in others if one is not None and one not in learned and one != target):
        _alike(changes, name)
    return changes.tables["training"], changes.tables["test"], tuple(changes.readings)


def _same(old: pd.Series[Any], new: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Return which cells are the same value of the same kind."""
    kinds = (pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype)
    if [kind(old) for kind in kinds] != [kind(new) for kind in kinds]:
        return np.asarray(old.isna() & new.isna())
    before, after = old.astype(object).where(old.notna(), None), new.astype(object).where(new.notna(), None)
    alike = [
        a is b or (a == b and isinstance(a, str) == isinstance(b, str)) for a, b in zip(before, after, strict=True)
    ]
    same: npt.NDArray[np.bool_] = np.asarray(old.isna() & new.isna()) | np.array(alike, dtype=bool)
    return same


def _label(changes: Changes, name: str, classes: npt.NDArray[Any]) -> None:
    """Read labels that are spelled otherwise as the model's classes, where no two read alike."""
    known, alike = by_meaning(classes.tolist())
    new = {}
    for where, column in changes.having(name).items():
        values = column.dropna().unique()
        if alike or (set(values.tolist()) <= set(classes.tolist()) and not _bool_as_number(values, classes)):
            continue
        means = {value: known.get(meaning(value)) for value in values.tolist()}
        if all(read is not None for read in means.values()):
            new[where] = _mapped(column, means, classes)
    changes.take(name, new, "the model's classes", f"it knows {listed(classes)}.")


def _bool_as_number(values: Any, classes: npt.NDArray[Any]) -> bool:
    """Whether labels are truth values and classes numbers, or the reverse."""
    kinds = [{isinstance(value, bool) for value in some.tolist()} for some in (np.asarray(values), classes)]
    return kinds[0] != kinds[1]


def _mapped(column: pd.Series[Any], means: dict[Any, Any], values: npt.NDArray[Any]) -> pd.Series[Any]:
    """Return a column with each cell replaced, of the kind of the values it gets."""
    new = column.astype(object).map(means, na_action="ignore")
    if values.dtype.kind in "OUT":
        kind: Any = "str" if all(isinstance(value, str) for value in values.tolist()) else object
    else:
        kind = values.dtype
    if new.isna().any():
        kind = kind if kind in ("str", object) else np.float64 if np.dtype(kind).kind in "iuf" else object
    return new.astype(kind)


def _feature(changes: Changes, name: str, learned: Learned) -> None:
    if learned.categories is None:
        _numbers(changes, name, "the model learned numbers there.")
        return
    _known_words(changes, name, learned)
    _unknown_words(changes, name, learned)
    values = learned.categories
    known, alike = by_meaning(values.tolist())
    new = {}
    for where, column in changes.having(name).items():
        if _is_text(column) == learned.text and _is_truth(column) == _all_truth(values):
            continue
        cells = column.dropna().unique().tolist()
        doubtful = [cell for cell in cells if meaning(cell) in {meaning(value) for value in alike}]
        if doubtful and not set(cells) & set(values.tolist()):
            raise InputError(
                f"Cells must be told apart as the model learned them. {name!r} in the {where} table has {listed(doubtful)}, and the model knows "
                f"{listed(alike)}, which read alike; keep them as they are spelled, as core.read_table(path, text=[{name!r}]) does."
            )
        means = {cell: known.get(meaning(cell)) for cell in cells}
        if any(read is not None for read in means.values()):
            means = {cell: _otherwise(cell, learned) if read is None else read for cell, read in means.items()}
            if None not in means.values():
                new[where] = _mapped(
                    column, means, np.array(list(means.values()), dtype=_dtype(means.values(), values))
                )
    changes.take(name, new, "the model's categories", f"it knows {listed(values)}.")


def _dtype(means: Iterable[Any], values: npt.NDArray[Any]) -> Any:
    """Return the categories' own kind, unless cells are added that it does not hold."""
    return object if values.dtype.kind in "OUT" or not set(means) <= set(values.tolist()) else values.dtype


def _otherwise(cell: Any, learned: Learned) -> Any:
    """Return a cell the model does not know, of the kind it knows; None where there is none."""
    read = meaning(cell)
    if learned.text:
        return str(read)
    return None if isinstance(read, str) else read


def _is_text(column: pd.Series[Any]) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return bool(pd.Series(column.cat.categories).map(lambda value: isinstance(value, str)).any())
    if column.dtype == object:
        return bool(column.map(lambda value: isinstance(value, str)).any())
    return isinstance(column.dtype, pd.StringDtype)


def _is_truth(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_bool_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype)


def _all_truth(values: npt.NDArray[Any]) -> bool:
    return len(values) > 0 and all(isinstance(value, bool | np.bool_) for value in values.tolist())


def _known_words(changes: Changes, name: str, learned: Learned) -> None:
    """Spell missing cells again where the model knows the word that was taken for missing."""
    if learned.categories is None or not learned.text:
        return
    known = [word for word in learned.categories.tolist() if isinstance(word, str) and word in MISSING_WORDS]
    if not known:
        return
    new, columns = {}, changes.having(name)
    for where, column in columns.items():
        if not column.isna().any():
            continue
        spelled = changes.tables[where].attrs.get(READ_AS_MISSING, {}).get(name, {})
        words = [word for word in spelled if word in known]
        if words and len(spelled) > 1:
            others = [word for word in spelled if word not in words] or words[1:]
            raise InputError(
                f"A cell must be read as the model learned it. The model knows {listed(words)} as a category of {name!r}, and in the {where} table "
                f"missing cells were spelled so and as {listed(others)}; keep them as they are spelled: core.read_table(path, text=[{name!r}])."
            )
        if not spelled and not learned.missing and len(known) == 1 and _lost(columns, where, known[0]):
            words = known
        if words:
            new[where] = column.astype(object).where(column.notna(), words[0]).astype("str")
    changes.take(name, new, "text", f"the model knows {listed(known)} as a category.")


def _lost(columns: dict[str, pd.Series[Any]], where: str, word: str) -> bool:
    """Whether missing cells must have been a word, as the model knows it and no missing cell.

    It was fitted on the training table, so none is missing there. In the test table the word does not occur where it should many times.
    """
    if where == "training":
        return True
    share = float((columns["training"].isna() | (columns["training"] == word)).mean())
    return not (columns[where] == word).any() and share * len(columns[where]) >= EXPECTED


def _unknown_words(changes: Changes, name: str, learned: Learned) -> None:
    """Take words for missing where the model knows missing cells and not these words."""
    if not learned.text or not learned.missing or learned.categories is None:
        return
    words = set(MISSING_WORDS) - set(learned.categories.tolist())
    new = {}
    for where, column in changes.having(name).items():
        if _is_text(column) and (found := column.isin(words)).any():
            new[where] = column.mask(found)
    changes.take(name, new, "missing", "the model knows missing cells, and no such word, as a category.")


def _numbers(changes: Changes, name: str, why: str) -> None:
    new = {}
    for where, column in changes.having(name).items():
        texts = column.dropna()
        if _is_text(column):
            gaps = texts.isin(MISSING_WORDS)
            if plain_numbers(texts[~gaps]):
                new[where] = numbers_of_texts(column.mask(column.isin(MISSING_WORDS)) if gaps.any() else column)
    changes.take(name, new, "numbers", why)


def _alike(changes: Changes, name: str) -> None:
    """Read a column that no model learned as text in both tables where it is text in one.

    Its cells must name some of the same things there.
    """
    columns = changes.having(name)
    text = {where: _is_text(column) for where, column in columns.items()}
    if len(set(text.values())) < 2:
        return
    new = {
        where: texts_of_numbers(column)
        for where, column in columns.items()
        if not text[where] and pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    }
    named = {value for where, column in columns.items() if text[where] for value in column.dropna().unique()}
    if any(named.intersection(column.dropna().unique()) for column in new.values()):
        changes.take(name, new, "text", "it is text in the other table.")
