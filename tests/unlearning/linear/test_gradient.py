"""What is left of a gradient against the formula written out, on dense and sparse rows, with directions that no row affects."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from core.unlearning.linear.design import Design
from core.unlearning.linear.gradient import distance, leftover
from core.unlearning.linear.objective import logistic_objective


def one_hot_rows(n=400, levels=(3, 5, 11), seed=0):
    draw = np.random.default_rng(seed)
    codes = [draw.integers(0, k, n) for k in levels]
    X = np.column_stack([draw.normal(size=n), *(np.eye(k)[code] for k, code in zip(levels, codes, strict=True))])
    score = X[:, 0] + (codes[0] == 1) + draw.logistic(size=n)
    return X, score


def fitted(n_classes, **options):
    X, score = one_hot_rows()
    y = np.digitize(score, np.quantile(score, np.arange(1, n_classes) / n_classes))
    return LogisticRegression(**options).fit(X, y), X, y


def found_on(model, X, y, weight=None):
    objective = logistic_objective(model)
    design = Design.of(X, objective.fit_intercept)
    return leftover(model, objective, design, y, np.ones(len(y)) if weight is None else weight)


def written_out(model, X, y, weight):
    """Return left, one_row and unseen for two classes by the formulas of docs/METHODS.md, null directions by singular values."""
    X = np.column_stack([X, np.ones(len(X))])
    w = np.append(model.coef_[0], model.intercept_)
    P = np.diag(np.append(np.full(len(w) - 1, 1.0 / model.C), 0.0))
    p = 1.0 / (1.0 + np.exp(-X @ w))
    _, size, directions = np.linalg.svd(X, full_matrices=True)
    N = directions[np.count_nonzero(size > 1e-9) :].T
    moved = N @ np.linalg.solve(N.T @ P @ N, N.T @ P @ w)
    gradient = X.T @ (weight * (p - y)) + P @ (w - moved)
    inverse = np.linalg.inv((X * (weight * p * (1 - p))[:, None]).T @ X + P)
    rows = X * (weight * (p - y))[:, None]
    one_row = np.sqrt(np.mean(np.einsum("ij,jk,ik->i", rows, inverse, rows)))
    return np.sqrt(gradient @ inverse @ gradient), one_row, np.sqrt(moved @ P @ moved)


@pytest.mark.parametrize("as_table", [np.asarray, sparse.csr_matrix, sparse.csc_array], ids=["dense", "csr", "csc"])
def test_two_classes_by_the_formula(as_table):
    model, X, y = fitted(2, tol=1e-2, C=0.7)
    weight = np.random.default_rng(1).random(len(y)) + 0.5
    expected = written_out(model, X, y, weight)
    found = found_on(model, as_table(X), y, weight)
    np.testing.assert_allclose((found.left, found.one_row, found.unseen), expected, rtol=1e-8)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("options", [{}, {"fit_intercept": False}, {"C": np.inf}], ids=str)
def test_sparse_and_dense_rows_leave_the_same(n_classes, options):
    model, X, y = fitted(n_classes, tol=1e-2, **options)
    np.testing.assert_allclose(found_on(model, sparse.csr_array(X), y), found_on(model, X, y), rtol=1e-7, atol=1e-12)


def test_a_wide_sparse_table_is_never_made_dense():
    n, width, draw = 6000, 500, np.random.default_rng(0)
    X = sparse.csr_array((np.ones(n), draw.integers(0, width, n), np.arange(n + 1)), shape=(n, width))
    y = draw.integers(0, 2, n)
    model = LogisticRegression().fit(X, y)
    tracemalloc.start()
    try:
        found_on(model, X, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    own, hessian = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes, 8 * (width + 1) ** 2
    assert peak < 1.5 * (2 * own + hessian) < 0.2 * (8 * n * width), (
        "twice the sparse table and one Hessian, or little more"
    )


@pytest.mark.parametrize("n_classes", [2, 4])
def test_moving_along_a_direction_that_no_row_affects_shows_apart(n_classes):
    model, X, y = fitted(n_classes, solver="newton-cg", tol=1e-8)
    before = found_on(model, X, y)
    model.coef_[:, 1:4] += 0.3
    model.intercept_ -= 0.3
    after = found_on(model, X, y)
    assert (after.left, after.one_row) == pytest.approx((before.left, before.one_row), rel=1e-6)
    assert before.unseen < 1e-3 < 0.5 < after.unseen


def test_without_a_penalty_one_hot_columns_leave_what_a_full_rank_design_leaves():
    model, X, y = fitted(2, C=np.inf, tol=1e-3)
    full = LogisticRegression(C=np.inf, tol=1e-3)
    kept = np.delete(np.arange(X.shape[1]), [1, 4, 9])
    full.fit(X[:, kept], y)
    w = np.linalg.lstsq(np.column_stack([X[:, kept], np.ones(len(X))]), model.decision_function(X), rcond=None)[0]
    full.coef_, full.intercept_ = w[None, :-1], w[-1:]
    one, other = found_on(model, X, y), found_on(full, X[:, kept], y)
    assert (one.left, one.one_row) == pytest.approx((other.left, other.one_row), rel=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_distance_of_a_newton_step_is_the_norm_of_the_gradient(n_classes):
    """Both are measured in the Hessian's norm, so near the optimum they agree: ||w - w*||_H = ||g||_{H^-1}."""
    near, X, y = fitted(n_classes, tol=1e-4)
    optimum, _, _ = fitted(n_classes, solver="newton-cg", tol=1e-10)
    objective = logistic_objective(near)
    design, weight = Design.of(X, True), np.ones(len(y))
    found = leftover(near, objective, design, y, weight)
    away = distance(near, optimum, objective, design, weight)
    assert away == pytest.approx(np.hypot(found.left, found.unseen), rel=0.02)


def test_directions_are_those_of_singular_values_and_move_nothing():
    X, _ = one_hot_rows()
    X = np.column_stack([X, X[:, 0] * 3e5, np.zeros(len(X))])
    free = Design.of(sparse.csr_array(X), True).unseen()
    assert free.shape == (X.shape[1] + 1, 5)
    assert np.abs(np.column_stack([X, np.ones(len(X))]) @ free).max() < 1e-9
    np.testing.assert_allclose(free.T @ free, np.eye(5), atol=1e-12)


@pytest.mark.parametrize("table", [np.array([["a"]]), np.array([[np.nan]]), sparse.csr_array([[np.inf]])], ids=str)
def test_anything_but_finite_numbers_is_no_design(table):
    assert Design.of(table, True) is None
