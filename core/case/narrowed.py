"""A case that looks only at the test rows a condition holds for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from core.case.frozen import frozen
from core.case.memo import Memo
from core.case.scored import ScoredRows
from core.conditions.where import rows_where
from core.words import count, where_said


class NarrowedRows(ScoredRows):
    """The test rows of a case, all or those that a condition holds for."""

    __slots__ = ()

    def _another(self, **changes: Any) -> Self:
        raise NotImplementedError

    def only(self, where: str | None) -> Self:
        """Return the same case looking only at the test rows that a condition holds for.

        The model, the training records and the split stay; what is prepared for one serves both. An alert capacity still counts among all rows.

        Parameters
        ----------
        where : str or None
            A condition as rules print it, as "month >= '2025-07' and region = 'north'"; docs/METHODS.md has the grammar. On a case that
            has one already, both hold. None returns the case itself.

        Raises
        ------
        InputError
            If the condition cannot be read, names a column or value that the test table lacks, or leaves no rows.

        Examples
        --------
        >>> import core
        >>> case = core.load_case("credit").only("branch = 'north'")
        >>> case.described("test")
        "... test rows where branch = 'north'"
        """
        if where is None:
            return self
        within, said = rows_where(self._data.test, where), where.strip()
        if self._data.within is not None:
            within, said = within & self._data.within, f"{self.where} and {said}"
        data = replace(self._data, within=frozen(within), where=said, memo=Memo())
        found = self._another(data=data, prepared=self.prepared.for_other_rows())
        found.rows("test")
        return found

    def whole(self) -> Self:
        """Return the same case looking at all its test rows again."""
        if self._data.within is None:
            return self
        data = replace(self._data, within=None, where="", memo=Memo())
        return self._another(data=data, prepared=self.prepared.for_other_rows())

    @property
    def where(self) -> str:
        """The condition on the test rows that are looked at; empty where all are."""
        return self._data.where

    def described(self, on: str) -> str:
        """Say which rows a split has, as "1,000 explore rows where region = 'north'"."""
        return count(len(self.rows(on)), f"{on} row") + where_said(self.where)
