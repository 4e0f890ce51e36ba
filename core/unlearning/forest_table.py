"""The training table as trees read it: float32 values, coded by rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.case.scoring import model_rows
from core.errors import NotSupportedError
from core.numerics.tree_arrays import LINK, MOST_BINS, Table
from core.unlearning.base import Positions, model_input

Singles = npt.NDArray[np.float32]

MOST_CELLS = 2**29
"""Of the transformed training table: 2 GiB of float32."""


def as_trees_take(model: Any, frame: pd.DataFrame) -> Singles:
    """Return rows of the model's columns as its trees get them: preprocessed, dense, in float32."""
    table = model_rows(model, frame)
    if isinstance(model, Pipeline) and len(model.steps) > 1:
        table = model[:-1].transform(table)
        table = table.toarray() if hasattr(table, "toarray") else table
    return np.ascontiguousarray(table, dtype=np.float32)


def tree_input(case: Case, rows: Positions, steps: Any = None) -> Singles:
    """Return training rows as the trees get them, in float32.

    Parameters
    ----------
    case : Case
    rows : ndarray of int
        Positions in the training table.
    steps : Pipeline, optional
        Preprocessing to use in place of the model's own.
    """
    table = model_input(case, rows)
    if isinstance(case.model, Pipeline) and len(case.model.steps) > 1:
        table = (case.model[:-1] if steps is None else steps).transform(table)
        if table.shape[0] * table.shape[1] > MOST_CELLS:
            raise NotSupportedError(
                f"the preprocessed table has {table.shape[0]:,} x {table.shape[1]:,} cells, more than fit in 2 GiB"
            )
        table = table.toarray() if hasattr(table, "toarray") else table
    X = np.asarray(table, dtype=np.float32)
    if np.isinf(X).any():
        raise NotSupportedError("columns have infinite values in single precision")
    return X


def code_table(X: Singles, n_classes: int) -> Table:
    """Return the table coded by rank, O(d n log n); a feature with missing values has a second column."""
    incomplete = np.flatnonzero(np.isnan(X).any(axis=0))
    columns = [_ranked(X[:, f], np.inf) for f in range(X.shape[1])]
    columns += [_ranked(X[:, f], -np.inf) for f in incomplete]
    twin = np.full(X.shape[1], -1, dtype=np.int32)
    twin[incomplete] = X.shape[1] + np.arange(len(incomplete))
    sizes = [len(values) for values, _ in columns]
    kind = np.uint16 if max(sizes) <= np.iinfo(np.uint16).max else np.int32
    codes = _padded(len(columns), len(X), kind)
    bins = _padded(len(columns), len(X), np.uint8)
    edges = np.zeros((len(columns), 2 * MOST_BINS + 1), dtype=np.int32)
    order, starts = np.empty((len(columns), len(X)), dtype=np.int32), np.empty_like(edges)
    n_bins = np.empty(len(columns), dtype=np.int64)
    longest = np.empty(len(columns), dtype=np.int64)
    chained = np.zeros(len(X), dtype=bool)
    for f, (values, code) in enumerate(columns):
        codes[f] = code
        linked = np.append(values[1:] <= values[:-1] + LINK, False)
        longest[f] = np.diff(np.flatnonzero(np.append(True, ~linked))).max() - 1
        chained |= (linked & np.roll(linked, 1))[code]
        bin_of, n_bins[f] = _bins(code, linked)
        bins[f] = bin_of[code]
        edges[f] = np.searchsorted(bin_of, np.arange(2 * MOST_BINS + 1))
        order[f] = np.argsort(code, kind="stable")
        starts[f] = np.searchsorted(code[order[f]], edges[f])
    codes_by_row = _padded(len(X), len(columns), kind)
    codes_by_row[:] = codes.T
    bins_by_row = _padded(len(X), len(columns), np.uint8)
    bins_by_row[:] = bins.T
    return Table(
        codes,
        np.concatenate([values for values, _ in columns]).astype(np.float32),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        chained,
        n_classes,
        bins,
        edges,
        n_bins,
        twin,
        np.concatenate([np.arange(X.shape[1]), incomplete]).astype(np.int32),
        longest,
        codes_by_row.T,
        bins_by_row.T,
        order,
        starts,
    )


def _padded(rows: int, columns: int, kind: type) -> npt.NDArray[Any]:
    """Return an uninitialised array whose rows start on cache lines; never contiguous, so that kernels see one type."""
    line = 64 // np.dtype(kind).itemsize
    return np.empty((rows, (columns // line + 1) * line), dtype=kind)[:, :columns]


def _ranked(column: Singles, missing: float) -> tuple[Singles, npt.NDArray[np.intp]]:
    """Return a column's distinct values and every row's rank among them, `missing` standing for what is missing."""
    return np.unique(np.where(np.isnan(column), np.float32(missing), column), return_inverse=True)


def _bins(code: npt.NDArray[np.intp], linked: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], int]:
    """Return each code's bin, about as many rows in each; linked values share one."""
    rows = np.bincount(code)
    few = len(rows) <= MOST_BINS
    wanted = np.arange(len(rows)) if few else (np.cumsum(rows) - rows) * MOST_BINS // len(code)
    starts = np.append(True, ~linked[:-1] & (np.diff(wanted) > 0))
    bin_of = np.cumsum(starts) - 1
    return bin_of, int(bin_of[-1]) + 1
