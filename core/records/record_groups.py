"""Groups of training records that are worth a look, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.errors import InputError, nearest
from core.shown import Shown
from core.words import count

WHY_LOOK = {
    "in_test": "In the test table too",
    "contradicting": "Alike, with different labels",
    "repeated": "Repeated",
    "near_duplicates": "Near duplicates",
    "outliers": "Far from all others",
}
"""What each group of records is called, by its kind."""


@dataclass(frozen=True, eq=False, repr=False)
class RecordGroup(Shown):
    """Retained training records that are worth a look for one reason.

    Parameters
    ----------
    kind : str
        "in_test", "contradicting", "repeated", "near_duplicates" or "outliers".
    records : DataFrame
        Indexed by record id, those to look at first first: ``label``, and what says why.
    sentence : str
        How many there are, and what to hold against that number.
    """

    kind: str
    records: pd.DataFrame = field(repr=False)
    sentence: str

    def __len__(self) -> int:
        return len(self.records)

    @property
    def ids(self) -> tuple[Any, ...]:
        """Their record ids, a selection that `core.unlearn` and `core.preview` take."""
        return tuple(self.records.index)

    @property
    def title(self) -> str:
        """The group as a heading."""
        return WHY_LOOK[self.kind]

    def lines(self) -> list[str]:
        """Say what the group is and how many records it has."""
        return [f"{self.title}: {count(len(self), 'record')}", self.sentence]

    def to_frame(self) -> pd.DataFrame:
        """Return the records as a table, their ids in a column."""
        return self.records.rename_axis("id").reset_index()


@dataclass(frozen=True, eq=False, repr=False)
class WorthALook(Shown, Sequence[RecordGroup]):
    """Groups of training records that are worth a look, a sequence of `RecordGroup`.

    Parameters
    ----------
    groups : tuple of RecordGroup
        One of every kind, also where it is empty.
    n_records : int
        Retained training records that were compared.
    notes : tuple of str
        What was left out, and why.
    """

    groups: tuple[RecordGroup, ...]
    n_records: int
    notes: tuple[str, ...] = ()

    def __getitem__(self, which: Any) -> Any:
        """Return a group by its kind, or by its place."""
        if not isinstance(which, str):
            return self.groups[which]
        if which not in WHY_LOOK:
            raise InputError(f"The kind must be one of {', '.join(WHY_LOOK)}. Got {which!r}.{nearest(which, WHY_LOOK)}")
        return next(one for one in self.groups if one.kind == which)

    def __len__(self) -> int:
        return len(self.groups)

    def __iter__(self) -> Iterator[RecordGroup]:
        return iter(self.groups)

    def lines(self) -> list[str]:
        """Say how many records were compared, and what was found of each kind."""
        return [f"{count(self.n_records, 'training record')} compared", *(one.sentence for one in self.groups)]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for every kind."""
        rows = [(one.kind, len(one), len(one) / self.n_records, one.sentence) for one in self.groups]
        return pd.DataFrame(rows, columns=["kind", "n_records", "share", "sentence"])
