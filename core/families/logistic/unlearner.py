"""Certified removal from logistic regression, with the whole preprocessing refitted.

Removing rows changes the gradient at the optimum by their own terms only. One Newton step with the Hessian, from which the rows'
terms are subtracted, lands near the new optimum, and self-concordance bounds how near, without a pass over the data; each
further pass tightens the bound. Scaling, imputation and encoding are refitted from sums, so that the result is certified
against training the whole pipeline again.

References
----------
Guo, C., Goldstein, T., Hannun, A. and van der Maaten, L. (2020). Certified data removal from machine learning models. ICML.
Bach, F. (2010). Self-concordant analysis for logistic regression. Electronic Journal of Statistics 4.
Sun, T. and Tran-Dinh, Q. (2019). Generalized self-concordant functions. Mathematical Programming 178.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np

from core.case.case import Case
from core.case.edits import Edits
from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.errors import InputError, NotSupportedError, listed
from core.families.logistic.cost import why_training_is_quicker
from core.families.logistic.oracle import LogisticOracle
from core.families.logistic.state import GlmState, check_logistic, prepare_logistic
from core.numerics.linear.self_concordance import taylor_excess
from core.typing import Bools, Floats, Positions, Progress
from core.unlearning.base import Guarantee, Removal, Unlearner, mask_without
from core.unlearning.linear.curvature import Curvature, length
from core.unlearning.linear.objective import logistic_objective
from core.unlearning.threads import one_blas_thread, spare_threads

MOST_PASSES = 30
STALE = 1.0
"""The Hessian is taken anew once a retained row's predictor has moved this far from where it was taken,"""
SLOW = 0.3
"""or once a pass leaves more than this share of the distance that the one before certified; where that was just done, rounding ends it."""
LOOSEST = 1e-3
"""A relative distance above this, and above the tolerance asked for, says too little: the model is trained again instead."""


class Newton(Unlearner):
    """Newton steps from the fitted optimum, certified by self-concordance."""

    name = "newton"
    guarantee = Guarantee.CERTIFIED
    oracle = LogisticOracle()
    way = "Newton steps take it to its optimum without them."

    def refusal(self, case: Case) -> str | None:
        """Return why the model is not one this method serves, or None."""
        try:
            check_logistic(case)
        except NotSupportedError as error:
            return str(error)
        return None

    def gives_way(self, case: Case) -> str | None:
        """Return why "auto" trains again instead, or None: on wide tables that is quicker."""
        return why_training_is_quicker(case)

    def adopt(self, case: Case, progress: Progress | None = None) -> GlmState:
        """Return atoms, sums, gradient and Hessian at the optimum."""
        with one_blas_thread():
            return prepare_logistic(case, progress)

    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:
        """Return the case at the certified optimum without the records at `positions`."""
        retained = mask_without(case, positions)
        before: GlmState = self.prepare(case)
        with _spare_threads(before, positions):
            state, bound = settle(before.without(positions, retained), retained, tolerance)
        relative = _checked(bound, state, tolerance, "removing")
        notes = _notes(before, state, len(positions))
        after = case.replace(state.model, retained, {self.name: state}, state.scores)
        return Removal(after, Guarantee.CERTIFIED, bound, relative, notes)

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:
        """Return the case at the certified optimum with the labels and weights of `edits`."""
        before: GlmState = self.prepare(case)
        after = case.with_edits(case.model, edits)
        weight = np.ones(len(positions)) if after.train_weight is None else after.train_weight[positions]
        with _spare_threads(before, positions):
            state = before.changed(positions, after.train_codes[positions], weight)
            state, bound = settle(state, case.retained, tolerance)
        relative = _checked(bound, state, tolerance, "changing")
        notes = tuple(_short_of_optimum(before))
        after = case.with_edits(state.model, edits, {self.name: state}, state.scores)
        return Removal(after, Guarantee.CERTIFIED, bound, relative, notes)

    def why_refit_differs(self, model: Any) -> str:
        """Return a sentence on the solver that stops short of the optimum the bound is about."""
        estimator = final_estimator(scorer(model))
        return (
            f"A bound is on the distance to the optimum; the solver {estimator.solver!r} stops short of it (tol={estimator.tol:g}), so a plain "
            "refit may lie farther from the model than the bound."
        )

    def can_converge(self, case: Case) -> bool:
        """Return whether the objective is known."""
        try:
            logistic_objective(case.model)
        except NotSupportedError:
            return False
        return True

    def converge(self, case: Case, progress: Progress | None = None) -> Removal:
        """Return the case with its model moved to the optimum of its objective; nothing is removed."""
        state: GlmState = replace(self.prepare(case, progress), solver_distance=0.0, assembled=True)
        moved = case.replace(state.model, case.retained, {self.name: state}, state.scores)
        bound = _distance_here(state, state.curvature(), state.w)
        if not math.isfinite(bound):
            return Removal(moved, Guarantee.APPROXIMATE)
        return Removal(moved, Guarantee.CERTIFIED, bound, bound / length(state.w))


def _checked(bound: float, state: GlmState, tolerance: float, doing: str) -> float:
    """Return a bound over the length of the parameters, or raise where it says too little."""
    if not math.isfinite(bound):
        raise NotSupportedError(f"no distance can be certified after {doing} so much")
    relative = bound / length(state.w)
    if relative > max(tolerance, LOOSEST):
        raise NotSupportedError(
            f"no distance below {100.0 * relative:.2g}% of the parameters' length can be certified after {doing} these records, as rounding "
            "outweighs what the data say of some direction"
        )
    return relative


def _spare_threads(state: GlmState, positions: Positions) -> AbstractContextManager[None]:
    n_atoms = len(state.anchor.u)
    return spare_threads(n_atoms**2 * max(n_atoms, len(positions)))


def settle(state: GlmState, retained: Bools, tolerance: float) -> tuple[GlmState, float]:
    """Step from the state's anchor until the distance to the optimum is certified.

    It has to be below `tolerance`, relative to the parameters' length.

    Parameters
    ----------
    state : GlmState
        Sums, gradient and Hessian over the retained rows; its `w` is not used.
    retained : ndarray of bool, shape (n_train,)
        The retained rows.
    tolerance : float
        Certified Euclidean distance wanted, over the norm of the parameters.

    Returns
    -------
    state : GlmState
        At the new point.
    bound : float
        The certified distance; above the tolerance where rounding, or 30 passes, allow no better.
    """
    curvature = state.curvature()
    w, bound = newton_step(state, curvature)
    best, reached, fresh = state, math.inf, False
    for _ in range(MOST_PASSES):
        if bound <= tolerance * length(w):
            return state.at(w), bound
        last, state = reached, state.moved_to(w, retained)
        here = _distance_here(state, curvature, w)
        if here <= tolerance * length(w):
            return state.at(w), here
        slow = here > SLOW * last
        if slow and fresh:
            return (state.at(w), here) if here < reached else (best, reached)
        fresh = slow or state.anchor.moved > STALE
        if fresh:
            state = state.renewed(retained)
            curvature = state.curvature()
            here = _distance_here(state, curvature, w)
        if here < reached or not math.isfinite(reached):
            best, reached = state.at(w), here
        w, bound = newton_step(state, curvature)
    return best, reached


def _distance_here(state: GlmState, curvature: Curvature, w: Floats) -> float:
    """Certify the distance of `w` to the optimum, where the anchor's gradient was taken."""
    return curvature.distance(curvature.decrement(state.gradient(w)), state.anchor.moved, w)


def newton_step(state: GlmState, curvature: Curvature) -> tuple[Floats, float]:
    """Take a Newton step from the anchor.

    Returns the point and the distance certified without a pass.
    """
    anchor = state.anchor
    w = curvature.solve(curvature.A.T @ (curvature.G @ anchor.u - state.loss_gradient()))
    step = curvature.A @ w - anchor.u
    moved = state.metric.movement(step)
    if not moved + anchor.moved < 50.0:
        return w, math.inf
    length = math.sqrt(max(0.0, float(step @ curvature.G @ step)))
    excess = math.exp(anchor.moved) * (1.0 + taylor_excess(moved)) - 1.0
    return w, curvature.distance(length * excess, moved + anchor.moved, w)


def _notes(before: GlmState, after: GlmState, n_forgotten: int) -> tuple[str, ...]:
    return (*_short_of_optimum(before), *warnings_without(before, after, n_forgotten))


def _short_of_optimum(before: GlmState) -> list[str]:
    if before.solver_distance <= 1e-6 or before.assembled:
        return []
    return [
        f"The model was stopped short of its optimum, and on the way there scores move by up to {before.solver_distance:.2g}; "
        "this change holds that too. Converge it first to see the change alone."
    ]


def warnings_without(before: GlmState, after: GlmState, n_forgotten: int) -> list[str]:
    """Return a sentence for every category that lost its last training record.

    Only for those that test rows still have.
    """
    indicators = before.frame.atoms.indicators
    lost = np.zeros(len(before.sums.first), dtype=bool)
    lost[indicators] = (before.sums.first[indicators] > 0.5) & (after.sums.first[indicators] < 0.5)
    notes: list[str] = []
    if not lost.any():
        return notes
    for column in before.frame.atoms.categorical.values():
        for category, atom in zip(column.categories, column.atoms, strict=True):
            if not lost[atom]:
                continue
            count = int(before.frame.atoms.test[:, atom].sum())
            if count and column.refuses_unknown:
                raise InputError(
                    f"Every category of the test rows must stay in training: the encoder refuses unknown ones. Forgetting these "
                    f"{n_forgotten} records removes the last {column.name} = {listed([category])}, which {count} test rows have; keep one of them."
                )
            if count:
                notes.append(
                    f"No training record has {column.name} = {listed([category])} any more; {count} test rows do and are encoded as unknown."
                )
    return notes
