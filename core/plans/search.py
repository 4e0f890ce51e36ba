"""The greedy search behind removal plans: rank, remove a part for real, look, rank again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.actions.influence import influence
from core.actions.unlearn import unlearn
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import InputError
from core.metrics.catalog import metric_of
from core.plans.utility import Utility
from core.typing import Codes, Progress
from core.unlearning.base import Guarantee
from core.unlearning.refit import refit

PRICES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Prices of utility tried, in units at which all gain on the metric would be spent on it."""
MOST_STALLS = 4
"""Checkpoints in a row without progress after which a search ends; each asks for twice as much as the one before."""
TRUST = (0.5, 20.0)
"""Bounds of the ratio, of what was reached to what was predicted so far, that corrects the next prediction."""
MOST_FITS = 3
"""How often the model is trained again where removals are approximate: to confirm what was reached, or to go on from there."""
HALVINGS = 3
"""How often a step that leads away from the target is tried again with half the records, one that costs too much with twice as many."""


@dataclass(frozen=True)
class Goal:
    """The target of a plan and the price it may have.

    Parameters
    ----------
    metric : str
    feature : str or tuple of str
        Whose groups the metric compares.
    target : float
        Value of the metric to reach.
    utility : Utility
    max_utility_drop : float
        How much worse the utility may become.
    max_records : int
    group_codes : ndarray of int, shape (n_train,)
        Group of every training row.
    group_room : ndarray of int, shape (n_groups,)
        How many records of each group may be removed.
    on : str
    method : str
    checkpoints : int
    """

    metric: str
    feature: str | tuple[str, ...]
    target: float
    utility: Utility
    max_utility_drop: float
    max_records: int
    group_codes: Codes
    group_room: npt.NDArray[np.intp]
    on: str
    method: str
    checkpoints: int

    @property
    def lower_is_better(self) -> bool:
        """Whether the metric should fall."""
        return metric_of(self.metric).better == "lower"

    def short(self, value: float) -> float:
        """Return how far a value of the metric is from the target.

        Not positive where it is reached.
        """
        return value - self.target if self.lower_is_better else self.target - value

    def measure(self, case: Case) -> tuple[float, float]:
        """Return the metric and the utility of a case."""
        return Outcome.of(case, self.metric, self.feature, self.on).value(), self.utility.value(case, self.on)

    def gain(self, case: Case) -> pd.Series[float]:
        """Return how much better the metric is predicted to be without each retained record."""
        effects = influence(case, self.metric, sensitive_feature=self.feature, on=self.on)
        return -effects if self.lower_is_better else effects


@dataclass(frozen=True, eq=False)
class PlanStage:
    """A case on the way, and how it was reached.

    Parameters
    ----------
    case : Case
    forget : tuple
        Ids removed so far, in order.
    value, utility : float
        The metric and the utility, measured.
    predicted : float
        The metric as it was predicted before the removal; where the model was trained again, what the approximate one gave.
    method : str
        How the last records were removed; empty for the case as handed in.
    exact : bool
        Whether that is more than an approximation.
    """

    case: Case
    forget: tuple[Any, ...]
    value: float
    utility: float
    predicted: float
    method: str = ""
    exact: bool = True


@dataclass
class Search:
    """One run of the greedy search; `path` holds every version kept, the first one included."""

    goal: Goal
    path: list[PlanStage]
    progress: Progress | None = None
    price: int = 0
    promised: float = 0.0
    stalls: int = 0
    ended: str = field(default="", init=False)

    @property
    def here(self) -> PlanStage:
        """The last version kept."""
        return self.path[-1]

    def complete(self) -> None:
        """Search, drop what the target does not need, and confirm approximate removals."""
        self.run()
        self.trim()
        self.confirm()

    def run(self) -> None:
        """Go on until the target is reached or something stops the search; `ended` then says which."""
        first = self.goal.short(self.here.value)
        for number in range(3 * self.goal.checkpoints):
            short = self.goal.short(self.here.value)
            if short <= 0:
                self.ended = "reached"
                return
            if self.progress is not None:
                self.progress(min(0.95, 1.0 - short / first), f"{records_in_words(len(self.here.forget))} removed")
            self._step(short / max(1, self.goal.checkpoints - number) * 2**self.stalls)
            if self.ended:
                return
        self.ended = "stalled"

    def _step(self, wanted: float) -> None:
        """Remove what is predicted to bring the metric closer by `wanted`.

        At the lowest price that the utility allows.
        """
        gain = self.goal.gain(self.here.case)
        harm: pd.Series[float] | None = None
        while True:
            if self.price and harm is None:
                harm = self.goal.utility.harm(self.here.case, self.goal.on)
            chosen, predicted = self._choose(gain, harm, wanted)
            if not chosen:
                self.ended = self._why_nobody(gain)
                return
            trial, predicted = self._closer(chosen, predicted)
            if not self._affordable(trial):
                trial, predicted = self._beyond(gain, harm, wanted, trial, predicted)
            if self._affordable(trial):
                self._keep(trial, predicted)
                return
            if self.price + 1 < len(PRICES):
                self.price += 1
                continue
            self._most_affordable(chosen, predicted)
            self.ended = "utility"
            return

    def _choose(self, gain: pd.Series[float], harm: pd.Series[float] | None, wanted: float) -> tuple[list[Any], float]:
        """Return ids to remove next, and what they are predicted to do together."""
        worth = gain.to_numpy()
        if harm is not None and self.price:
            cost = harm.to_numpy()
            spent = np.abs(cost[worth > 0]).sum()
            unit = worth[worth > 0].sum() / spent if spent > 0 else 0.0
            worth = worth - PRICES[self.price] * unit * cost
        order = np.argsort(-worth, kind="stable")
        order = order[(worth[order] > 0) & (gain.to_numpy()[order] > 0)]
        order = order[self._within_caps(gain.index[order])]
        part = -(-self.goal.max_records // self.goal.checkpoints)
        room = min(part, self.goal.max_records - len(self.here.forget))
        reach = np.cumsum(gain.to_numpy()[order]) * self._trust()
        k = min(int(np.searchsorted(reach, wanted)) + 1, room, len(order))
        return gain.index[order[:k]].tolist(), float(reach[k - 1]) if k else 0.0

    def _trust(self) -> float:
        """Return how much of what was predicted so far came true."""
        if self.promised <= 0:
            return 1.0
        done = self.goal.short(self.path[0].value) - self.goal.short(self.here.value)
        return float(np.clip(done / self.promised, *TRUST))

    def _closer(self, ids: list[Any], predicted: float) -> tuple[PlanStage, float]:
        """Remove these records, or fewer where all of them lead past the target and away again."""
        trial = self._remove(ids, predicted)
        for _ in range(HALVINGS):
            if len(ids) < 2 or self.goal.short(trial.value) <= self.goal.short(self.here.value):
                break
            ids, predicted = ids[: len(ids) // 2], predicted / 2
            trial = self._remove(ids, predicted)
        return trial, predicted

    def _beyond(
        self, gain: pd.Series[float], harm: pd.Series[float] | None, wanted: float, trial: PlanStage, predicted: float
    ) -> tuple[PlanStage, float]:
        """Remove more at the same price where a few records cost too much.

        A metric on decisions moves in steps, up and down.
        """
        for doubling in range(1, HALVINGS + 1):
            chosen, predicted = self._choose(gain, harm, wanted * 2**doubling)
            more = self._remove(chosen, predicted)
            if self._affordable(more) and self.goal.short(more.value) < self.goal.short(self.here.value):
                return more, predicted
        return trial, predicted

    def _within_caps(self, ids: pd.Index[Any]) -> npt.NDArray[np.bool_]:
        """Return which ids may go without any group passing its cap, taken in order."""
        case = self.here.case
        codes = self.goal.group_codes[case.record_ids.get_indexer(ids)]
        left = self.goal.group_room - self._removed_by_group()
        rank = pd.Series(codes).groupby(codes).cumcount().to_numpy()
        return np.asarray(rank < left[codes])

    def _removed_by_group(self) -> npt.NDArray[np.intp]:
        positions = self.here.case.record_ids.get_indexer(pd.Index(list(self.here.forget)))
        return np.bincount(self.goal.group_codes[positions], minlength=len(self.goal.group_room))

    def _why_nobody(self, gain: pd.Series[float]) -> str:
        if len(self.here.forget) >= self.goal.max_records:
            return "records"
        helpful = gain.index[gain.to_numpy() > 0]
        if not len(helpful):
            return "nobody"
        return "utility" if self._within_caps(helpful).any() else "caps"

    def _remove(self, ids: list[Any], predicted: float, start: PlanStage | None = None) -> PlanStage:
        start = self.here if start is None else start
        done = unlearn(start.case, ids, method=self.goal.method)
        toward = -predicted if self.goal.lower_is_better else predicted
        exact = done.guarantee is not Guarantee.APPROXIMATE
        return PlanStage(
            done.case,
            (*start.forget, *ids),
            *self.goal.measure(done.case),
            start.value + toward,
            done.method,
            exact,
        )

    def confirm(self) -> None:
        """Where removals were approximate, train again without the records.

        Go on from there while the target is missed.
        """
        for number in range(MOST_FITS):
            if self.here.exact:
                return
            reached = self.ended == "reached"
            self._train_again()
            if not self._affordable(self.here):
                self.ended = "costly"
            elif self.goal.short(self.here.value) <= 0:
                self.ended = "reached"
            elif reached and number + 1 < MOST_FITS:
                self.promised, self.stalls = 0.0, 0
                self.run()
                self.trim()
                continue
            elif reached:
                self.ended = "unconfirmed"
            break
        self._none_if_farther()

    def _train_again(self) -> None:
        last = self.here
        if self.progress is not None:
            self.progress(0.95, f"Training again without {records_in_words(len(last.forget))}")
        case = refit(last.case).case
        self.path.append(PlanStage(case, last.forget, *self.goal.measure(case), last.value, "refit"))

    def _none_if_farther(self) -> None:
        """Give the plan up where training again leaves the metric no closer to the target."""
        if self.ended != "reached" and self.goal.short(self.here.value) >= self.goal.short(self.path[0].value):
            del self.path[1:]

    def _affordable(self, version: PlanStage) -> bool:
        return self.goal.utility.drop(self.path[0].utility, version.utility) <= self.goal.max_utility_drop

    def _keep(self, trial: PlanStage, predicted: float) -> None:
        """Keep a version, and end the search where nothing moves."""
        closer = self.goal.short(trial.value) < self.goal.short(self.here.value)
        self.promised += predicted
        self.stalls = 0 if closer else self.stalls + 1
        self.path.append(trial)
        if self.stalls > MOST_STALLS:
            self.ended = "stalled"

    def _most_affordable(self, ids: list[Any], predicted: float) -> None:
        """Keep as many of these removals as the utility allows, if they help."""
        start = self.here
        best = fewest(ids, lambda some: not self._affordable(self._remove(some, predicted, start)))
        some = ids[: len(best) - 1]
        if some:
            trial = self._remove(some, predicted * len(some) / len(ids), start)
            if self._affordable(trial) and self.goal.short(trial.value) < self.goal.short(start.value):
                self.path.append(trial)

    def trim(self) -> None:
        """Drop from the last step's removals what the target does not need.

        Where it ends no closer than it began, what followed the closest.
        """
        short = [self.goal.short(version.value) for version in self.path]
        if self.ended != "reached" and short[-1] >= short[0]:
            del self.path[int(np.argmin(short)) + 1 :]
        if self.ended != "reached" or len(self.path) < 2:
            return
        before, last = self.path[-2], self.path[-1]
        ids = list(last.forget[len(before.forget) :])
        gain = abs(last.predicted - before.value)

        def reaches(some: list[Any]) -> bool:
            trial = self._remove(some, gain * len(some) / len(ids), before)
            return self.goal.short(trial.value) <= 0 and self._affordable(trial)

        some = fewest(ids, reaches)
        if len(some) < len(ids):
            self.path[-1] = self._remove(some, gain * len(some) / len(ids), before)


def fewest(ids: list[Any], holds: Callable[[list[Any]], bool]) -> list[Any]:
    """Return the shortest prefix for which a condition holds, by bisection.

    It has to hold for all of them together.
    """
    low, high = 0, len(ids)
    while high - low > 1:
        middle = (low + high) // 2
        if holds(ids[:middle]):
            high = middle
        else:
            low = middle
    return ids[:high]


def room_of(groups: Codes, n_groups: int, retained: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.intp]:
    """Return how many records of each group may be removed.

    Raises
    ------
    InputError
        If that is nobody.
    """
    sizes = np.bincount(groups[retained], minlength=n_groups)
    room: npt.NDArray[np.intp] = np.floor(share * sizes + 1e-9).astype(np.intp)
    if not room.any():
        raise InputError(
            f"The cap must leave somebody to remove. A share of {share:g} of the largest group, {sizes.max():,} records, is less than one; raise it."
        )
    return room


def records_in_words(n: int) -> str:
    """Return a number of records in words.

    Examples
    --------
    >>> records_in_words(1), records_in_words(2000)
    ('1 record', '2,000 records')
    """
    return f"{n:,} record{'' if n == 1 else 's'}"
