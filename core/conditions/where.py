"""Conditions on rows, written as rules print them: ``month >= '2025-07'``.

Read by a small parser of its own; nothing of a text is ever run. A clause is one of

- ``column = value``, ``column != value``, ``column in (value, value)``;
- ``column < value``, and with ``<=``, ``>``, ``>=``; ``low <= column < high``;
- ``column is missing``, ``column is not missing``;

and clauses are joined by ``and``. Texts and dates stand in quotes, numbers and True or False without. A name of a column stands as it is,
or between backticks where it could be read otherwise. A missing value meets ``is missing`` alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from core.conditions.values import Compare, compare_with
from core.errors import InputError, InputTypeError, nearest
from core.typing import Bools

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
WORD = re.compile(r"(?:True|False)(?!\w)")
COMPARISON = re.compile(r"<=|>=|!=|==|<|>|=")
IS = re.compile(r"is\s+(not\s+)?missing(?!\w)", re.IGNORECASE)
IN = re.compile(r"in\s*\(", re.IGNORECASE)
AND = re.compile(r"and(?!\w)", re.IGNORECASE)
OTHER_JOINS = re.compile(r"(or|not)(?!\w)", re.IGNORECASE)
EXAMPLE = "month >= '2025-07' and branch = 'north'"
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Clause:
    """One clause of a condition: what is asked of one column.

    Parameters
    ----------
    column : object
        As the table names it.
    asks : str
        "=", "!=", "<", "<=", ">", ">=", "in", "missing" or "not missing".
    values : tuple
        What it is compared with: numbers, texts, True or False.
    """

    column: Any
    asks: Compare
    values: tuple[Any, ...] = ()

    def holds(self, table: pd.DataFrame) -> Bools:
        """Return the rows of a table it holds for."""
        values: pd.Series[Any] = table[self.column]
        missing = values.isna().to_numpy(dtype=bool)
        if self.asks in ("missing", "not missing"):
            return missing if self.asks == "missing" else ~missing
        found = np.zeros(len(table), dtype=bool)
        found[~missing] = compare_with(values[~missing], self.asks, self.values)
        return found


def rows_where(table: pd.DataFrame, where: str) -> Bools:
    """Return the rows of a table that a condition holds for.

    Parameters
    ----------
    table : DataFrame
    where : str
        The condition.

    Returns
    -------
    ndarray of bool, shape (n_rows,)

    Raises
    ------
    InputError
        If the condition cannot be read, or names a column or a value the table does not have; the nearest ones are offered.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [20.0, 30.0, 40.0, None], "branch": ["north", "south", "north", "north"]})
    >>> rows_where(table, "25 <= age < 45 and branch = 'north'").tolist()
    [False, False, True, False]
    >>> rows_where(table, "branch = 'nort'")
    Traceback (most recent call last):
    core.errors.InputError: A condition must name values that occur. No row has branch = 'nort'. Did you mean 'north'?
    """
    inside = np.ones(len(table), dtype=bool)
    for clause in parse_where(where, table.columns):
        inside &= clause.holds(table)
    return inside


def parse_where(where: str, columns: Iterable[Any]) -> tuple[Clause, ...]:
    """Read a condition on a table of these columns; as `rows_where` does.

    Examples
    --------
    >>> parse_where("age is missing and job in ('clerk', 'cook')", ["age", "job"])
    (Clause(column='age', asks='missing', values=()), Clause(column='job', asks='in', values=('clerk', 'cook')))
    """
    if not isinstance(where, str):
        raise InputTypeError(
            f"`where` must be a condition as text. Got {where!r} instead; write one such as {EXAMPLE!r}."
        )
    if not where.strip():
        raise InputError(
            f"`where` must be a condition. Got an empty text; write one such as {EXAMPLE!r}, or leave it out."
        )
    return tuple(_Reader(where, columns).clauses())


class _Reader:
    """A text, and how far it has been read."""

    def __init__(self, text: str, columns: Iterable[Any]) -> None:
        self.text, self.at = text, 0
        self.columns = {str(name): name for name in columns}

    def clauses(self) -> Iterator[Clause]:
        while True:
            yield from self.clause()
            if self.ended():
                return
            if self.take(AND) is None:
                self.wrong("clauses joined by 'and'")

    def clause(self) -> Iterator[Clause]:
        start = self.at
        low = self.value()
        if low is not None and (way := self.take(COMPARISON)) in TURNED:
            yield Clause(column := self.column(), TURNED[str(way)], (low[0],))  # type: ignore[arg-type]
            if (way := self.take(COMPARISON)) is not None:
                yield Clause(column, self.way(way), (self.needed_value(),))
            return
        self.at = start
        column = self.column()
        if (said := self.take(IS)) is not None:
            yield Clause(column, "not missing" if re.search(r"\snot\s", said, re.IGNORECASE) else "missing")
        elif self.take(IN) is not None:
            yield Clause(column, "in", tuple(self.several()))
        elif (way := self.take(COMPARISON)) is not None:
            yield Clause(column, self.way(way), (self.needed_value(),))
        else:
            self.wrong("after a column one of =, !=, <, <=, >, >=, in (...), is missing")

    def way(self, way: str) -> Any:
        return "=" if way == "==" else way

    def several(self) -> Iterator[Any]:
        comma, end = re.compile(","), re.compile(r"\)")
        while True:
            yield self.needed_value()
            if self.take(end) is not None:
                return
            if self.take(comma) is None:
                self.wrong("values in brackets, with commas between")

    def needed_value(self) -> Any:
        found = self.value()
        if found is None:
            self.wrong("a number, True or False, or a text or date in quotes")
        return found[0]

    def value(self) -> tuple[Any] | None:
        """Read a value, as a tuple of one; None where none stands here."""
        if (text := self.take(QUOTED)) is not None:
            try:
                return (ast.literal_eval(text),)
            except (SyntaxError, ValueError):
                self.wrong("a text in quotes that ends on its line")
        if (text := self.take(NUMBER)) is not None:
            return (float(text) if re.search(r"[.eE]", text) else int(text),)
        if (text := self.take(WORD)) is not None:
            return (text == "True",)
        return None

    def column(self) -> Any:
        self.skip()
        if self.text[self.at : self.at + 1] == "`":
            end = self.text.find("`", self.at + 1)
            name = self.text[self.at + 1 : end if end > 0 else None]
            self.at = end + 1 if end > 0 else len(self.text)
            return self.known(name)
        rest = self.text[self.at :]
        fitting = [name for name in self.columns if name and rest.startswith(name) and _ends(name, rest)]
        if not fitting:
            if OTHER_JOINS.match(rest):
                self.wrong("clauses joined by 'and' ('or' within one column is written: column in ('a', 'b'))")
            return self.known(re.split(r"\s*(?:[<>=!]|\s(?:is|in|and)\s)", rest, maxsplit=1)[0].strip() or rest)
        name = max(fitting, key=len)
        self.at += len(name)
        return self.columns[name]

    def known(self, name: str) -> Any:
        if name not in self.columns:
            near = nearest(name, self.columns) or f" Columns are {', '.join(map(repr, list(self.columns)[:9]))}."
            raise InputError(f"A condition must name columns of the table. Got {name!r} in {self.text!r}.{near}")
        return self.columns[name]

    def take(self, what: re.Pattern[str]) -> str | None:
        self.skip()
        found = what.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def ended(self) -> bool:
        self.skip()
        return self.at >= len(self.text)

    def wrong(self, wanted: str) -> NoReturn:
        here = self.text[self.at :].strip()
        got = f"{here[:30]!r}" if here else "its end"
        raise InputError(f"A condition must have {wanted}. Got {got} in {self.text!r}; write it as in {EXAMPLE!r}.")


def _ends(name: str, rest: str) -> bool:
    """Return whether a name is a word of its own where it stands at the start of a text."""
    after = rest[len(name) : len(name) + 1]
    return not (name[-1].isalnum() or name[-1] == "_") or not (after.isalnum() or after == "_")
