"""Conditions on raw columns: what rules are made of."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Bools = npt.NDArray[np.bool_]


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
        missing = values.isna().to_numpy(dtype=bool)
        if self.equals is not None:
            return np.asarray((values == self.equals).to_numpy(dtype=bool, na_value=False)) & ~missing
        if self.low is None and self.high is None:
            return missing
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        inside = ~missing
        if self.low is not None:
            inside &= numbers >= self.low
        if self.high is not None:
            inside &= numbers < self.high
        return np.asarray(inside)


def _text(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < 1e15:
        return str(int(plain))
    return repr(plain)
