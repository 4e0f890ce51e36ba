"""Whether the preprocessing of a pipeline would be another one without some training rows.

The pipeline is taken apart into its transformers, and what each is given of the retained rows is kept. While the transformers before
it stay as they are, it is given just that without a group of rows too. So each is looked at alone: encoders by counting whether a
category would vanish, imputers of a constant by counting whether a column would be left without a value, the others by fitting them to
the rows that are left and comparing what these become.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.utils import _safe_indexing, get_tags

from core.case.case import Case
from core.typing import Positions
from core.unlearning.base import model_input
from core.unlearning.preprocessing.chain import column_parts, passes

Lost = frozenset[tuple[int, int, int]]
"""Categories, each by the number of its encoder, of its column there, and its own."""

NONE_LOST: Lost = frozenset()


def preprocessing_differs(case: Case, positions: Positions) -> bool:
    """Return whether fitting preprocessing without some retained rows changes others' values.

    Takes the pipeline apart once for a case. Then encoders cost O(n_positions) a column, other transformers a fit each.
    """
    return lost_categories(case, positions) != NONE_LOST


def lost_categories(case: Case, positions: Positions) -> Lost | None:
    """Return the categories that lose their columns without some retained rows.

    The preprocessing is fitted without these.

    None where it would give other values too, or may; then it has to be fitted to be told. Two groups of rows that lose the same
    categories leave the same preprocessing. Costs what `preprocessing_differs` does.
    """
    if not isinstance(case.model, Pipeline) or len(case.model.steps) == 1 or not len(positions):
        return NONE_LOST
    parts: Parts = case.prepared.get("preprocessing parts", lambda: Parts.of(case))
    return parts.lost(positions)


def lacks_seed(steps: Pipeline) -> bool:
    """Return whether a preprocessing may draw at random with no `random_state` set."""
    return any(name.endswith("random_state") and value is None for name, value in steps.get_params().items())


class Parts:
    """The fitted transformers of a pipeline, each with what it is given of the retained rows.

    Parameters
    ----------
    transformers : list of Encoder or Other
    local : ndarray of int
        The place of every training row among the retained ones.
    n_rows : int
        How many these are.
    """

    def __init__(self, transformers: list[Encoder | Other], local: Positions, n_rows: int) -> None:
        self.transformers, self.local, self.n_rows = transformers, local, n_rows

    @classmethod
    def of(cls, case: Case) -> Parts:
        """Take the model of a case apart."""
        table, labels = model_input(case, case.retained), case.train_labels[case.retained]
        return cls.inside(case.model[:-1], table, labels, np.cumsum(case.retained) - 1)

    @classmethod
    def inside(cls, estimator: Any, table: Any, labels: npt.NDArray[Any], local: Positions) -> Parts:
        """Take a fitted transformer apart, which was given a table of the retained rows."""
        found: list[Encoder | Other] = []
        for one, given, last in _taken_apart(estimator, table):
            if get_tags(one).requires_fit:
                exact = Other(one, given, labels)
                found.append(Encoder.of(exact, last) or exact)
        return cls(sorted(found, key=lambda one: isinstance(one, Other)), local, len(labels))

    def lost(self, positions: Positions) -> Lost | None:
        """Return the categories that lose their columns without these training rows.

        None where more than that may differ.
        """
        gone = self.local[positions]
        left, lost = np.delete(np.arange(self.n_rows), gone), set()
        for number, one in enumerate(self.transformers):
            categories = one.lost(gone, left)
            if categories is None:
                return None
            lost |= {(number, *category) for category in categories}
        return frozenset(lost)


@dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder of categories, which stays as it is as long as none of these vanishes.

    Imputers of a constant are told in the same way, by whether a value is missing.

    Parameters
    ----------
    codes : tuple of ndarray of int
        For every column, the category of every row; none where categories are given, and not learned.
    counts : tuple of ndarray of int
        How many rows have each.
    closer : Other or None
        What tells where one vanishes; None where the encoder then surely differs.
    alone : bool
        Whether a category that vanishes takes its own column with it and all others stay as they are.
    """

    codes: tuple[Positions, ...]
    counts: tuple[Positions, ...]
    closer: Other | None
    alone: bool

    @classmethod
    def of(cls, exact: Other, last: bool) -> Encoder | None:
        """Return one for a transformer that counting tells about, else None.

        What the `last` of a chain gives goes to the model as it is.
        """
        estimator = exact.estimator
        if type(estimator) is SimpleImputer and estimator.strategy == "constant" and not estimator.add_indicator:
            codes = tuple(pd.isna(column).astype(np.intp) for column in _columns_of(exact.table, exact.n_columns))
            return cls(codes, tuple(np.bincount(code) for code in codes), exact, False)
        if type(estimator) not in (OneHotEncoder, OrdinalEncoder):
            return None
        if estimator.min_frequency is not None or estimator.max_categories is not None:
            return None
        learned = exact.n_columns if isinstance(estimator.categories, str) else 0
        codes = tuple(pd.factorize(column, use_na_sentinel=False)[0] for column in _columns_of(exact.table, learned))
        surely = type(estimator) is OneHotEncoder and estimator.drop is None
        return cls(codes, tuple(np.bincount(code) for code in codes), None if surely else exact, surely and last)

    def lost(self, gone: Positions, left: Positions) -> list[tuple[int, int]] | None:
        """Return the categories that lose their columns, each with the number of its own.

        None where more than that differs.
        """
        vanished = [
            (column, int(category))
            for column, (code, count) in enumerate(zip(self.codes, self.counts, strict=True))
            for category in np.flatnonzero((np.bincount(code[gone], minlength=len(count)) == count) & (count > 0))
        ]
        if not vanished or self.alone:
            return vanished
        return None if self.closer is None else self.closer.lost(gone, left)


def _columns_of(table: Any, count: int) -> Iterator[npt.NDArray[Any]]:
    return (np.asarray(_safe_indexing(table, place, axis=1)) for place in range(count))


@dataclass(frozen=True, eq=False)
class Other:
    """A transformer that has to be fitted to be told.

    Parameters
    ----------
    estimator : transformer
        As it is fitted now.
    table : array-like
        What it is given.
    labels : ndarray
    """

    estimator: Any
    table: Any
    labels: npt.NDArray[Any]

    @property
    def n_columns(self) -> int:
        """How many columns it is given."""
        return int(self.estimator.n_features_in_)

    def lost(self, gone: Positions, left: Positions) -> list[tuple[int, int]] | None:  # noqa: ARG002
        """Return None where the rows that are left get other values once it is fitted to them.

        To them alone, in single precision.
        """
        rows = _safe_indexing(self.table, left)
        try:
            after = clone(self.estimator).fit(rows, self.labels[left])
        except ValueError:
            return None
        return [] if _same(self.estimator.transform(rows), after.transform(rows)) else None


def _taken_apart(estimator: Any, table: Any, last: bool = True) -> Iterator[tuple[Any, Any, bool]]:
    """Yield every transformer inside a fitted one, and what it is given of a table.

    With whether nothing comes after it.
    """
    if passes(estimator):
        return
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            final = step is estimator.steps[-1][1]
            yield from _taken_apart(step, table, last and final)
            table = table if passes(step) or final else step.transform(table)
    elif type(estimator) is ColumnTransformer:
        for _, part, columns in column_parts(estimator):
            yield from _taken_apart(part, _safe_indexing(table, list(columns), axis=1), last)
    else:
        yield estimator, table, last


def _same(one: Any, other: Any) -> bool:
    if one.shape != other.shape:
        return False
    if issparse(one) and issparse(other):
        differing: Any = one != other
        return bool(differing.nnz == 0)
    one, other = (pd.DataFrame(_singles(np.asarray(each))) for each in (one, other))
    return bool(one.equals(other))


def _singles(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.astype(np.float32) if np.issubdtype(values.dtype, np.number) else values
