"""The task and the result of every mitigator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.case import Case
from core.errors import InputError
from core.metrics.catalog import METRICS, Metric
from core.shown import Shown
from core.typing import Floats, Progress
from core.unlearning.base import model_input, split_input
from core.words import count, interval, number, signed

if TYPE_CHECKING:
    from core.figures.look import Figure

METHODS = ("threshold_optimizer", "exponentiated_gradient", "grid_search", "correlation_remover")


@dataclass(frozen=True, repr=False)
class Mitigation(Shown):
    """The result of one of fairlearn's mitigators on a case.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    constraint : str
        fairlearn's name for what is made equal; empty for one that knows no constraint.
    metric, sensitive_feature, utility, on : str
        What was measured, between whose groups, and on which rows.
    points : DataFrame
        One row per model, indexed by ``point``: ``fairness`` and ``utility`` measured, each with ``_change`` against the case's own
        model (``_before``), the paired interval of that change, ``_low`` and ``_high``, and the interval of the value itself, as an audit of the
        model would give it, ``_value_low`` and ``_value_high``; ``reversed``: the two groups changed places;
        ``frontier``: no other point is better in both on the training rows; ``chosen``: the one fairlearn takes. Empty where it does not serve.
    decisions : tuple of ndarray, each of shape (n_rows,)
        For every point, each row's probability of the favourable decision.
    models : tuple
        For every point, the fitted model: label 1 is favourable.
    seconds : float
        Wall time of fitting.
    reason : str
        Why it does not serve the case; empty where it does.
    notes : tuple of str
        What the user should know, a sentence each.
    complete : bool
        False where the budget of time or models was spent before the end: the result is the best of what was trained.
    """

    method: str
    constraint: str
    metric: str
    sensitive_feature: str
    utility: str
    on: str
    points: pd.DataFrame
    decisions: tuple[Floats, ...] = ()
    models: tuple[Any, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    notes: tuple[str, ...] = ()
    complete: bool = True

    def lines(self) -> list[str]:
        """Say what the model it takes reaches, against the case's own, or why there is none."""
        if self.reason:
            return [f"{self.method} does not serve this case: {self.reason}"]
        best = self.points.loc[self.points["chosen"].to_numpy(dtype=bool)].iloc[0]
        rows = count(len(self.decisions[0]), f"{self.on} row") if self.decisions else f"{self.on} rows"
        kind = f", the best of {len(self.points)} points" if len(self.points) > 1 else ""
        found = [f"{self.method} on {rows}{kind}{'' if self.complete else '; budget spent'}"]
        for name, part in ((f"{self.metric} of {self.sensitive_feature}", "fairness"), (self.utility, "utility")):
            between = interval(best[f"{part}_low"], best[f"{part}_high"])
            change = f"change {signed(best[f'{part}_change'])}{between and f' ({between})'}"
            found.append(f"{name}: {number(best[f'{part}_before'])} -> {number(best[part])}, {change}")
        return [*found, *self.notes]

    def to_frame(self) -> pd.DataFrame:
        """Return the points, one row each."""
        return self.points.reset_index()

    def plot(self) -> Figure:
        """Draw the points on the fairness-accuracy plane, with the case's own model.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        InputError
            If the mitigator does not serve the case, so that there is none.
        """
        from core.figures import plane

        if self.reason:
            raise InputError(f"There must be a point to draw. {self.method} does not serve this case: {self.reason}")
        gap, first = METRICS[self.metric], self.points.iloc[0]
        own = {"gap": first["fairness_before"], "utility": first["utility_before"], "removed": 0, "now": True}
        ends = dict.fromkeys(("gap_low", "gap_high", "utility_low", "utility_high"), float("nan"))
        return plane.path(
            pd.DataFrame([own | ends]).rename_axis("version"),
            gap.label,
            METRICS[self.utility].words,
            lower_is_fairer=gap.better == "lower",
            mitigators=self.points.assign(method=self.method.replace("_", " ")),
        )

    @property
    def serves(self) -> bool:
        """Whether there is a point."""
        return not self.reason


@dataclass(frozen=True, eq=False)
class Task:
    """A case, and the gap to close.

    Parameters
    ----------
    case : Case
    metric : Metric
        The gap or ratio to close.
    utility : Metric
        What should not suffer.
    feature : str or tuple of str
        Whose groups.
    on : str
        The rows to measure on.
    bound : float
        Largest difference from the average that the reductions allow.
    max_iter : int
        Rounds of the exponentiated gradient.
    grid_size : int or None
        Models of the grid; None is by its dimensions.
    grid_limit : float
        Largest multiplier of the grid.
    seconds : float or None
        After which reductions train no further model.
    max_models : int or None
        That reductions train.
    """

    case: Case
    metric: Metric
    utility: Metric
    feature: str | tuple[str, ...]
    on: str
    bound: float
    max_iter: int
    grid_size: int | None
    grid_limit: float
    seconds: float | None
    max_models: int | None

    @property
    def X(self) -> Any:
        """Retained training rows, as the model takes them."""
        return model_input(self.case, self.case.retained)

    @property
    def X_split(self) -> Any:
        """Rows to measure on, as the model takes them."""
        return split_input(self.case, self.on)

    @property
    def y(self) -> npt.NDArray[np.int64]:
        """Whether each retained row's label is favourable, 1 or 0."""
        case = self.case
        return np.asarray(case.favorable(case.y_train[case.retained]), dtype=np.int64)

    @property
    def weight(self) -> Floats | None:
        """Training weights of the retained rows, or None."""
        return None if self.case.train_weight is None else self.case.train_weight[self.case.retained]

    def group_names(self, on: str) -> npt.NDArray[Any]:
        """Return the group of every retained training row, or of every row of a split."""
        groups = self.case.groups(self.feature, on)
        codes = groups.codes[self.case.retained] if on == "train" else groups.codes
        return np.array(groups.names, dtype=object)[codes]

    def unseen_groups(self) -> list[str]:
        """Return groups of the measured rows that no retained training row belongs to."""
        return sorted(set(self.group_names(self.on)) - set(self.group_names("train")))


@dataclass(eq=False)
class FittedModels:
    """The models a mitigator fitted.

    Parameters
    ----------
    decisions : list of ndarray
        Per model, every measured row's probability of the favourable decision.
    models : list
    chosen : int
        The one fairlearn takes.
    frontier : list of bool
    scores : ndarray, optional
        Scores of pos_label on the measured rows, where there is one model that gives them.
    notes : list of str
    complete : bool
    """

    decisions: list[Floats]
    models: list[Any]
    chosen: int = 0
    frontier: list[bool] = field(default_factory=lambda: [True])
    scores: Floats | None = None
    notes: list[str] = field(default_factory=list)
    complete: bool = True


class Mitigator(ABC):
    """Runs one of fairlearn's mitigators on a task."""

    name: str
    scores = False
    """Whether the result gives scores, or decisions only."""

    @abstractmethod
    def constraint(self, task: Task) -> str | None:
        """Return fairlearn's name of the constraint that matches the metric.

        None where it has none, empty where none is needed.
        """

    @abstractmethod
    def refusal(self, task: Task) -> str | None:
        """Return why the mitigator does not serve the task, or None."""

    @abstractmethod
    def run(self, task: Task, progress: Progress) -> FittedModels:
        """Fit on the retained training rows and their groups.

        Raise NotSupportedError where that turns out impossible.
        """
