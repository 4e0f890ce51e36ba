"""Names for columns that have none: lists of names among the files, and the training table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.case.group_thresholds import scorer
from core.errors import listed
from core.files.models.chain.orders import Flow
from core.files.models.chain.preparers import Names, Preparer
from core.typing import Array

_MOST_CLASSES = 1_000


class Naming:
    """Where names of columns come from, apart from the parts themselves.

    Parameters
    ----------
    lists : mapping of str to tuple of str
        Lists of names among the files, by where they stand.
    train : DataFrame or None
    model : object
        The fitted classifier.
    """

    def __init__(self, lists: Mapping[str, tuple[str, ...]], train: pd.DataFrame | None, model: Any) -> None:
        self._lists, self._train = lists, train
        self._classes = np.asarray(getattr(scorer(model), "classes_", ()))
        self._used: set[str] = set()
        self._by_table = False

    def listed(self, n: int) -> Names:
        """Return the names of a list that has so many."""
        for place, names in self._lists.items():
            if len(names) == n and len(set(names)) == n:
                self._used.add(place)
                return names
        return None

    def supposed(self, n: int, steps: Sequence[Preparer] = ()) -> Names:
        """Return so many names, of a list, of encoders, or of the table without its outcome."""
        found = self.listed(n)
        if found is not None:
            return found
        for step in steps:
            if step.made is None and step.keeps and step.n_takes == n:
                return step.takes
        return self._of_table(n)

    def _of_table(self, n: int) -> Names:
        if self._train is None or not n < len(self._train.columns) <= n + 3:
            return None
        others = [str(name) for name in self._train.columns]
        left = [name for name in others if not self._may_be_outcome(name)]
        if len(left) == n:
            return tuple(left)
        ends = [others[:-1], others[1:]]  # the outcome stands last as a rule, sometimes first
        return next(
            (tuple(names) for names in ends if len(names) == n and (set(others) - set(names)) - set(left)), None
        )

    def _may_be_outcome(self, name: str) -> bool:
        values = self._train[name].dropna().unique() if self._train is not None else ()
        return 2 <= len(values) <= _MOST_CLASSES and {*map(_text, values)} <= {*map(_text, self._classes.tolist())}

    def told_by(self, key: str, known: Sequence[str]) -> str | None:
        """Return the column that stands in the name of a file or entry, such as ``le_gender``."""
        words = f"_{_plain(key)}_"
        found = [name for name in known if _plain(name) and f"_{_plain(name)}_" in words]
        found = found or [name for name in known if _plain(name) and f"_{_plain(name).replace('_', '')}_" in words]
        longest = max(map(len, found), default=0)
        found = [name for name in found if len(name) == longest]
        return found[0] if len(found) == 1 else None

    def with_values(self, labels: Array, known: Sequence[str]) -> str | None:
        """Return the one column of the table that holds just the values of an encoder."""
        if self._train is None:
            return None
        names = [name for name in (known or self._train.columns) if name in self._train.columns]
        words = {_text(one) for one in labels.tolist()}
        found = [name for name in names if _within(self._train[name], words)]
        return str(found[0]) if len(found) == 1 else None

    def holds_codes(self, labels: Array, n: int) -> bool:
        """Tell whether the table has the outcome as 0, 1, 2 and so on, and nowhere as labels."""
        if self._train is None:
            return False
        words, numbers = {_text(one) for one in labels.tolist()}, {str(place) for place in range(n)}
        columns = [self._train[name] for name in self._train.columns]
        return not any(_within(one, words) for one in columns) and any(_within(one, numbers) for one in columns)

    def notes(self, flow: Flow) -> list[str]:
        """Say which lists gave names, and which did not."""
        said = []
        for place, names in self._lists.items():
            if place in self._used:
                said.append(f"{place} names the {len(names):,} columns.")
            elif flow.names is None or set(names) != set(flow.names):
                said.append(
                    f"{place}: a list of {len(names):,} names ({listed(names, most=3)}) was left out, since nothing takes so many columns without names."
                )
        return said


def same_name(name: str, known: Sequence[str]) -> str | None:
    """Return the one column of a name in whatever letters it is written, or None."""
    if name in known:
        return name
    alike = [one for one in known if _plain(one).replace("_", "") == _plain(name).replace("_", "")]
    return alike[0] if len(alike) == 1 else None


def _within(column: pd.Series[Any], words: set[str]) -> bool:
    values = column.dropna().unique()
    return 2 <= len(values) <= _MOST_CLASSES and {*map(_text, values.tolist())} <= words


def _plain(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
