"""The optimum of a logistic regression's objective, and the norm that is kept there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cholesky

from core.case.case import Case
from core.errors import NotSupportedError
from core.families.logistic.anchor import Anchor
from core.typing import Bools, Floats
from core.unlearning.linear.curvature import SINGULAR, LocalNorm
from core.unlearning.linear.objective import coefficients

if TYPE_CHECKING:
    from core.families.logistic.state import GlmState

MOST_NEWTON_STEPS = 100


def to_optimum(state: GlmState, case: Case, report: Callable[[float, str], None]) -> GlmState:
    """Return the state at the optimum, by damped Newton steps from the model's coefficients."""
    own = coefficients(case.model)
    w = own if len(own) == state.A.shape[1] else np.zeros(state.A.shape[1])
    for step_number in range(MOST_NEWTON_STEPS):
        state = replace(state, anchor=Anchor.at(state.frame.rows, state.A @ w, case.retained), w=w)
        H = state.A.T @ state.loss_hessian() @ state.A + np.diag(state.penalties)
        gradient = state.gradient(w)
        step, size = _newton_step(H, gradient)
        if size <= 1e-11 * max(1.0, math.sqrt(float(w @ H @ w))):
            distance = _moved_scores(state, own, case.retained) if len(own) == len(w) else 0.0
            return replace(state, solver_distance=distance)
        moved = state.frame.rows.movement(state.A @ step)
        w = w + step * (math.log1p(moved) / moved if moved > 1e-3 else 1.0)
        report(0.3 + 0.5 * min(1.0, step_number / 10), "Finding the optimum")
    raise NotSupportedError(
        f"{MOST_NEWTON_STEPS} Newton steps reach no optimum of the objective: the classes are separated, or single records outweigh "
        "all others by far"
    )


def _moved_scores(state: GlmState, own: Floats, retained: Bools) -> float:
    """Return the largest difference of a retained row's score between two sets of parameters.

    One pass.
    """
    rows, column = state.frame.rows, state.frame.positive_column
    here, there = (rows.scores(rows.predictors(rows.Z, state.A @ w), column) for w in (state.w, own))
    return float(np.abs(here - there)[retained].max())


def _newton_step(H: Floats, gradient: Floats) -> tuple[Floats, float]:
    try:
        factor = cholesky(H, lower=True)
    except np.linalg.LinAlgError as error:
        raise NotSupportedError(SINGULAR) from error
    half = np.linalg.solve(factor, gradient)
    return -np.linalg.solve(factor.T, half), float(np.linalg.norm(half))


def local_norm(state: GlmState, retained: Bools) -> LocalNorm:
    """Return the norm that bounds moves of the retained rows' predictors. One pass."""
    G = state.loss_hessian()
    matrix = G + np.diag(_penalties_of_atoms(state) + 1e-10 * np.trace(G) / len(G))
    factor = cholesky(matrix, lower=True)
    rows = state.frame.rows
    Z = rows.Z if retained.all() else rows.Z[retained]
    weights = rows.weight * retained * state.part_weights[rows.part]
    mass = rows.by_coefficient(np.abs(Z).T @ weights[retained])
    return LocalNorm(matrix, rows.largest(factor, retained) * 1.0001, mass)


def _penalties_of_atoms(state: GlmState) -> Floats:
    """Return penalties of atoms that add up to the features' own.

    Rare categories weigh little by that.
    """
    objective, n_atoms = state.frame.objective, state.frame.n_atoms
    n_features = len(state.w) // objective.n_predictors - objective.fit_intercept
    squares = state.A[: n_atoms - 1, :n_features] ** 2
    scale = squares.sum(axis=0)
    used = (squares > 1e-12 * scale) & (scale > 0)
    own = np.append(used @ np.where(scale > 0, state.penalties[:n_features] / np.maximum(scale, 1e-300), 0.0), 0.0)
    return np.tile(own, objective.n_predictors)
