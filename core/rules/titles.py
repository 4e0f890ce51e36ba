"""Rules as a person would say them: who the records are, not conditions on columns."""

from __future__ import annotations

from collections.abc import Sequence

from core.rules.conditions import Condition
from core.words import number

DIGITS = 4


def title_of(conditions: Sequence[Condition]) -> str:
    """Return whom a rule describes, in words.

    Parameters
    ----------
    conditions : sequence of Condition
        All of which hold.

    Examples
    --------
    >>> title_of([Condition("branch", equals="north"), Condition("age", low=25.0, high=40.0)])
    'Branch north, age 25 to below 40'
    >>> title_of([Condition("income", low=3000.0), Condition("job_title")])
    'Income 3,000 or more, job title not known'
    """
    text = ", ".join(_said(condition) for condition in conditions)
    return f"{text[:1].upper()}{text[1:]}"


def _said(condition: Condition) -> str:
    column = condition.column.replace("_", " ")
    low, high = condition.low, condition.high
    if condition.equals is not None:
        value = condition.equals
        if isinstance(value, bool):
            return column if value else f"not {column}"
        return f"{column} {value}"
    if low is not None and high is not None:
        return f"{column} {_number(low)} to below {_number(high)}"
    if low is not None:
        return f"{column} {_number(low)} or more"
    if high is not None:
        return f"{column} below {_number(high)}"
    return f"{column} not known"


def _number(value: float) -> str:
    """Return a bound with thousands marks, and no more digits than tell it."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return number(value, DIGITS).rstrip("0").rstrip(".")
