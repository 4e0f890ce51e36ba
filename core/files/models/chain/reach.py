"""A model's own numbers against the prepared rows: a saved scaler may not have been used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.typing import Array

MOST_TREES = 50
ROUNDING = 1e-6


def share_outside(model: Any, rows: Any) -> float | None:
    """Return the share of a model's numbers that lie outside the range of their columns.

    Splits of trees, means of classes and stored rows of a model fitted on these rows all lie within. O(cells), and the nodes of up to 50 trees.

    Parameters
    ----------
    model : object
        The last step, fitted.
    rows : array-like
        What it is given.

    Returns
    -------
    float or None
        None where the model keeps no such numbers.
    """
    rows = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, dtype=np.float64)
    low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    margin = ROUNDING * (1 + np.abs(low) + np.abs(high))
    outside, of = 0, 0
    for columns, values in _numbers(model):
        beyond = (values < (low - margin)[columns]) | (values > (high + margin)[columns])
        outside, of = outside + int(np.count_nonzero(beyond)), of + beyond.size
    return outside / of if of else None


def _numbers(model: Any) -> Iterator[tuple[Array, Array]]:
    """Yield columns and numbers in them."""
    held = np.ravel(getattr(model, "estimators_", [model])).tolist()
    for tree in [one.tree_ for one in held[:MOST_TREES] if hasattr(one, "tree_")]:
        inner = tree.children_left != -1
        yield tree.feature[inner], tree.threshold[inner]
    for name in ("theta_", "means_", "_fit_X"):
        table = getattr(model, name, None)
        if isinstance(table, np.ndarray) and table.ndim == 2:
            yield np.broadcast_to(np.arange(table.shape[1]), table.shape), table
