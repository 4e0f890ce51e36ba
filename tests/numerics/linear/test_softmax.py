"""The multinomial loss's derivatives against differences of the loss, and its bounds against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cholesky
from scipy.special import logsumexp, softmax

from core.numerics.linear.softmax import (
    contrasts,
    curvatures,
    largest_range,
    products,
    softmax_gradient_block,
    softmax_hessian_block,
)


def rows_of(n_classes, rows=40, atoms=3, seed=0):
    draw = np.random.default_rng(seed)
    Z = np.ascontiguousarray(draw.normal(size=(rows, atoms)))
    return Z, draw.integers(0, n_classes, rows), draw.random(rows) + 0.1, draw.normal(size=(n_classes - 1) * atoms)


def gradient_at(u, Z, y, weight, n_classes):
    U = np.ascontiguousarray(contrasts(n_classes) @ u.reshape(n_classes - 1, -1))
    part, anchor = np.zeros(len(y), dtype=np.intp), np.zeros((len(y), n_classes))
    partial, moved = softmax_gradient_block(Z, U, y, weight, part, anchor, 0, len(y), 1)
    return (contrasts(n_classes).T @ partial.sum(axis=0)[0]).ravel(), moved


@pytest.mark.parametrize("n_classes", [3, 5])
def test_gradient_and_hessian_are_derivatives_of_the_loss(n_classes):
    Z, y, weight, u = rows_of(n_classes)
    Q = contrasts(n_classes)

    def loss(at):
        F = Z @ (Q @ at.reshape(n_classes - 1, -1)).T
        return float(weight @ (logsumexp(F, axis=1) - F[np.arange(len(y)), y]))

    step = 1e-5 * np.eye(len(u))
    slopes = [(loss(u + one) - loss(u - one)) / 2e-5 for one in step]
    np.testing.assert_allclose(gradient_at(u, Z, y, weight, n_classes)[0], slopes, rtol=1e-6, atol=1e-7)
    bends = [
        (gradient_at(u + one, Z, y, weight, n_classes)[0] - gradient_at(u - one, Z, y, weight, n_classes)[0]) / 2e-5
        for one in step
    ]
    F = Z @ (Q @ u.reshape(n_classes - 1, -1)).T
    found = softmax_hessian_block(Z, F, Q, weight, 0, len(y))
    np.testing.assert_allclose(found, bends, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found, found.T, rtol=1e-12)


def test_moves_are_measured_by_how_far_classes_come_apart():
    Z, y, weight, u = rows_of(3)
    moves = Z @ (contrasts(3) @ u.reshape(2, -1)).T
    weight[np.argmax(np.ptp(moves, axis=1))] = 0.0
    assert gradient_at(u, Z, y, weight, 3)[1] == pytest.approx(np.ptp(moves[weight > 0], axis=1).max())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_classes", [3, 4])
def test_largest_range_is_the_least_upper_bound(n_classes, seed):
    Z, _, _, _ = rows_of(n_classes, rows=15)
    Q = contrasts(n_classes)
    B = np.random.default_rng(seed).normal(size=((n_classes - 1) * 3, (n_classes - 1) * 3))
    K = B @ B.T + np.eye(len(B))
    found = largest_range(Z, cholesky(K, lower=True), Q)
    reached = 0.0
    for row in Z:
        for k in range(n_classes):
            for other in range(k):
                step = np.linalg.solve(K, np.kron(Q[k] - Q[other], row))
                step /= np.sqrt(step @ K @ step)
                reached = max(reached, np.ptp(Q @ step.reshape(n_classes - 1, -1) @ row))
    assert found == pytest.approx(reached, rel=1e-9)


def test_a_move_changes_a_rows_curvature_by_at_most_the_exponential_of_its_range():
    draw, Q = np.random.default_rng(3), contrasts(4)
    tightest = np.inf
    for _ in range(300):
        F, move = draw.normal(size=(1, 4)) * 3, draw.normal(size=(1, 4)) * draw.random() * 3
        before, after = (
            products(np.ones((1, 1)), 3, curvatures(softmax(one, axis=1), Q, np.ones(1))) for one in (F, F + move)
        )
        ratios = np.linalg.eigvals(np.linalg.solve(before, after)).real
        slack = np.ptp(move) - np.abs(np.log(ratios)).max()
        assert slack >= -1e-6
        tightest = min(tightest, slack / np.ptp(move))
    assert tightest < 0.5
