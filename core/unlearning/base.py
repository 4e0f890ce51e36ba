"""The contract of every unlearner, and the result of a removal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.case import Case
from core.case.edits import Edits
from core.case.scoring import model_rows
from core.errors import InputError, NotSupportedError, listed
from core.metrics.catalog import metric_of
from core.metrics.on_plane import versions_on_plane
from core.shown import Shown
from core.typing import Positions, Progress
from core.unlearning.oracle import Oracle
from core.words import count, seconds

if TYPE_CHECKING:
    from core.figures.look import Figure

FACTS = ("method", "bound", "relative_bound", "n_forgotten", "n_edited", "seconds")
BOUNDED = "bounded, not within the tolerance asked for"


class Guarantee(Enum):
    """How the unlearned model relates to one trained again on the retained records.

    Preprocessing is included.
    """

    EXACT = "exact"
    CERTIFIED = "certified"
    APPROXIMATE = "approximate"

    @property
    def meaning(self) -> str:
        """One sentence on what the guarantee says."""
        return {
            "exact": "equals training again on the retained records",
            "certified": "lies within a proven distance of training again to the optimum on the retained records",
            "approximate": "comes without proof that it equals training again; the distance can be measured",
        }[self.value]


@dataclass(frozen=True, repr=False)
class UnlearnResult(Shown):
    """The result of a removal, an edit or a refit.

    Parameters
    ----------
    case : Case
        The new case; the old one is untouched.
    before : Case
        The case the records were removed from.
    guarantee : Guarantee
        What holds for the new model.
    bound : float or None
        Certified Euclidean distance of coefficients and intercept to the retrained optimum; with more than two classes, of those of all
        classes, which sum to 0 over the classes.
    relative_bound : float or None
        `bound` over the norm of the new coefficients and intercept.
    method : str
        The unlearner's name.
    seconds : float
        Wall time of the call.
    n_forgotten : int
        Number of records removed now.
    notes : tuple of str
        What the user should know, a sentence each.
    n_edited : int
        Number of records whose label or weight was changed now.
    same_draws : bool
        Whether the learner draws at random and its recorded draws were held fixed. Training again with other draws gives another model, and
        where records were chosen by looking at the model nothing is claimed of it.
    seconds_prepare : float
        The part of `seconds` in which the case was prepared: 0.0 from the second call on.
    tolerance : float or None
        The relative distance that was asked for, where one was.
    """

    case: Case
    before: Case
    guarantee: Guarantee
    bound: float | None
    relative_bound: float | None
    method: str
    seconds: float
    n_forgotten: int
    notes: tuple[str, ...] = ()
    n_edited: int = 0
    same_draws: bool = False
    seconds_prepare: float = 0.0
    tolerance: float | None = None

    @property
    def within_tolerance(self) -> bool:
        """Whether the certified distance is no more than was asked for."""
        return self.relative_bound is None or self.tolerance is None or self.relative_bound <= self.tolerance

    @property
    def claim(self) -> str:
        """The guarantee in few words, or that a proven distance misses the tolerance."""
        return self.guarantee.value if self.within_tolerance else BOUNDED

    @property
    def meaning(self) -> str:
        """One sentence on what the guarantee says of this result."""
        return meaning_of(self.guarantee, same_draws=self.same_draws)

    def lines(self) -> list[str]:
        """Say what was done to how many records, how, and what holds for the model."""
        done = f"{count(self.n_forgotten, 'record')} of {self.before.n_retained:,} removed"
        if self.n_edited:
            done = f"{count(self.n_edited, 'record')} of {self.before.n_retained:,} edited"
        elif not self.n_forgotten:
            done = f"The same {count(self.case.n_retained, 'record')}"
        near = "" if self.relative_bound is None else f", {self.relative_bound:.1e} of the parameters' length"
        return [
            f"{done}: {self.method}, {seconds(self.seconds)}",
            f"{self.claim}: {self.meaning}{near}",
            *self.notes,
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one row.

        `core.compare(result.before, result.case)` gives what it did to every metric.
        """
        facts = {name: getattr(self, name) for name in FACTS}
        return pd.DataFrame([{"guarantee": self.guarantee.value, "n_retained": self.case.n_retained} | facts])

    def plot(
        self,
        metric: str = "equal_opportunity_difference",
        *,
        sensitive_feature: str | Sequence[str] | None = None,
        utility: str = "accuracy",
        on: str = "explore",
    ) -> Figure:
        """Draw the step on the fairness-accuracy plane: the case before and after.

        Parameters
        ----------
        metric : str
            A metric that compares groups.
        sensitive_feature : str or tuple of str, optional
            Whose groups; None is the first, a tuple an intersection.
        utility : str
            A rate over all records.
        on : {"explore", "confirm", "test"}
            Rows to measure on.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        InputError
            If the metric does not compare groups, or the utility does.
        """
        from core.figures import plane

        gap, kept = metric_of(metric), metric_of(utility)
        if not gap.compares_groups or kept.compares_groups:
            raise InputError(
                f"The metric must compare groups, and the utility be a rate over all records. Got {metric!r} and {utility!r}."
            )
        feature = self.case.sensitive_feature(sensitive_feature)
        return plane.path(
            versions_on_plane((self.before, self.case), metric, feature, utility, on),
            gap.heading(pos_is_favorable=self.case.favorable_is_positive),
            kept.words,
            lower_is_fairer=gap.better == "lower",
        )


def meaning_of(guarantee: Guarantee, *, same_draws: bool) -> str:
    """Return what a guarantee says for a learner.

    Its random draws were held fixed, or it draws none.

    Examples
    --------
    >>> meaning_of(Guarantee.EXACT, same_draws=True)
    'equals training again on the retained records with the same random draws'
    """
    exact = guarantee is Guarantee.EXACT and same_draws
    return f"{guarantee.meaning} with the same random draws" if exact else guarantee.meaning


@dataclass(frozen=True)
class Removal:
    """The case that an unlearner returns, with the claims that hold for it."""

    case: Case
    guarantee: Guarantee
    bound: float | None = None
    relative_bound: float | None = None
    notes: tuple[str, ...] = ()


class Unlearner(ABC):
    """Removes training records from the models of one family."""

    name: str
    guarantee: Guarantee
    oracle: Oracle = Oracle()
    """What conformance holds removals against."""
    same_draws: bool = False
    """Whether its models draw at random, and removals hold their recorded draws fixed."""
    way: str = ""
    """One sentence on how the model forgets, for whoever has to choose between methods."""

    def fits(self, case: Case) -> str | None:
        """Return None where the unlearner serves this case, else the reason why not.

        Cheap: goes by parameters and, once it was tried to prepare the case, by what its rows said.
        """
        return None if self.is_ready(case) else case.prepared.refusal(self.name) or self.refusal(case)

    def is_ready(self, case: Case) -> bool:
        """Return whether what removals build on is at hand, so that preparing takes no time."""
        return self.name in case.prepared

    def prepare(self, case: Case, progress: Progress | None = None) -> Any:
        """Return what removals from the case build on, made by `adopt` if it is not at hand.

        The case keeps it.

        Raises
        ------
        NotSupportedError
            If the rows do not allow it, which `fits` says from then on.
        """
        return case.prepared.get(self.name, lambda: self.adopt(case, progress), progress)

    @abstractmethod
    def refusal(self, case: Case) -> str | None:
        """Return why the parameters of a case's model rule the method out, or None."""

    @abstractmethod
    def adopt(self, case: Case, progress: Progress | None = None) -> Any:
        """Return what removals from the case build on, made anew; None where they need nothing."""

    @abstractmethod
    def remove(self, case: Case, positions: Positions, tolerance: float) -> Removal:
        """Return the case without the records at `positions` (never empty, never a whole class).

        What it builds on comes from `prepare`; what the next removal builds on goes to `case.replace`, under the unlearner's name.
        """

    def gives_way(self, case: Case) -> str | None:  # noqa: ARG002
        """Return why "auto" trains again instead although the method serves the case, or None.

        Follows from sizes, never from a clock.
        """
        return None

    def change(self, case: Case, positions: Positions, edits: Edits | None, tolerance: float) -> Removal:  # noqa: ARG002
        """Return the case trained on the labels and weights of `edits`.

        These differ from the case's own at `positions` only.

        Raises
        ------
        NotSupportedError
            If the method only removes.
        """
        raise NotSupportedError("it removes records and does not change labels or weights")

    def can_converge(self, case: Case) -> bool:  # noqa: ARG002
        """Return whether `converge` can be tried.

        Whether the model minimises an objective that its solver may have stopped short of.
        """
        return False

    def converge(self, case: Case, progress: Progress | None = None) -> Removal:  # noqa: ARG002
        """Return the case with its model moved to the optimum of its objective; nothing is removed.

        Raises
        ------
        NotSupportedError
            If the model has no such optimum, or more than one.
        """
        raise NotSupportedError(f"nothing with one optimum is known that the models {self.name!r} serves minimise")

    def retrained(self, case: Case, retained: npt.NDArray[np.bool_]) -> Any:  # noqa: ARG002
        """Return what training `case`'s model again on the retained rows gives.

        With the randomness that this unlearner holds fixed.

        None where it holds none: then an ordinary refit is what a removal is compared with.
        """
        return None

    def why_refit_differs(self, model: Any) -> str:  # noqa: ARG002
        """Return why a model differs from its refit even where it forgot as claimed.

        One sentence; empty where it does not.
        """
        return ""


@dataclass(frozen=True)
class Option:
    """An unlearner, as it fits one case.

    Parameters
    ----------
    name : str
        What `unlearn(method=...)` takes.
    guarantee : Guarantee
        What it holds.
    fits : bool
        Whether it serves this case.
    reason : str
        Why it does not; empty where it does.
    note : str
        Why "auto" tries it only after training again; empty where it does not.
    way : str
        How the model forgets, in a sentence; empty where the guarantee says it.
    same_draws : bool
        As in `UnlearnResult`.
    of_family : bool
        Whether the model is of the family that the unlearner is for.
    """

    name: str
    guarantee: Guarantee
    fits: bool
    reason: str
    note: str = ""
    way: str = ""
    same_draws: bool = False
    of_family: bool = True

    @property
    def meaning(self) -> str:
        """One sentence on what the guarantee says of this method."""
        return meaning_of(self.guarantee, same_draws=self.same_draws)


def mask_without(case: Case, positions: Positions) -> npt.NDArray[np.bool_]:
    """Return the case's retained mask with some rows taken out.

    Raises
    ------
    InputError
        If nothing, or no record of some class, would be left.
    """
    retained = case.retained.copy()
    retained[positions] = False
    counts = _class_counts(case) - np.bincount(case.train_codes[positions], minlength=len(case.classes))
    if not counts.any():
        raise InputError(
            f"At least one record of every class must stay. Got a request to forget all {case.n_retained:,}; forget fewer."
        )
    gone = [case.classes[index] for index in np.flatnonzero(counts == 0) if _class_counts(case)[index]]
    if gone:
        raise InputError(
            f"At least one record of every class must stay. This request forgets every record with {case.roles.target} = {listed(gone)}; forget fewer."
        )
    return retained


def _class_counts(case: Case) -> npt.NDArray[np.intp]:
    def count() -> npt.NDArray[np.intp]:
        return np.bincount(case.train_codes[case.retained], minlength=len(case.classes))

    return case._remember(("class counts",), count)


def model_input(case: Case, rows: Positions | npt.NDArray[np.bool_]) -> Any:
    """Return training rows as the model takes them."""
    table = case.X_train.iloc[rows] if rows.dtype != bool else case.X_train[rows]
    return model_rows(case.model, table)


def split_input(case: Case, on: str) -> Any:
    """Return the test rows of the split `on` as the model takes them."""
    return model_rows(case.model, case.X_test.iloc[case.rows(on)])
