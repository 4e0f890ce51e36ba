"""Influence of training records in logistic regression.

Removing record i moves the parameters by ``H^-1 g_i / (1 - h_i)``: one Newton step of leave-one-out, g_i its gradient and h_i its
leverage. What its removal does to balanced class weights and to imputed means is added. For a group the Hessian is downdated
first, which is Woodbury's identity and not the sum over the group.

References
----------
Pregibon, D. (1981). Logistic regression diagnostics. Annals of Statistics 9.
Koh, P. W. and Liang, P. (2017). Understanding black-box predictions via influence functions. ICML.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from core.attribution.base import Attributor, Fitted
from core.attribution.smooth import Quantity, SmoothMetric, predictors
from core.case.case import Case
from core.errors import NotSupportedError
from core.families.logistic.group_effects import scores_without_each, together
from core.families.logistic.softmax_effects import reweighted, softmax_effects
from core.families.logistic.softmax_rows import SoftmaxRows
from core.families.logistic.state import GlmState
from core.families.logistic.unlearner import Newton, settle, warnings_without
from core.numerics.linear.logistic import sigmoid
from core.typing import Floats, Positions
from core.unlearning.base import mask_without
from core.unlearning.threads import on_threads, one_blas_thread, spans

BLOCK = 8192
LOOSE = 1e-2
"""Relative distance to the optimum that a prediction may keep."""


class NewtonInfluence(Attributor):
    """One Newton step of leave-one-out, for every record at once."""

    name = "newton"
    beside_removal = (
        "Measured by Newton steps to the certified optimum without these records; a preview stops them earlier, so that single decisions "
        "may differ."
    )

    def fits(self, case: Case) -> str | None:
        """Return why the model is not one this method serves, or None."""
        return Newton().fits(case)

    @one_blas_thread()
    def influence(self, case: Case, metric: str | Quantity, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the smooth metric for every training row.

        One Hessian and two products with the rows.
        """
        state = _taken_here(case)
        smooth = SmoothMetric.of(case, metric, feature, on)
        by_predictor = smooth.gradient(predictors(case.scores(on)))
        Z = state.frame.atoms.test[case.rows(on)]
        by_atom = state.frame.rows.slope(Z, state.predictors(Z), by_predictor, case.pos_column)
        curvature = state.curvature()
        direction = curvature.solve(curvature.A.T @ by_atom)
        effect, residual = _own_effects(state, curvature.A @ curvature.inverse @ curvature.A.T, curvature.A @ direction)
        effect += _through_class_weights(state, curvature.A @ direction)
        effect += _through_means(state, by_atom, direction, residual)
        return effect

    def fitted(self, case: Case) -> Fitted:
        """Return what the model says of its training labels. One pass over the rows."""
        state: GlmState = Newton().prepare(case)
        rows, own = state.frame.rows, case.retained
        weight = (rows.weight * state.part_weights[rows.part])[own]
        eta, y = state.predictors(rows.Z)[own], rows.y[own].astype(np.float64)
        if eta.ndim > 1:
            eta, y = predictors(rows.scores(eta, case.pos_column)), (rows.y[own] == case.pos_column).astype(np.float64)
        return Fitted(eta, y, weight / weight.mean())

    @one_blas_thread()
    def scores_without(self, case: Case, positions: Positions, on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return scores after a Newton step with the rows taken out, and more where in doubt.

        O(k d^2) and a few passes.
        """
        retained = mask_without(case, positions)
        before: GlmState = Newton().prepare(case)
        after, _ = settle(before.without(positions, retained), retained, LOOSE)
        return after.scores(case.rows(on)), tuple(warnings_without(before, after, len(positions)))

    @one_blas_thread()
    def group_scores(self, case: Case, groups: Sequence[Positions], on: str) -> Floats:
        """Return scores after Newton steps without each group, taken for many at once."""
        prepared: GlmState = Newton().prepare(case)
        if isinstance(prepared.frame.rows, SoftmaxRows):
            return super().group_scores(case, groups, on)
        able = [place for place, group in enumerate(groups) if together(case, prepared, group)]
        found = np.full((len(groups), len(case.rows(on))), np.nan)
        with suppress(np.linalg.LinAlgError):
            state = _taken_here(case)
            found[able] = scores_without_each(case, state, [groups[place] for place in able], on)
        alone = [place for place, row in enumerate(found) if np.isnan(row).any()]
        try:
            found[alone] = super().group_scores(case, [groups[place] for place in alone], on)
        except NotSupportedError:
            if len(alone) == len(groups):
                raise
        return found


def _taken_here(case: Case) -> GlmState:
    """Return the state with gradient and Hessian at the model's own parameters."""

    def make() -> GlmState:
        state: GlmState = Newton().prepare(case)
        return state.taken_here(case.retained)

    return case.prepared.get("newton influence", make)


def _own_effects(state: GlmState, spread: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Return ``g_i . direction / (1 - h_i)`` for every row, and the residuals."""
    rows, u = state.frame.rows, state.A @ state.w
    if isinstance(rows, SoftmaxRows):
        return softmax_effects(reweighted(state), u, spread, direction)
    weight = rows.weight * state.part_weights[rows.part]
    work = [(rows.Z, u, rows.y, weight, spread, direction, *span) for span in spans(len(rows.y))]
    done = on_threads(_own_block, work)
    return np.concatenate([effect for effect, _ in done]), np.concatenate([residual for _, residual in done])


def _own_block(
    Z: Floats, u: Floats, y: Floats, weight: Floats, spread: Floats, direction: Floats, start: int, stop: int
) -> tuple[Floats, Floats]:
    both = np.column_stack([u, direction])
    effects, residuals = np.empty(stop - start), np.empty(stop - start)
    for low in range(start, stop, BLOCK):
        block = slice(low, min(low + BLOCK, stop))
        own = slice(block.start - start, block.stop - start)
        eta, along = (Z[block] @ both).T
        p = sigmoid(eta)
        leverage = weight[block] * p * (1.0 - p) * np.einsum("ij,ij->i", Z[block] @ spread, Z[block])
        residuals[own] = weight[block] * (p - y[block])
        effects[own] = residuals[own] * along / np.maximum(1.0 - leverage, 1e-3)
    return effects, residuals


def _through_class_weights(state: GlmState, direction: Floats) -> Floats | float:
    """Return what each removal does through balanced class weights.

    They follow the class totals.
    """
    if state.frame.rows.n_parts == 1:
        return 0.0
    by_class = state.anchor.gradient @ direction
    change = np.empty(len(by_class))
    for label in range(len(by_class)):
        step = 1e-6 * state.totals[label]
        less = state.totals.copy()
        less[label] -= step
        weights = state.frame.objective.class_weights(less)
        change[label] = -((weights - state.part_weights) @ by_class) / step
    return np.asarray(change[state.frame.rows.y] * state.frame.weight)


def _through_means(state: GlmState, by_atom: Floats, direction: Floats, residual: Floats) -> Floats | float:
    """Return what each removal does through imputed means, and through centring.

    Centring counts where the intercept is not free.
    """
    columns = [
        column
        for column in state.frame.atoms.numeric.values()
        if column.missing is not None or not state.frame.free_intercept
    ]
    if not columns:
        return 0.0
    A, Z = state.A, state.frame.atoms.train
    at_rows = ((residual.T * state.sums.retained) @ Z).ravel()
    pull = by_atom - state.loss_hessian() @ (A @ direction)
    effect = np.zeros(len(Z))
    for column in columns:
        step = 1e-4 * state.sums.n
        first = state.sums.first.copy()
        first[column.observed] += step
        moved = state.frame.map(state.frame.preprocess(replace(state.sums, first=first))[1])
        if moved.shape != A.shape:
            continue
        by_sum = (pull @ ((moved - A) @ state.w) - at_rows @ ((moved - A) @ direction)) / step
        effect -= by_sum * Z[:, column.observed]
    return effect
