"""The contract of every attributor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from core.attribution.measured import Measured
from core.attribution.outcome import Outcome
from core.attribution.smooth import Quantity
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.typing import Floats, Positions

MetricOfScores = Callable[[Floats], Floats]

AT_ONCE = 64
"""Groups whose scores are held in memory together."""
PREFIXES_AT_ONCE = 4
"""Prefixes of a ranking between two reports of progress."""


class Fitted(NamedTuple):
    """A model's predictions for the labels of the records it was trained on.

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
    follows_labels: bool = False
    """Whether the models learn labels by heart, so that the influence of single records is too weak to search rules by."""
    beside_removal: str = ""
    """One sentence on how a removal by the family's unlearner verified a change, where a preview of the same records may give another."""

    @abstractmethod
    def fits(self, case: Case) -> str | None:
        """Return None where the attributor serves this case, else the reason why not."""

    @abstractmethod
    def influence(self, case: Case, metric: str | Quantity, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the metric for every training row, shape (n_train,).

        Removed rows may hold anything.
        """

    @abstractmethod
    def scores_without(self, case: Case, positions: Positions, on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return predicted scores of `pos_label` without some training rows, and what to warn of.

        They are of the rows of the split.
        """

    def fitted(self, case: Case) -> Fitted | None:  # noqa: ARG002
        """Return what the model says of its training labels.

        None where it follows every single one, so that it tells nothing.
        """
        return None

    def measure(self, case: Case, metric: str, feature: str | tuple[str, ...] | None, on: str) -> MetricOfScores:
        """Return what gives the metric at predicted scores of shape (k, n_rows).

        By default the metric itself.
        """
        return Outcome.of(case, metric, feature, on).values

    def group_scores(self, case: Case, groups: Sequence[Positions], on: str) -> Floats:
        """Return predicted scores without each group of training rows, shape (n_groups, n_rows).

        NaN for one that cannot go.
        """
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

    def prefix_scores(
        self, case: Case, positions: Positions, sizes: Sequence[int], on: str
    ) -> Iterator[tuple[int, Floats]]:
        """Give each size and the predicted scores without so many of the rows at `positions`.

        Rows are taken in their order, the smallest size first.

        NaN where so many cannot go. By default the effects of groups, a few sizes at a time.
        """
        for start in range(0, len(sizes), PREFIXES_AT_ONCE):
            some = sizes[start : start + PREFIXES_AT_ONCE]
            yield from zip(some, self.group_scores(case, [positions[:size] for size in some], on), strict=True)

    def group_changes(
        self,
        case: Case,
        metric: str,
        feature: str | tuple[str, ...] | None,
        on: str,
        groups: Sequence[Positions],
    ) -> Floats:
        """Return the predicted change of the metric without each group of training rows.

        Its shape is (n_groups,).

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

        Returns
        -------
        ndarray of float
            Signed; NaN for a group that cannot go (the last of a class), or without which the metric is undefined.
        """
        measure = self.measure(case, metric, feature, on)
        before = measure(case.scores(on)[np.newaxis])
        changes = [
            measure(self.group_scores(case, groups[start : start + AT_ONCE], on)) - before
            for start in range(0, len(groups), AT_ONCE)
        ]
        return np.concatenate(changes) if changes else np.empty(0)

    def measured(
        self,
        case: Case,  # noqa: ARG002
        metric: str,  # noqa: ARG002
        feature: str | tuple[str, ...] | None,  # noqa: ARG002
        on: str,  # noqa: ARG002
        groups: Sequence[Positions],  # noqa: ARG002
        target: float,  # noqa: ARG002
        seconds: float | None = None,  # noqa: ARG002
        progress: Callable[[float], None] | None = None,  # noqa: ARG002
    ) -> Measured | None:
        """Return the effects of groups from partly removing them.

        None where that tells no more than `group_changes`.

        Parameters
        ----------
        case, metric, feature, on, groups
            As for `group_changes`.
        target : float
            Expected correlation with the effects of real removal that is enough.
        seconds : float, optional
            How long it may take.
        progress : callable, optional
            Called with the share done; may raise to give up.
        """
        return None

    def alone(
        self,
        case: Case,  # noqa: ARG002
        metric: str,  # noqa: ARG002
        feature: str | tuple[str, ...] | None,  # noqa: ARG002
        on: str,  # noqa: ARG002
        positions: Positions,  # noqa: ARG002
    ) -> Floats | None:
        """Return the change of what `influence` differentiates when each row is removed alone.

        The removals are real; NaN where a row cannot be removed.

        None where influence is near enough to that as it is.
        """
        return None
