"""What every attributor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.attribution.outcome import Outcome
from core.attribution.smooth import Quantity
from core.case.case import Case
from core.errors import InputError, NotSupportedError

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Measure = Callable[[Floats], Floats]

AT_ONCE = 64
"""Groups whose scores are held in memory together."""


class Fitted(NamedTuple):
    """What a model says of the labels of the records it was trained on.

    Parameters
    ----------
    predictor : ndarray, shape (n_retained,)
        Log-odds that the label is `y`'s 1.
    y : ndarray, shape (n_retained,)
        Labels, 0.0 or 1.0.
    weight : ndarray, shape (n_retained,)
        In training, 1 on average.
    """

    predictor: Floats
    y: Floats
    weight: Floats


class Attributor(ABC):
    """Predicts what removing training records does to a metric, for the models of one family.

    A family has to give the influence of single records and the scores without one set of records. Effects of many groups follow
    from the scores, one group after the other; a family that has a quicker way overrides `group_scores`.
    """

    name: str

    @abstractmethod
    def fits(self, case: Case) -> str | None:
        """Return None where the attributor serves this case, else the reason why not."""

    @abstractmethod
    def influence(self, case: Case, metric: str | Quantity, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the metric for every training row, shape (n_train,); removed rows may hold anything."""

    @abstractmethod
    def scores_without(self, case: Case, positions: Positions, on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return predicted scores of `pos_label` on the split without some training rows, and what to warn about."""

    def fitted(self, case: Case) -> Fitted | None:  # noqa: ARG002
        """Return what the model says of its training labels; None where it follows every single one, so that it tells nothing."""
        return None

    def measure(
        self,
        case: Case,
        metric: str,
        feature: str | tuple[str, ...] | None,
        on: str,
        *,
        closely: bool = False,  # noqa: ARG002
    ) -> Measure:
        """Return what gives the metric at predicted scores of shape (k, n_rows): by default the metric itself."""
        return Outcome.of(case, metric, feature, on).values

    def group_scores(
        self,
        case: Case,
        groups: Sequence[Positions],
        on: str,
        *,
        closely: bool = False,  # noqa: ARG002
    ) -> Floats:
        """Return predicted scores without each group of training rows, shape (n_groups, n_rows); NaN for one that cannot go."""
        found = np.full((len(groups), len(case.rows(on))), np.nan)
        refusals = []
        for row, group in zip(found, groups, strict=True):
            try:
                row[:] = self.scores_without(case, group, on)[0] if len(group) else case.scores(on)
            except InputError as error:
                refusals.append(error)
        if len(refusals) == len(groups) and any(isinstance(error, NotSupportedError) for error in refusals):
            raise refusals[0]
        return found

    def group_changes(
        self,
        case: Case,
        metric: str,
        feature: str | tuple[str, ...] | None,
        on: str,
        groups: Sequence[Positions],
        *,
        closely: bool = False,
    ) -> Floats:
        """Return the predicted change of the metric without each group of training rows, shape (n_groups,).

        Parameters
        ----------
        case : Case
        metric : str
            Of the catalog.
        feature : str, tuple of str or None
            Whose groups the metric compares.
        on : str
            The split it is taken on.
        groups : sequence of ndarray of int
            Positions of retained rows in the training table, without repeats; they may overlap from group to group.
        closely : bool
            Whether to spend more on each group, where that gives more: for the best of many.

        Returns
        -------
        ndarray of float
            Signed; NaN for a group that cannot go (the last of a class), or without which the metric is undefined.
        """
        measure = self.measure(case, metric, feature, on, closely=closely)
        before = measure(case.scores(on)[np.newaxis])
        changes = [
            measure(self.group_scores(case, groups[start : start + AT_ONCE], on, closely=closely)) - before
            for start in range(0, len(groups), AT_ONCE)
        ]
        return np.concatenate(changes) if changes else np.empty(0)
