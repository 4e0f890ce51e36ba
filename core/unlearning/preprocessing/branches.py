"""The branches of a column transformer, fitted again one by one.

Those that stay as they are need no second look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from core.case.case import Case
from core.case.scoring import model_rows, singles
from core.typing import Positions, Singles
from core.unlearning.base import model_input
from core.unlearning.preprocessing.chain import column_parts
from core.unlearning.preprocessing.unchanged import NONE_LOST, Parts, lacks_seed


class Given(NamedTuple):
    """The columns and values that branches fitted again give.

    Parameters
    ----------
    columns : ndarray of int
        The columns they fill.
    values : ndarray of float32, shape (n_left, n_columns)
        Of the rows they were fitted to.
    points : ndarray of float32, shape (n_points, n_columns)
    """

    columns: Positions
    values: Singles
    points: Singles


@dataclass(frozen=True, eq=False)
class Branch:
    """A fitted transformer with its own columns.

    Parameters
    ----------
    estimator : transformer
    inputs : list of int
        Of the table, the columns it takes.
    table : array-like
        These, of the retained rows.
    outputs : slice
        The columns it fills.
    parts : Parts
    """

    estimator: Any
    inputs: list[int]
    table: Any
    outputs: slice
    parts: Parts


def branches_again(case: Case, positions: Positions, points: pd.DataFrame) -> Given | None:
    """Return what the branches of a preprocessing give that would not stay as they are.

    That is without some retained rows.

    Costs a fit of these alone. None where the preprocessing is no lone column transformer or may draw
    without a seed, or a branch would not give the columns it gave.

    Parameters
    ----------
    case : Case
    positions : ndarray of int
        The rows that go.
    points : DataFrame
        Rows of the model's columns that are asked for beside those that are left.
    """
    branches: list[Branch] | None = case.prepared.get("preprocessing branches", lambda: _branches(case))
    if branches is None:
        return None
    rows, n_left = model_rows(case.model, points), case.n_retained - len(positions)
    found = [Given(np.empty(0, np.intp), np.empty((n_left, 0), np.float32), np.empty((len(points), 0), np.float32))]
    for branch in branches:
        if branch.parts.lost(positions) != NONE_LOST:
            given = _again(branch, positions, case.train_labels[case.retained], rows)
            if given is None:
                return None
            found.append(given)
    return Given(*(np.concatenate([getattr(one, name) for one in found], axis=-1) for name in Given._fields))


def _again(branch: Branch, positions: Positions, labels: npt.NDArray[Any], points: Any) -> Given | None:
    left = np.delete(np.arange(len(labels)), branch.parts.local[positions])
    table = _safe_indexing(branch.table, left)
    try:
        again = clone(branch.estimator).fit(table, labels[left])
        values, asked = (
            singles(again.transform(one)) for one in (table, _safe_indexing(points, branch.inputs, axis=1))
        )
    except ValueError:
        return None
    columns = np.arange(branch.outputs.start, branch.outputs.stop)
    if values.shape[1] != len(columns) or np.isinf(values).any() or names_given(again) != names_given(branch.estimator):
        return None
    return Given(columns, values, asked)


def names_given(estimator: Any) -> list[str] | None:
    """Return the names of the columns that a fitted transformer gives.

    None where it tells none.
    """
    try:
        return [str(name) for name in estimator.get_feature_names_out()]
    except (AttributeError, TypeError, ValueError, NotImplementedError):
        return None


def _branches(case: Case) -> list[Branch] | None:
    if not isinstance(case.model, Pipeline) or len(case.model.steps) != 2 or lacks_seed(case.model[:-1]):
        return None
    whole = case.model.steps[0][1]
    if type(whole) is not ColumnTransformer or whole.transformer_weights is not None:
        return None
    rows, labels = model_input(case, case.retained), case.train_labels[case.retained]
    local, found = np.cumsum(case.retained) - 1, []
    for name, part, columns in column_parts(whole):
        table = _safe_indexing(rows, list(columns), axis=1)
        parts = Parts.inside(part, table, labels, local)
        found.append(Branch(part, list(columns), table, whole.output_indices_[name], parts))
    return found
