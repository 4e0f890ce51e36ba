"""The outcome of an erasure: whose rows were removed from what, and the proof."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.case.case import Case
from core.errors import listed
from core.shown import Shown
from core.unlearning.base import UnlearnResult
from core.verification.verify import Proof
from core.words import count

if TYPE_CHECKING:
    from core.ledger.entries import Entry

KEEPS = (
    "The ledger keeps who asked for it and why, figures of groups, and keyed hashes of the ids: without the key they tell nobody's id, "
    "with it whether an id was erased. No value of a record is in it."
)
KEEPS_NOTHING = "No ledger was named, so that nothing of it is written down."
BEYOND = (
    "Out of reach are backups, the tables and models that the case was made from, other copies of either, evidence and results exported "
    "earlier, other sessions that have the case open, and blocks of the disk until they are written over: they are the controller's to delete."
)


@dataclass(frozen=True, repr=False)
class Erasure(Shown):
    """An erasure request, as far as it was carried out.

    Parameters
    ----------
    by : {"record", "subject"}
        What the ids name.
    found, not_found : tuple
        Ids with rows, and those of nobody.
    n_records : int
        Training records removed from the model by this erasure.
    n_removed_before : int
        Training records of theirs that earlier removals took.
    n_test_rows : int
        Rows of theirs to explore or confirm on; the model never saw them.
    case : Case
        With the model that forgot; where the erasure is finalised, its tables no longer hold the rows.
    result : UnlearnResult or None
        The removal, one for all; None where all records were removed before.
    proof : Proof or None
        Of that removal.
    finalised : bool
        Whether rows were dropped from the tables.
    n_dropped : int
        Training rows dropped: theirs, and those of all earlier removals.
    at : str
        When, in UTC.
    folder : Path or None
        The saved case that was rewritten.
    entries : tuple of Entry
        What the ledger has of it: the removal, then the erasure.
    report : Path or None
        The evidence.
    notes : tuple of str
        What did not go as asked, a sentence each.
    """

    by: str
    found: tuple[Any, ...]
    not_found: tuple[Any, ...]
    n_records: int
    n_removed_before: int
    n_test_rows: int
    case: Case
    result: UnlearnResult | None
    proof: Proof | None
    finalised: bool
    n_dropped: int
    at: str
    folder: Path | None = None
    entries: tuple[Entry, ...] = ()
    report: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def entry(self) -> Entry | None:
        """The ledger's entry of the erasure."""
        return self.entries[-1] if self.entries else None

    @property
    def proven(self) -> bool:
        """Whether no check of the removal failed."""
        return self.proof is None or self.proof.verdict != "not_forgotten"

    @property
    def complete(self) -> bool:
        """Whether the request was carried out in full.

        Every id was found, no check failed, and everything was written.
        """
        return self.proven and not self.not_found and not self.notes

    def __bool__(self) -> bool:
        return self.complete

    @property
    def statement(self) -> str:
        """The statement: rows deleted, where and when, rows kept, and copies out of reach.

        No id is in it.
        """
        return self.said(written=bool(self.entries))

    def said(self, *, written: bool) -> str:
        """Return the statement for an erasure that a ledger has, or that none has."""
        return " ".join([*self._done(), KEEPS if written else KEEPS_NOTHING, BEYOND])

    def _done(self) -> list[str]:
        what = "person" if self.by == "subject" else "record"
        people = (
            f"{len(self.found):,} {what if len(self.found) == 1 else {'person': 'people', 'record': 'records'}[what]}"
        )
        said = [f"On {self.at[:10]} at {self.at[11:16]} UTC an erasure of {people} was asked for, with {self._rows()}."]
        if not self.proven:
            return [*said, "The proof of the removal failed, so that nothing was deleted or written down."]
        if self.result is not None:
            said.append(
                f"{count(self.n_records, 'record')} left the model in one removal ({self.result.method}, {self.result.claim}): the new model "
                f"{self.result.meaning}."
            )
        return [*said, self._deleted()]

    def _rows(self) -> str:
        parts = [count(self.n_records + self.n_removed_before, "training record")]
        if self.n_removed_before:
            parts.append(f"{self.n_removed_before:,} of them removed earlier")
        if self.n_test_rows:
            parts.append(f"and {count(self.n_test_rows, 'row')} to explore or confirm on")
        return ", ".join(parts)

    def _deleted(self) -> str:
        if not self.finalised:
            return "Their rows are still in the tables, where the removal can be undone: the erasure is not final."
        rows = f"{count(self.n_dropped, 'training row')} of this and all earlier removals"
        rows += f" and {count(self.n_test_rows, 'test row')}" if self.n_test_rows else ""
        where = (
            "the tables of the case in memory"
            if self.folder is None
            else "every file of the saved case, which was written anew"
        )
        return f"{rows} were deleted from {where}; that cannot be undone."

    def lines(self) -> list[str]:
        """Say what was done, what is kept and what is out of reach."""
        head = "Erased" if self.finalised else "Removed, not yet final" if self.proven else "Not erased"
        lines = [f"{head}: {len(self.found):,} of {len(self.found) + len(self.not_found):,} ids found"]
        if self.not_found:
            lines.append(f"Of nobody here: {listed(self.not_found)}")
        lines += [*self._done(), KEEPS if self.entries else KEEPS_NOTHING, BEYOND, *self.notes]
        return lines if self.proof is None else [*lines, self.proof.sentence]

    def to_frame(self) -> pd.DataFrame:
        """Return the ids, one a row, and whether rows of theirs were found."""
        return pd.DataFrame(
            [(one, found) for ids, found in ((self.found, True), (self.not_found, False)) for one in ids],
            columns=[self.by, "found"],
        )
