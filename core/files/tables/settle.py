"""Settling how the columns of two tables are read: as the model learned, or as chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.case.group_thresholds import scorer
from core.case.readings.alike import READ_AS_MISSING
from core.case.readings.conform import Reading, conformed
from core.case.readings.learned import Learned, learned_of
from core.case.scoring import column_names
from core.errors import InputError, InputTypeError, listed, nearest
from core.files.tables.column_kinds import KINDS, column_kind, other_kind, read_as
from core.files.tables.read import LoadedTable
from core.shown import Shown


@dataclass(frozen=True)
class ColumnReading:
    """How one column is read, and how else it could be.

    Parameters
    ----------
    column : str
    read_as : str
        One of "numbers", "text", "text with gaps" (words such as NA are missing), "truth values", "dates", "other".
    instead : str
        The other reading to offer; empty where there is none.
    why : str
        Why it is not read as it was at first; empty where it is.
    changed : int
        Cells that read otherwise than at first.
    """

    column: str
    read_as: str
    instead: str
    why: str = ""
    changed: int = 0


@dataclass(frozen=True, repr=False)
class SettledTables(Shown):
    """Two tables as they are to be read, and how each column is.

    Parameters
    ----------
    train : DataFrame
    test : DataFrame or None
    readings : tuple of ColumnReading
        In the order of the training table.
    """

    train: pd.DataFrame
    test: pd.DataFrame | None
    readings: tuple[ColumnReading, ...]

    @property
    def changed(self) -> tuple[ColumnReading, ...]:
        """The columns that are not read as they were at first."""
        return tuple(one for one in self.readings if one.changed)

    def lines(self) -> list[str]:
        """Say what was changed, a column a line."""
        changed = [f"{one.column!r} as {one.read_as}, {one.changed:,} cells: {one.why}" for one in self.changed]
        return [f"{len(self.readings)} columns, {len(changed)} of them read anew", *changed]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per column."""
        rows = [(one.column, one.read_as, one.instead, one.changed, one.why) for one in self.readings]
        return pd.DataFrame(rows, columns=["column", "read_as", "instead", "changed", "why"])


def settle_tables(
    train: LoadedTable,
    test: LoadedTable | None = None,
    model: Any = None,
    *,
    target: str | None = None,
    readings: Mapping[str, str] | None = None,
) -> SettledTables:
    r"""Settle how the columns of two tables are read. O(size of the files).

    A column that the model learned as categories is text as the file spells it where all its cells are categories then; numbers, truth
    values, missing words and labels follow what the model learned, as a `core.Case` does; a column that is text in one table is in both.

    Parameters
    ----------
    train, test : LoadedTable
        From `core.read_table`.
    model : estimator, optional
        The fitted model.
    target : str, optional
        The label column, to be read as the model's classes.
    readings : mapping of str to str, optional
        How to read some columns, by name: "numbers", "text", "text with gaps", "truth values" or "dates". Cells that are none are missing.

    Returns
    -------
    SettledTables

    Raises
    ------
    InputError
        If a column is not there or a reading is none.

    Examples
    --------
    >>> from core import read_table
    >>> table = read_table(b"area,level\n0.10,1\n0.20,2\n")
    >>> settled = settle_tables(table, readings={"area": "text"})
    >>> settled.train["area"].tolist(), settled.readings[1].instead
    (['0.10', '0.20'], 'text')
    """
    for table in (train, test):
        if table is not None and not isinstance(table, LoadedTable):
            raise InputTypeError(
                f"A table to settle must come from core.read_table. Got {type(table).__name__} instead."
            )
    chosen = _checked(readings or {}, train.frame.columns)
    own = None if model is None else column_names(model)
    learned = {} if own is None else learned_of(model, [str(name) for name in own])
    held = _Held(train, test)
    for name, kind in chosen.items():
        held.read(name, kind, "as you chose.")
    for name in train.frame.columns:
        if name not in chosen:
            held.settle(name, learned.get(name), name == target)
    found = held.follow(model, learned, target, chosen) if learned or target is not None else ()
    return SettledTables(held.frames[0], held.frames[1] if test is not None else None, held.described(found))


def _checked(readings: Mapping[str, str], columns: pd.Index[Any]) -> dict[str, str]:
    for name, kind in readings.items():
        if name not in columns:
            raise InputError(f"Readings must name columns of the training table. Got {name!r}.{nearest(name, columns)}")
        if kind not in KINDS:
            raise InputError(
                f"A reading must be one of {listed(KINDS)}. Got {kind!r} for {name!r}.{nearest(kind, KINDS)}"
            )
    return dict(readings)


class _Held:
    """The tables on their way, and why a column is not as it was at first."""

    def __init__(self, train: LoadedTable, test: LoadedTable | None) -> None:
        self.tables = [train] if test is None else [train, test]
        self.frames = [table.frame for table in self.tables]
        self.why: dict[str, str] = {}

    def having(self, name: str) -> list[int]:
        return [place for place, frame in enumerate(self.frames) if name in frame.columns]

    def read(self, name: str, kind: str, why: str) -> None:
        """Read a column of every table that has it anew."""
        for place in self.having(name):
            column = read_as(self.tables[place], name, kind)
            words = {
                key: said for key, said in self.frames[place].attrs.get(READ_AS_MISSING, {}).items() if key != name
            }
            self.frames[place] = self.frames[place].assign(**{name: column})
            self.frames[place].attrs = {READ_AS_MISSING: words} if words else {}
        self.why[name] = why

    def settle(self, name: str, learned: Learned | None, is_label: bool) -> None:
        """Spell a column again where the model knows all its cells, or the other table has text."""
        kinds = {column_kind(self.frames[place], name) for place in self.having(name)}
        texts = {"text", "text with gaps"}
        if learned is not None and learned.text and (kinds - {"text"}) and self._all_known(name, learned):
            self.read(name, "text", "its cells are the model's categories as they are spelled.")
        elif learned is None and not is_label and kinds & texts and kinds & {"numbers", "truth values"}:
            self.read(name, "text with gaps", "it is text in the other table.")

    def _all_known(self, name: str, learned: Learned) -> bool:
        known = {"", *map(str, () if learned.categories is None else learned.categories)}
        for place in self.having(name):
            if self.tables[place].spelling is None:
                return False
            if not self.tables[place].spelled([name])[name].isin(known).all():
                return False
        return True

    def follow(
        self, model: Any, learned: Mapping[str, Learned], target: str | None, chosen: Mapping[str, str]
    ) -> tuple[Reading, ...]:
        """Read the columns as a case reads them, but for those that a person chose."""
        learned = {name: about for name, about in learned.items() if name not in chosen}
        label = None if target in chosen else target
        classes = np.array(getattr(scorer(model), "classes_", ())) if model is not None else np.array(())
        train, test = self.frames[0], self.frames[-1]
        *frames, found = conformed(learned, train, test, label, classes, ())
        self.frames = frames[: len(self.frames)]
        return tuple(found)

    def described(self, found: tuple[Reading, ...]) -> tuple[ColumnReading, ...]:
        """Return the reading of every column of the training table."""
        why = self.why | {one.column: one.why for one in found}
        return tuple(
            ColumnReading(
                str(name),
                column_kind(self.frames[0], name),
                other_kind(self.tables[0], self.frames[0], name),
                why.get(str(name), ""),
                self._changed(name) if str(name) in why else 0,
            )
            for name in self.frames[0].columns
        )

    def _changed(self, name: str) -> int:
        pairs = [(self.tables[place].frame[name], self.frames[place][name]) for place in self.having(name)]
        return sum(int((_spelt(old) != _spelt(new)).sum()) for old, new in pairs)


def _spelt(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return cells to compare by: their kind and value, missing ones alike."""
    return (
        column.astype(object).map(lambda value: (isinstance(value, str), value)).where(column.notna(), None).map(repr)
    )
