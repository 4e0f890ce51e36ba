"""The rows of a linear model, dense or sparse, with the intercept's column beside them.

Its products never fill a sparse table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import lapack, qr

from core.typing import Floats
from core.unlearning.threads import one_blas_thread

BLOCK = 4096
MOST_PAIRS = 1_000_000
"""Of entries of one row, as many as a block of sparse rows may give at once."""
DEPENDENT = 1e-10
"""A column is made of others where no more than this share of its squared length is left without them; rounding leaves about 1e-14."""


@dataclass(frozen=True, eq=False)
class Design:
    """Rows as a linear model takes them.

    Parameters
    ----------
    X : ndarray or sparse matrix by rows, shape (n_rows, n_features)
    intercept : bool
        Whether a column of ones comes last.
    """

    X: Any
    intercept: bool

    @classmethod
    def of(cls, table: Any, intercept: bool) -> Design | None:
        """Return a table as finite numbers, or None where it holds anything else.

        A sparse one stays sparse.
        """
        try:
            X: Any = table.tocsr().astype(np.float64, copy=False) if is_sparse(table) else np.asarray(table, np.float64)
        except (ValueError, TypeError):
            return None
        return cls(X, intercept) if np.isfinite(X.data if is_sparse(X) else X).all() else None

    @property
    def n_entries(self) -> int:
        """How many numbers the rows hold, zeros of a sparse table left out."""
        return int(self.X.nnz if is_sparse(self.X) else self.X.size)

    @property
    def width(self) -> int:
        """How many columns there are, the intercept's included."""
        return int(self.X.shape[1]) + self.intercept

    def predictors(self, W: Floats) -> Floats:
        """Return the predictors of every row for each row of coefficients of `W`.

        The shape is (n_rows, len(W)).
        """
        own = np.asarray(self.X @ W[:, : self.X.shape[1]].T)
        return own + W[:, -1] if self.intercept else own

    def pulled(self, residuals: Floats) -> Floats:
        """Return the sums of the rows times their residuals, shape (n_residuals, width).

        Residuals are of shape (n_rows, n_residuals).
        """
        own = np.asarray(self.X.T @ residuals).T
        return np.column_stack([own, residuals.sum(axis=0)]) if self.intercept else own

    def products(self, weight: Floats) -> Floats:
        """Return the sum of ``weight_i * outer(x_i, x_i)``, shape (width, width).

        One pass, and no other array of that size.
        """
        total = np.zeros((self.width, self.width))
        for at, rows in self._blocks():
            own = weight[at]
            if not is_sparse(rows):
                total[: rows.shape[1], : rows.shape[1]] += (rows * own[:, None]).T @ rows
            else:
                entries = _outer(rows, own)
                total[entries.row, entries.col] += entries.data
        if self.intercept:
            total[-1, :-1] = total[:-1, -1] = self.pulled(weight[:, None])[0, :-1]
            total[-1, -1] = weight.sum()
        return total

    def spread(self, matrix: Floats, weight: Floats) -> float:
        """Return the sum of ``weight_i * x_i . matrix x_i``, shape (width, width).

        The matrix is symmetric. One pass.
        """
        n, total = self.X.shape[1], 0.0
        inner = matrix[:n, :n]
        for at, rows in self._blocks():
            own = weight[at]
            if not is_sparse(rows):
                total += float(np.einsum("ij,ij,i->", rows @ inner, rows, own))
            else:
                entries = _outer(rows, own)
                total += float(inner[entries.row, entries.col] @ entries.data)
        if self.intercept:
            pulled = self.pulled(weight[:, None])[0]
            total += float(2.0 * (pulled[:-1] @ matrix[:-1, -1]) + weight.sum() * matrix[-1, -1])
        return total

    def unseen(self) -> Floats:
        """Return a basis of the directions that move no row's predictor.

        The shape is (width, n_directions); O(n width^2 + width^3).

        One-hot columns of one category add up to the intercept's, so every category has such a direction. Found by Cholesky's
        decomposition with pivots, in the place of the matrix itself.
        """
        gram = self.products(np.ones(self.X.shape[0]))
        length = np.sqrt(gram.diagonal())
        scale = np.where(length > 0.0, 1.0 / np.where(length > 0.0, length, 1.0), 1.0)
        gram *= scale[:, None]
        gram *= scale
        with one_blas_thread():
            factor, pivots, rank, _ = lapack.dpstrf(gram.T, tol=DEPENDENT, lower=1, overwrite_a=1)
            order = pivots - 1
            found = np.zeros((self.width, self.width - rank), order="F")
            if not found.shape[1]:
                return found
            # Below its rank the factor L is given a diagonal of ones: then L.T x = (0, e) says that x, in this order, moves nothing.
            rest = factor[rank:, rank:]
            rest[:] = np.eye(len(rest))
            found[rank:] = np.eye(len(rest))
            found[order], _ = lapack.dtrtrs(factor, found, lower=1, trans=1)
        return np.asarray(qr(found * scale[:, None], mode="economic")[0])

    def _blocks(self) -> Iterator[tuple[slice, Any]]:
        n = int(self.X.shape[0])
        step = BLOCK
        if is_sparse(self.X):
            fullest = int(np.diff(self.X.indptr).max(initial=1))
            step = max(1, min(BLOCK, MOST_PAIRS // max(1, fullest**2)))
        for low in range(0, n, step):
            at = slice(low, min(low + step, n))
            yield at, self.X[at]


def is_sparse(table: Any) -> bool:
    """Return whether a table is one of scipy's sparse matrices or arrays."""
    return bool(sparse.issparse(table))


def _outer(rows: Any, weight: Floats) -> Any:
    """Return the sum of a few sparse rows' outer products, entry by entry, each once."""
    return (rows.T @ rows.multiply(weight[:, None]).tocsr()).tocoo()
