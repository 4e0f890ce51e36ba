"""Scores of a logistic regression without each of many groups of rows.

Newton steps for every group, taken together.

Each group's Hessian is the whole one less its own rows' terms, at the parameters before; every group's gradient at its own point comes
from one product of matrices. Two steps do for most groups. Fillings of missing values are those of the rows that stay; scales, which
under a free intercept do no more than scale the penalty, stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.case.case import Case
from core.errors import InputError
from core.families.logistic.state import GlmState
from core.numerics.linear.logistic import sigmoid
from core.typing import Array, Bools, Floats, Positions
from core.unlearning.base import mask_without
from core.unlearning.preprocessing.atoms import Sums

NUMBERS_AT_ONCE = 2_000_000
"""Numbers that a block of groups may hold for its rows, or for its Hessians."""
MOST_STEPS, STILL = 5, 0.02
"""Steps go on, up to so many, for groups whose last one moved a test row's log-odds by more than that."""


def together(case: Case, state: GlmState, group: Positions) -> bool:
    """Return whether a group can be taken with others.

    Without it every class and every category has a record left.
    """
    indicators = state.frame.atoms.indicators
    lost = state.frame.atoms.train[group][:, indicators].sum(axis=0)
    if ((lost > 0.5) & (state.sums.first[indicators] - lost < 0.5)).any():
        return False
    try:
        mask_without(case, group)
    except InputError:
        return False
    return True


def scores_without_each(case: Case, state: GlmState, groups: Sequence[Positions], on: str) -> Floats:
    """Return the scores of pos_label without each group, shape (n_groups, n_rows).

    NaN where so many steps do not settle, and where preprocessing fitted without the group gives other columns.

    O(k d^2 + d^3) a group, and a few passes over the rows for all groups of a block.

    Parameters
    ----------
    case : Case
    state : GlmState
        Of two classes, its gradient and Hessian taken at its own parameters.
    groups : sequence of ndarray of int
        Positions of retained rows that can be taken `together`.
    on : str
        The split to score.

    Raises
    ------
    LinAlgError
        If a group leaves a singular Hessian.
    """
    Z = state.frame.atoms.test[case.rows(on)]
    found = np.empty((len(groups), len(Z)))
    size = max(1, NUMBERS_AT_ONCE // max(len(case.retained), state.frame.n_atoms**2))
    for start in range(0, len(groups), size):
        block = groups[start : start + size]
        p = sigmoid(_coefficients(state, block, case.retained, Z) @ Z.T)
        found[start : start + size] = p if state.frame.positive_column == 1 else 1.0 - p
    return found


def _coefficients(state: GlmState, groups: Sequence[Positions], retained: Bools, Z: Floats) -> Floats:
    """Return the coefficients of atoms after Newton steps without each group.

    The shape is (n_groups, n_atoms).
    """
    stays = np.tile(retained, (len(groups), 1))
    for row, group in zip(stays, groups, strict=True):
        row[group] = False
    weights, (A, alike) = _part_weights(state, groups), _maps(state, groups, stays)
    turned = A.transpose(0, 2, 1)
    H = turned @ _hessians(state, groups, weights) @ A
    H[:, np.arange(H.shape[1]), np.arange(H.shape[1])] += state.penalties
    points, moving = np.tile(state.w, (len(groups), 1)), np.arange(len(groups))
    for number in range(MOST_STEPS):
        own = A if len(A) == 1 else A[moving]
        gradient = _gradients(state, _applied(own, points[moving]), stays[moving], weights[moving])
        pull = _applied(own.transpose(0, 2, 1), gradient)
        pull += state.penalties * points[moving]
        steps = np.linalg.solve(H[moving], pull[:, :, None])[:, :, 0]
        points[moving] -= steps
        if number:
            moving = moving[np.abs(_applied(own, steps) @ Z.T).max(axis=1) > STILL]
        if not len(moving):
            break
    points[moving] = np.nan
    points[~alike] = np.nan
    return _applied(A, points)


def _applied(maps: Array, vectors: Array) -> Floats:
    return np.asarray((maps @ vectors[:, :, None])[:, :, 0])


def _maps(state: GlmState, groups: Sequence[Positions], stays: Bools) -> tuple[Floats, Bools]:
    """Return the matrix from parameters to coefficients of atoms without each group.

    One for all where none moves a row. And whether it has the columns there are with the group: the category that stands for missing
    values goes with the last of these. The whole model's stands in for those that have not.
    """
    atoms = state.frame.atoms
    numbers, words = atoms.numeric.values(), atoms.categorical.values()
    gaps = any(one.missing is not None for one in numbers) or any(one.missing is not None for one in words)
    if not gaps and state.frame.free_intercept:
        return state.A[None], np.ones(len(groups), dtype=bool)
    sums = [state.sums.without(atoms.train[group], row) for group, row in zip(groups, stays, strict=True)]
    maps = [_map(state, one) for one in sums]
    alike = np.array([one.shape == state.A.shape for one in maps])
    return np.array([one if fits else state.A for one, fits in zip(maps, alike, strict=True)]), alike


def _map(state: GlmState, sums: Sums) -> Floats:
    """Return the matrix from parameters to coefficients of atoms.

    It has no columns where preprocessing cannot be fitted.
    """
    try:
        return state.frame.map(state.frame.preprocess(sums)[1])
    except InputError:
        return np.empty((len(state.A), 0))


def _part_weights(state: GlmState, groups: Sequence[Positions]) -> Floats:
    """Return the weight of every part's sums without each group.

    Balanced class weights follow the counts.
    """
    if state.frame.rows.n_parts == 1:
        return np.ones((len(groups), 1))
    left = [state.totals - state.frame.totals(group) for group in groups]
    return np.array([state.frame.objective.class_weights(total) for total in left])


def _hessians(state: GlmState, groups: Sequence[Positions], weights: Floats) -> Floats:
    rows = state.frame.rows
    p = sigmoid(state.anchor.eta)
    curvature = rows.weight * p * (1.0 - p)
    found = np.einsum("gp,pij->gij", weights, state.anchor.hessian)
    for own, group, weight in zip(found, groups, weights, strict=True):
        Z = rows.Z[group]
        own -= (Z.T * (curvature[group] * weight[rows.part[group]])) @ Z
    return np.asarray(found)


def _gradients(state: GlmState, coefficients: Floats, stays: Bools, weights: Floats) -> Floats:
    """Return the loss gradient at each group's point, by coefficient of atoms.

    It is over the rows that stay.
    """
    rows = state.frame.rows
    residual: Array = sigmoid(coefficients @ rows.Z.T)
    residual -= rows.y
    residual *= rows.weight if rows.n_parts == 1 else rows.weight * weights[:, rows.part]
    residual *= stays
    return np.asarray(residual @ rows.Z)
