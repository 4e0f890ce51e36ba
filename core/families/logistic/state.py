"""The prepared state of a logistic-regression case.

Atoms, sums, gradient and Hessian over the retained rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from core.case.case import Case
from core.case.scoring import final_estimator
from core.errors import NotSupportedError
from core.families.logistic.anchor import Anchor, LogisticRows
from core.families.logistic.optimum import local_norm, to_optimum
from core.families.logistic.softmax_rows import SoftmaxRows
from core.numerics.linear.softmax import contrasts
from core.typing import Bools, Floats, Positions, Progress
from core.unlearning.linear.curvature import Curvature, LocalNorm, Rounding
from core.unlearning.linear.features import atoms_of, check_features, compare_features, preprocess
from core.unlearning.linear.objective import LogisticObjective, logistic_objective
from core.unlearning.preprocessing.atoms import AtomTable, Sums
from core.unlearning.preprocessing.blocks import EPS, Linear
from core.unlearning.preprocessing.steps import shallow
from core.unlearning.threads import one_blas_thread


@dataclass(frozen=True, eq=False)
class Frame:
    """The frame that all cases made from one another share.

    The pipeline's shape, its atoms and its objective.
    """

    model: Any
    features: tuple[str, ...]
    atoms: AtomTable
    rows: LogisticRows
    objective: LogisticObjective
    weight: Floats
    positive_column: int

    @property
    def free_intercept(self) -> bool:
        """Whether there is an intercept without a penalty, which takes up any shift of the columns."""
        return self.objective.fit_intercept and self.objective.intercept_penalty == 0.0

    def preprocess(self, sums: Sums) -> tuple[Any, Linear]:
        """Return the preprocessing as fitted on the retained rows, and the features it gives.

        It is None for a bare model.
        """
        return preprocess(self.model, self.features, sums, self.atoms)

    @property
    def n_atoms(self) -> int:
        """How many atoms there are."""
        return int(self.atoms.train.shape[1])

    def map(self, features: Linear) -> Floats:
        """Return the matrix from parameters to coefficients of atoms.

        With more than two classes, of every contrast's.
        """
        n_features = len(features)
        A = np.zeros((self.n_atoms, n_features + self.objective.fit_intercept))
        A[:, :n_features] = features.coef.T
        A[self.atoms.one, :n_features] = features.at.total
        if self.objective.fit_intercept:
            A[self.atoms.one, -1] = 1.0
        return A if self.objective.n_predictors == 1 else np.asarray(np.kron(np.eye(self.objective.n_predictors), A))

    def totals(self, positions: Positions | Bools) -> Floats:
        """Return the sample weight of each class among some rows."""
        found = np.bincount(self.rows.y[positions], self.weight[positions], minlength=self.objective.n_classes)
        return found.astype(np.float64)

    def changed(self, positions: Positions, codes: Positions, weight: Floats) -> Frame:
        """Return the frame with other classes and sample weights of the rows at `positions`."""
        y, whole = self.rows.y.copy(), self.weight.copy()
        y[positions], whole[positions] = codes, weight
        return replace(self, rows=weighted_rows(self.rows.Z, y, whole, self.objective), weight=whole)

    def assemble(self, fitted: Any, w: Floats) -> Any:
        """Return the fitted pipeline with the parameters `w`."""
        estimator = shallow(final_estimator(self.model))
        table = w.reshape(self.objective.n_predictors, -1)
        if self.objective.n_classes > 2:
            table = contrasts(self.objective.n_classes) @ table
        n_features = table.shape[1] - self.objective.fit_intercept
        estimator.coef_ = table[:, :n_features].copy()
        estimator.intercept_ = table[:, -1].copy() if self.objective.fit_intercept else np.zeros(len(table))
        if n_features != estimator.n_features_in_:
            estimator.n_features_in_ = n_features
            if hasattr(estimator, "feature_names_in_"):
                raise NotSupportedError("a category vanished from a pipeline that passes column names on to the model")
        if fitted is None:
            return estimator
        model = shallow(self.model)
        model.steps = [*fitted.steps, (self.model.steps[-1][0], estimator)]
        return model


@dataclass(frozen=True, eq=False)
class GlmState:
    """The retained rows of one case, as far as a removal needs them.

    Parameters
    ----------
    frame : Frame
        Shared by all cases made from one another.
    metric : Metric
        Bounds the rows' predictors.
    sums : Sums
        For the preprocessing.
    totals : ndarray, shape (n_classes,)
        Sample weight of each class.
    anchor : Anchor
        Gradient and Hessian.
    w : ndarray, shape (n_parameters,)
        Coefficients and intercept of the model, as `core.unlearning.linear.objective.coefficients` gives them.
    solver_distance : float
        How far the score of a retained row moves at most from the model as it was handed in to its optimum.
    assembled : bool
        Whether the case's model is the one at `w`; until something is removed it is the one handed in.
    """

    frame: Frame
    metric: LocalNorm
    sums: Sums
    totals: Floats
    anchor: Anchor
    w: Floats
    solver_distance: float = 0.0
    assembled: bool = False

    @cached_property
    def _preprocessed(self) -> tuple[Any, Linear]:
        return self.frame.preprocess(self.sums)

    @cached_property
    def A(self) -> Floats:
        """Matrix from parameters to coefficients of atoms, for the retained rows' preprocessing."""
        return self.frame.map(self._preprocessed[1])

    @cached_property
    def penalties(self) -> Floats:
        """Penalty of every parameter."""
        return self.frame.objective.diagonal(len(self._preprocessed[1]))

    @cached_property
    def rounding(self) -> Rounding:
        """The error of the preprocessing by rounding, for every parameter."""
        objective, at = self.frame.objective, self._preprocessed[1].at
        relative, absolute = (
            np.tile(np.append(part, np.zeros(int(objective.fit_intercept))), objective.n_predictors)
            for part in (at.relative, at.absolute + np.where(at.rest == 0.0, 0.0, EPS * np.abs(at.total)))
        )
        return Rounding(relative, absolute, self.frame.atoms.one)

    @cached_property
    def part_weights(self) -> Floats:
        """Weight of each part's sums: the class weights, if they follow the counts."""
        if self.frame.rows.n_parts == 1:
            return np.ones(1)
        if self.totals.min() <= 1e-12 * self.totals.sum():
            raise NotSupportedError("a class has no weight left")
        return self.frame.objective.class_weights(self.totals)

    @cached_property
    def model(self) -> Any:
        """The fitted pipeline at `w`."""
        return self.frame.assemble(self._preprocessed[0], self.w)

    def loss_gradient(self) -> Floats:
        """Return the gradient of the loss at the anchor, by coefficient of atoms."""
        return np.asarray(self.part_weights @ self.anchor.gradient)

    def loss_hessian(self) -> Floats:
        """Return the Hessian of the loss, by coefficients of atoms."""
        if len(self.part_weights) == 1:
            return np.asarray(self.anchor.hessian[0])
        return np.asarray(np.einsum("p,pij->ij", self.part_weights, self.anchor.hessian))

    def gradient(self, w: Floats) -> Floats:
        """Return the gradient of the objective at `w`, where the anchor's gradient was taken."""
        return self.A.T @ self.loss_gradient() + self.penalties * w

    def curvature(self) -> Curvature:
        """Return the Hessian of the objective, factored."""
        blocks = self.frame.objective.n_predictors
        return Curvature(self.A, self.loss_hessian(), self.penalties, self.metric, self.rounding, blocks)

    def without(self, positions: Positions, retained: Bools) -> GlmState:
        """Take rows out of every sum: O(k n_atoms^2)."""
        rows = self.frame.rows
        lost = self.frame.totals(positions)
        sums = self.sums.without(rows.Z[positions], retained)
        anchor = self.anchor.without(rows, positions)
        return GlmState(self.frame, self.metric, sums, self.totals - lost, anchor, self.w, self.solver_distance)

    def changed(self, positions: Positions, codes: Positions, weight: Floats) -> GlmState:
        """Put other labels and sample weights in the place of the rows' own at `positions`.

        O(k n_atoms^2).
        """
        frame = self.frame.changed(positions, codes, weight)
        old, new = self.frame.rows, frame.rows
        totals = self.totals - self.frame.totals(positions)
        totals = totals + frame.totals(positions)
        extra = np.maximum(new.weight[positions] - old.weight[positions], 0.0)
        mass = new.by_coefficient(extra @ np.abs(new.Z[positions]))
        metric = replace(self.metric, mass=self.metric.mass + mass)
        anchor = self.anchor.changed(old, new, positions)
        return GlmState(frame, metric, self.sums, totals, anchor, self.w, self.solver_distance)

    def moved_to(self, w: Floats, retained: Bools) -> GlmState:
        """Take the gradient at `w`: one pass."""
        return self._keeping(replace(self, anchor=self.anchor.moved_to(self.frame.rows, self.A @ w, retained)))

    def renewed(self, retained: Bools) -> GlmState:
        """Take gradient and Hessian at the anchor's point: two passes."""
        with one_blas_thread():
            return self._keeping(replace(self, anchor=Anchor.at(self.frame.rows, self.anchor.u, retained)))

    def taken_here(self, retained: Bools) -> GlmState:
        """Return the state with gradient and Hessian at its own `w`.

        Two passes, or none where they were taken there.
        """
        u = self.A @ self.w
        if self.anchor.moved == 0.0 and np.array_equal(u, self.anchor.u):
            return self
        with one_blas_thread():
            return self._keeping(replace(self, anchor=Anchor.at(self.frame.rows, u, retained)))

    def at(self, w: Floats) -> GlmState:
        """Return the state with the parameters `w`."""
        return self._keeping(
            GlmState(self.frame, self.metric, self.sums, self.totals, self.anchor, w, self.solver_distance, True)
        )

    def _keeping(self, other: GlmState) -> GlmState:
        """Hand on what depends on the sums alone."""
        for name in ("_preprocessed", "A", "penalties", "rounding", "part_weights"):
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other

    def predictors(self, Z: Floats) -> Floats:
        """Return the linear predictors of rows given as atoms.

        With more than two classes, a column for each.
        """
        return self.frame.rows.predictors(Z, self.A @ self.w)

    def scores(self, rows: Positions) -> Floats:
        """Return the probability of `pos_label` for test rows."""
        return self.frame.rows.scores(self.predictors(self.frame.atoms.test)[rows], self.frame.positive_column)


def prepare_logistic(case: Case, progress: Progress | None = None) -> GlmState:
    """Read the retained rows once and find the optimum of the model's objective on them.

    Parameters
    ----------
    case : Case
        Its model must be one that `Newton.fits`.
    progress : callable, optional
        Called with the share done and what is being done.

    Raises
    ------
    NotSupportedError
        If the preprocessing cannot be refitted from sums, or there is no unique optimum.
    """
    report = progress or _silent
    report(0.0, "Reading the columns")
    frame = make_frame(case)
    sums = Sums.of(frame.atoms.train, case.retained)
    report(0.3, "Finding the optimum")
    totals = frame.totals(case.retained)
    blank = LocalNorm(np.zeros((1, 1)), 0.0, np.zeros(1))
    empty = Anchor(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), 0.0)
    state = GlmState(frame, blank, sums, totals, empty, np.zeros(0))
    compare_features(case, state._preprocessed[0], frame.atoms, state.A[: frame.n_atoms])
    state = to_optimum(state, case, report)
    report(0.8, "Bounding the rows")
    state = replace(state, metric=local_norm(state, case.retained))
    report(1.0, "Ready")
    return state


def check_logistic(case: Case) -> None:
    """Raise unless the model's kind, its preprocessing and its columns can be updated.

    Reads no values.
    """
    logistic_objective(case.model)
    check_features(case)


def make_frame(case: Case) -> Frame:
    """Return the part of the state that does not depend on which rows are retained."""
    objective = logistic_objective(case.model)
    atoms = atoms_of(case)
    weight = np.ones(len(case.retained)) if case.train_weight is None else case.train_weight
    codes = case.train_codes.astype(np.uint8 if objective.n_classes == 2 else np.intp)
    rows = weighted_rows(atoms.train, codes, weight, objective)
    return Frame(case.model, case.features, atoms, rows, objective, weight, case.pos_column)


def weighted_rows(Z: Floats, y: npt.NDArray[Any], weight: Floats, objective: LogisticObjective) -> LogisticRows:
    """Return rows as the loss sees them.

    Fixed class weights folded in, balanced ones kept as parts.
    """
    part, n_parts = y, objective.n_classes
    if objective.class_weight != "balanced":
        weight = weight * objective.class_weights(np.ones(objective.n_classes))[y]
        part, n_parts = np.zeros_like(y), 1
    if objective.n_classes == 2:
        return LogisticRows(Z, y, weight, part, n_parts)
    return SoftmaxRows(Z, y, weight, part, n_parts, objective.n_classes)


def _silent(share: float, what: str) -> None:
    """Report to nobody."""
