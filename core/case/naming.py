"""Rows named by their ids, and for now still by where they stand.

A training record is named by its value in the column `Roles.record_id`, and without such a column by its original position in the
training table. A test row is named alike: by the same column where the test table has it, complete and without repeats, else by its
original position in the test table. The index of a table names nothing: most have one that their rows were numbered by elsewhere.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.case.records import nearest_id
from core.errors import InputError, InputTypeError, listed
from core.former import warn
from core.typing import Positions


def names_of_test_rows(table: pd.DataFrame, column: str | None) -> pd.Index[Any]:
    """Return the names of the rows of a test table.

    Examples
    --------
    >>> table = pd.DataFrame({"person": ["a", "b"]}, index=[7, 9])
    >>> list(names_of_test_rows(table, "person")), list(names_of_test_rows(table, None))
    (['a', 'b'], [0, 1])
    """
    if column is not None and column in table.columns:
        names: pd.Index[Any] = pd.Index(table[column], name=column)
        if not names.hasnans and not names.has_duplicates:
            return names
    return pd.RangeIndex(len(table), name="row")


@dataclass(frozen=True, eq=False)
class Named:
    """Rows of a table and their names.

    Parameters
    ----------
    names : Index
        Of all rows, in the order of the table.
    what : str
        What a row is: "record of the training table", "test row".
    way : str
        How names are had from positions, for the sentence that warns of these.
    """

    names: pd.Index[Any]
    what: str
    way: str

    def positions(self, given: Any, by: str | None = None) -> Positions:
        """Return where rows stand, given their names.

        Positions and masks over the table still work, with a DeprecationWarning.

        Parameters
        ----------
        given : iterable
            Names; where it is an array of whole numbers that might be positions, these, as it once was.
        by : {"record", "position"}, optional
            What is given, where it is to be settled.

        Raises
        ------
        InputError
            If there is no row of a name, or at a position.
        """
        values = self._listed(given)
        if by != "record" and self._masked(values):
            return np.flatnonzero(values)
        found = self.names.get_indexer(pd.Index(values))
        if by == "position" or (by is None and self._once_positions(values, found, given)):
            return self._at(values)
        if (found < 0).any():
            unknown = [one for one, place in zip(values.tolist(), found, strict=True) if place < 0]
            raise InputError(
                f"Every id must be that of a {self.what}. Unknown: {listed(unknown)}.{nearest_id(unknown[0], self.names)}"
            )
        return np.asarray(found, dtype=np.intp)

    def _listed(self, given: Any) -> Any:
        if not isinstance(given, Iterable) or isinstance(given, str | bytes | dict):
            raise InputTypeError(f"Ids must be given as a list. Got {given!r} instead; write [{given!r}].")
        if isinstance(given, np.ndarray | pd.Index | pd.Series):
            values = np.asarray(given)
        else:
            items = list(given)
            if not all(isinstance(one, Hashable) for one in items):
                raise InputTypeError("Ids must be a flat list of numbers or texts. Got a list of lists; flatten it.")
            plain = pd.Index(items) if items else pd.Index([], dtype=np.intp)
            values = np.asarray(plain)
        if values.ndim != 1:
            raise InputTypeError(f"Ids must be a flat list of numbers or texts. Got an array of shape {values.shape}.")
        return values

    def _masked(self, values: Any) -> bool:
        if values.dtype != bool:
            return False
        if len(values) != len(self.names):
            raise InputError(
                f"A mask over the table must have {len(self.names):,} values. Got {len(values):,}; name rows by their ids, as {self.way}."
            )
        warn(f"Rows given as a mask will go. Write {self.way}.")
        return True

    def _once_positions(self, values: Any, found: Positions, given: object) -> bool:
        """Return whether whole numbers are positions that are not ids as well.

        Or were handed in as positions once were.
        """
        if values.dtype.kind not in "iu" or isinstance(self.names, pd.RangeIndex):
            return False
        inside = bool(((values >= 0) & (values < len(self.names))).all())
        named = bool((found >= 0).all())
        return inside and (not named or (isinstance(given, np.ndarray) and not np.array_equal(found, values)))

    def _at(self, values: Any) -> Positions:
        if len(values) and values.dtype.kind not in "iu":
            raise InputTypeError(f"Positions must be whole numbers. Got {listed(values[:1])}; give ids.")
        outside = values[(values < 0) | (values >= len(self.names))] if len(values) else values
        if len(outside):
            raise InputError(f"Positions must be from 0 to {len(self.names) - 1:,}. Got {listed(outside)}.")
        if not isinstance(self.names, pd.RangeIndex):
            warn(f"Rows given by position will go. Write {self.way}.")
        return np.asarray(values, dtype=np.intp)
