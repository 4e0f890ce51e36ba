"""The reductions: the model trained again and again until the constraint holds.

Its rows are weighted and relabelled.

References
----------
Agarwal, A., Beygelzimer, A., Dudik, M., Langford, J. and Wallach, H. (2018). A reductions approach to fair classification. ICML.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any

import numpy as np
from fairlearn.reductions import ExponentiatedGradient, GridSearch
from sklearn.utils import _safe_indexing

from core.mitigation.base import FittedModels, Mitigator, Task
from core.mitigation.constraints import MOMENTS, rates_made_equal
from core.mitigation.estimators import Favorable, takes_weights
from core.mitigation.fits import Fits
from core.typing import Floats, Progress

GRID_SIZES = {1: 21, 2: 49, 3: 64, 4: 81}
"""Models of a grid, by how many multipliers it spans; more are not covered by any number worth waiting for."""
MOST_REPEATED = 2_000_000
"""Rows that training records are repeated to at the most, as often as their weights say."""


class _Reduction(Mitigator):
    def constraint(self, task: Task) -> str | None:
        """Return the moment that matches the metric."""
        moment = MOMENTS.get(rates_made_equal(task.metric))
        return None if moment is None else str(moment.__name__)

    def refusal(self, task: Task) -> str | None:
        """Return why the model cannot be trained on weighted rows, or None."""
        if not takes_weights(task.case.model):
            return "it trains on weighted rows, and the model takes no sample_weight"
        if task.weight is not None and not _whole(task.weight):
            return (
                "it weighs the rows itself and knows no training weights; whole numbers are served by repeating rows, up to "
                f"{MOST_REPEATED:,} in all, and these weights are not such"
            )
        return None

    def run(self, task: Task, progress: Progress) -> FittedModels:
        """Fit and measure; the cost is that of the fits."""
        fits = Fits(progress, self.most_fits(task), task.seconds, task.max_models)
        moment = MOMENTS[rates_made_equal(task.metric)](difference_bound=task.bound)
        fitted = self.mitigator(task, Favorable.of(task.case, fits), moment)
        fits.settled, fits.when_over = partial(self.settled, task, fitted), partial(self.hasten, fitted)
        X, y, groups = task.X, task.y, task.group_names("train")
        if task.weight is not None:
            rows = np.repeat(np.arange(len(y)), task.weight.astype(np.intp))
            X, y, groups = _safe_indexing(X, rows), y[rows], groups[rows]
        fitted.fit(X, y, sensitive_features=groups)
        fits.close()
        found = self.outcome(task, fitted, fits)
        found.complete = not fits.cut_short
        if task.weight is not None:
            found.notes.append("Every training record stands there as many times as its weight says.")
        return found

    @abstractmethod
    def most_fits(self, task: Task) -> int:
        """Return about how many models will be trained."""

    @abstractmethod
    def mitigator(self, task: Task, estimator: Favorable, moment: Any) -> Any:
        """Return fairlearn's mitigator, not fitted."""

    def settled(self, task: Task, fitting: Any) -> bool:  # noqa: ARG002
        """Return whether the models trained so far are all that a mitigator can ask for.

        The mitigator is being fitted.
        """
        return False

    def hasten(self, fitting: Any) -> None:
        """Let a mitigator that is being fitted come to its end, its budget spent."""

    @abstractmethod
    def outcome(self, task: Task, fitted: Any, fits: Fits) -> FittedModels:
        """Return what the fitted mitigator decides."""


class Gradient(_Reduction):
    """ExponentiatedGradient: a random mixture of models."""

    name = "exponentiated_gradient"

    def most_fits(self, task: Task) -> int:
        """Return about how many models will be trained.

        Each round trains one, and some to see how far it is from done.
        """
        return 3 * task.max_iter

    def mitigator(self, task: Task, estimator: Favorable, moment: Any) -> Any:
        """Return the mitigator, not fitted."""
        return ExponentiatedGradient(estimator, moment, eps=task.bound, max_iter=task.max_iter)

    def settled(self, task: Task, fitting: Any) -> bool:
        """Return whether the first model makes no error on its rows.

        Rates of errors are equal there then, and no multiplier ever moves.

        fairlearn's own tolerance, a share of the errors' scatter, is 0 then, and never reached.
        """
        return bool(fitting.nu == 0.0) and "selection_rate" not in rates_made_equal(task.metric)

    def hasten(self, fitting: Any) -> None:
        """End with the round that is on: it solves for the best mixture of all models kept."""
        fitting.nu = np.inf

    def outcome(self, task: Task, fitted: Any, fits: Fits) -> FittedModels:
        """Return the mixture's expected decisions."""
        X, expected, used = task.X_split, np.zeros(len(task.case.rows(task.on))), 0
        for index, share in fitted.weights_.items():
            if share > 0.0:
                expected += share * np.asarray(fitted.predictors_[index].predict(X), dtype=np.float64)
                used += 1
        drawn = f"that of one of {used} models, drawn at random; decisions count by their probability"
        trained = "1 model was trained" if len(fits.trained) == 1 else f"{len(fits.trained)} models were trained"
        notes = [f"Each decision is {drawn if used > 1 else 'that of one model'}. {trained}."]
        if fits.cut_short:
            notes.append(f"{_budget(task)} was spent: this is the best mixture of the models that it had kept by then.")
        elif fits.over:
            notes.append(
                "It gives every training row its own label, so that their rates are equal as they are and nothing is asked of it; a model "
                "that follows its rows less closely can be made fairer."
            )
        elif fitted.last_iter_ + 1 >= task.max_iter:
            notes.append(f"It stopped after max_iter={task.max_iter} rounds, before it was within its tolerance.")
        return FittedModels([np.clip(expected, 0.0, 1.0)], [fitted], notes=notes)


class Grid(_Reduction):
    """GridSearch: a model for every point of a grid of multipliers."""

    name = "grid_search"

    def refusal(self, task: Task) -> str | None:
        """Return why a grid cannot be trained, or None."""
        n_dimensions = _dimensions(task)
        if n_dimensions not in GRID_SIZES:
            return (
                f"its grid would span {n_dimensions} multipliers, one per group and condition but one, and covers at most "
                f"{max(GRID_SIZES)}; use 'exponentiated_gradient'"
            )
        return super().refusal(task)

    def most_fits(self, task: Task) -> int:
        """Return how many models will be trained."""
        return task.grid_size or GRID_SIZES[_dimensions(task)]

    def mitigator(self, task: Task, estimator: Favorable, moment: Any) -> Any:
        """Return the mitigator, not fitted."""
        return GridSearch(estimator, moment, grid_size=self.most_fits(task), grid_limit=task.grid_limit)

    def outcome(self, task: Task, fitted: Any, fits: Fits) -> FittedModels:
        """Return every model's decisions.

        Of points that share a model, as after the budget was spent, the first stands for all.
        """
        own = [id(getattr(model, "estimator_", model)) for model in fitted.predictors_]
        first = sorted({own.index(one) for one in own})
        models = [fitted.predictors_[place] for place in first]
        decisions = [np.asarray(model.predict(task.X_split), dtype=np.float64) for model in models]
        errors = np.asarray(fitted.objectives_, dtype=np.float64)[first]
        violations = fitted.gammas_.max(axis=0).to_numpy(dtype=np.float64)[first]
        frontier = [bool(one) for one in _undominated(errors, violations)]
        chosen = first.index(own.index(own[int(fitted.best_idx_)]))
        spent = f"{_budget(task)} was spent after {len(fits.trained)} of {self.most_fits(task)} models of the grid."
        return FittedModels(decisions, models, chosen, frontier, notes=[spent] if fits.cut_short else [])


def _budget(task: Task) -> str:
    limits = [] if task.seconds is None else [f"{task.seconds:g} s"]
    limits += [] if task.max_models is None else [f"{task.max_models} model{'s' * (task.max_models > 1)}"]
    return f"The budget of {' or '.join(limits)}"


def _dimensions(task: Task) -> int:
    """Return how many multipliers the grid spans.

    For every condition, one per group but the last.
    """
    conditions = len(rates_made_equal(task.metric))
    return conditions * (len(np.unique(task.group_names("train"))) - 1)


def _whole(weight: Floats) -> bool:
    """Return whether rows can be repeated as often as their weights say."""
    return bool((weight == np.round(weight)).all() and (weight >= 1.0).all() and weight.sum() <= MOST_REPEATED)


def _undominated(errors: Floats, violations: Floats) -> Any:
    """Return which models no other beats in one without losing in the other."""
    no_worse = (errors[:, None] <= errors) & (violations[:, None] <= violations)
    better = (errors[:, None] < errors) | (violations[:, None] < violations)
    return ~(no_worse & better).any(axis=0)
