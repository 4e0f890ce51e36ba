"""Whether the preprocessing of a pipeline would be another one without some training rows.

The pipeline is taken apart into its transformers, and what each is given of the retained rows is kept. While the transformers before
it stay as they are, it is given just that without a group of rows too. So each is looked at alone: encoders by counting whether a
category would vanish, the others by fitting them to the rows that are left and comparing what these become.
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
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.utils import _safe_indexing, get_tags

from core.case.case import Case
from core.unlearning.base import Positions, model_input
from core.unlearning.preprocessing.chain import column_parts, passes

Ints = npt.NDArray[np.intp]


def preprocessing_differs(case: Case, positions: Positions) -> bool:
    """Return whether the preprocessing, fitted without some retained rows, would give any other retained row other values.

    Takes the pipeline apart once for a case. Then encoders cost O(n_positions) a column, other transformers a fit each.
    """
    if not isinstance(case.model, Pipeline) or len(case.model.steps) == 1 or not len(positions):
        return False
    parts: Parts = case._remember(("preprocessing parts",), lambda: Parts.of(case))
    return parts.differ(positions)


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

    def __init__(self, transformers: list[Encoder | Other], local: Ints, n_rows: int) -> None:
        self.transformers, self.local, self.n_rows = transformers, local, n_rows

    @classmethod
    def of(cls, case: Case) -> Parts:
        """Take the model of a case apart."""
        rows, labels = model_input(case, case.retained), case.train_labels[case.retained]
        found: list[Encoder | Other] = []
        for estimator, table in _taken_apart(case.model[:-1], rows):
            if get_tags(estimator).requires_fit:
                exact = Other(estimator, table, labels)
                found.append(Encoder.of(exact) or exact)
        return cls(sorted(found, key=lambda one: isinstance(one, Other)), np.cumsum(case.retained) - 1, len(labels))

    def differ(self, positions: Positions) -> bool:
        """Return whether any transformer would be another one without these training rows."""
        gone = self.local[positions]
        left = np.delete(np.arange(self.n_rows), gone)
        return any(one.differs(gone, left) for one in self.transformers)


@dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder of categories: as long as none of those it has learned vanishes, it stays as it is.

    Parameters
    ----------
    codes : tuple of ndarray of int
        For every column, the category of every row; none where categories are given, and not learned.
    counts : tuple of ndarray of int
        How many rows have each.
    closer : Other or None
        What tells where one vanishes; None where the encoder then surely differs.
    """

    codes: tuple[Ints, ...]
    counts: tuple[Ints, ...]
    closer: Other | None

    @classmethod
    def of(cls, exact: Other) -> Encoder | None:
        """Return one for a transformer that counting tells about, else None."""
        estimator = exact.estimator
        if type(estimator) not in (OneHotEncoder, OrdinalEncoder):
            return None
        if estimator.min_frequency is not None or estimator.max_categories is not None:
            return None
        learned = estimator.n_features_in_ if isinstance(estimator.categories, str) else 0
        columns = (_safe_indexing(exact.table, place, axis=1) for place in range(learned))
        codes = tuple(pd.factorize(np.asarray(column), use_na_sentinel=False)[0] for column in columns)
        surely = type(estimator) is OneHotEncoder and estimator.drop is None
        return cls(codes, tuple(np.bincount(code) for code in codes), None if surely else exact)

    def differs(self, gone: Positions, left: Positions) -> bool:
        """Return whether all rows of a category are among those that go, and that makes a difference."""
        vanishes = any(
            (np.bincount(code[gone], minlength=len(count)) == count).any()
            for code, count in zip(self.codes, self.counts, strict=True)
        )
        return vanishes and (self.closer is None or self.closer.differs(gone, left))


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

    def differs(self, gone: Positions, left: Positions) -> bool:  # noqa: ARG002
        """Return whether it gives the rows that are left other values, in single precision, once it is fitted to them alone."""
        rows = _safe_indexing(self.table, left)
        try:
            after = clone(self.estimator).fit(rows, self.labels[left])
        except ValueError:
            return True
        return not _same(self.estimator.transform(rows), after.transform(rows))


def _taken_apart(estimator: Any, table: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every transformer inside a fitted one, with what it is given of a table."""
    if passes(estimator):
        return
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            yield from _taken_apart(step, table)
            table = table if passes(step) or step is estimator.steps[-1][1] else step.transform(table)
    elif type(estimator) is ColumnTransformer:
        for _, part, columns in column_parts(estimator):
            yield from _taken_apart(part, _safe_indexing(table, list(columns), axis=1))
    else:
        yield estimator, table


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
