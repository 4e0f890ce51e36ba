"""Conditions on raw columns: what rules are made of."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.typing import Bools, Floats


@dataclass(frozen=True)
class Condition:
    """One condition on one column: equal to a value, within bounds, or missing.

    Parameters
    ----------
    column : str
    equals : object, optional
        The value; None where the condition is another.
    low, high : float, optional
        From `low` on, and below `high`.

    Examples
    --------
    >>> Condition("age", low=25.0, high=40.0).text, Condition("branch", equals="north").text, Condition("income").text
    ('25 <= age < 40', "branch = 'north'", 'income is missing')
    """

    column: str
    equals: Hashable | None = None
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        """The condition as a person reads it; numbers in full, so that it names the same rows."""
        if self.equals is not None:
            return f"{self.column} = {_text(self.equals)}"
        if self.low is not None and self.high is not None:
            return f"{_text(self.low)} <= {self.column} < {_text(self.high)}"
        if self.low is not None:
            return f"{self.column} >= {_text(self.low)}"
        if self.high is not None:
            return f"{self.column} < {_text(self.high)}"
        return f"{self.column} is missing"

    def holds(self, table: pd.DataFrame) -> Bools:
        """Return the rows of a table it holds for; where a value is missing only "is missing" does."""
        values: pd.Series[Any] = table[self.column]
        if self.is_interval:
            return self.among(values.to_numpy(dtype=np.float64, na_value=np.nan))
        missing = values.isna().to_numpy(dtype=bool)
        if self.equals is not None:
            return np.asarray((values == self.equals).to_numpy(dtype=bool, na_value=False)) & ~missing
        return missing

    @property
    def is_interval(self) -> bool:
        """Whether the condition gives a number bounds."""
        return self.equals is None and (self.low is not None or self.high is not None)

    def among(self, numbers: Floats) -> Bools:
        """Return which numbers lie within the bounds; NaN, for a missing value, does not."""
        inside = ~np.isnan(numbers)
        if self.low is not None:
            inside &= numbers >= self.low
        if self.high is not None:
            inside &= numbers < self.high
        return np.asarray(inside)


def rule_text(conditions: Sequence[Condition]) -> str:
    """Return a conjunction as a person reads it.

    Examples
    --------
    >>> rule_text([Condition("branch", equals="north"), Condition("age", low=25.0, high=40.0)])
    "branch = 'north' and 25 <= age < 40"
    """
    return " and ".join(one.text for one in conditions)


class Held:
    """Which rows of a table conditions hold for.

    Found once for each condition, and kept as one bit a row.

    Parameters
    ----------
    table : DataFrame
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self._numbers: dict[str, Floats] = {}
        self._bits: dict[Condition, npt.NDArray[np.uint8]] = {}

    def by(self, condition: Condition) -> Bools:
        """Return the rows that one condition holds for."""
        if condition not in self._bits:
            interval = condition.is_interval
            holds = condition.among(self.numbers(condition.column)) if interval else condition.holds(self.table)
            self._bits[condition] = np.packbits(holds)
        return np.unpackbits(self._bits[condition], count=len(self.table)).view(np.bool_)

    def by_all(self, conditions: Iterable[Condition]) -> npt.NDArray[np.intp]:
        """Return the positions of the rows that all conditions hold for.

        Of all rows where there are no conditions.
        """
        inside = np.ones(len(self.table), dtype=bool)
        for one in conditions:
            inside &= self.by(one)
        return np.flatnonzero(inside)

    def numbers(self, column: str) -> Floats:
        """Return a numeric column, NaN where a value is missing."""
        if column not in self._numbers:
            self._numbers[column] = self.table[column].to_numpy(dtype=np.float64, na_value=np.nan)
        return self._numbers[column]


def _text(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < 1e15:
        return str(int(plain))
    return repr(plain)
