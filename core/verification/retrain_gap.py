"""How far a model is from the one that training again on the retained records gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.case.case import Case, check_case
from core.families.registry import family_of
from core.former import formerly
from core.typing import Progress
from core.unlearning.refit import refit


@dataclass(frozen=True)
class RetrainGap:
    """What differs between a case's model and its refit, row by row of a split.

    Parameters
    ----------
    mean, largest : float
        Of the absolute differences in score.
    n_flipped : int
        Rows whose decision differs; of random decisions the expected number, one draw deciding both.
    n : int
        Rows compared.
    seconds : float
        What training again took.
    refit : Case
        The case with the model trained again.
    """

    mean: float
    largest: float
    n_flipped: int
    n: int
    seconds: float
    refit: Case

    @property
    def flipped(self) -> float:
        """Share of decisions that differ."""
        return self.n_flipped / self.n

    @property
    def sentence(self) -> str:
        """The figures in words."""
        return (
            f"Against training again, scores differ by {self.mean:.4f} on average and {self.largest:.4f} at most; "
            f"{self.n_flipped:,} of {self.n:,} decisions ({self.flipped:.1%}) differ.{self._own_draws()}"
        )

    def _own_draws(self) -> str:
        """Return why a model differs from its refit even where it forgot exactly."""
        family = family_of(self.refit.model)
        drawn = family.unlearner.drawn_anew(self.refit.model) if family is not None else ""
        return f" {drawn}" if drawn else ""


@formerly("on", "progress")
def retrain_gap(case: Case, *, on: str = "explore", progress: Progress | None = None) -> RetrainGap:
    """Train the case's model again on the records it still knows, and say by how much its scores and decisions differ.

    Costs one fit, and one prediction pass over the split.

    Parameters
    ----------
    case : Case
        Usually what a removal gave.
    on : {"explore", "test", "confirm"}
        Rows to compare on.
    progress : callable, optional
        As for `core.refit`.

    Returns
    -------
    RetrainGap

    Notes
    -----
    A learner that draws at random without a seed differs from its own refit, too. So does one that adds up trees when a single record
    leaves: splits near a tie change, and all later trees with them.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from core import Case, Roles, retrain_gap
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 1, 0, 1] * 5})
    >>> model = GaussianNB().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> retrain_gap(case, on="test").sentence
    'Against training again, scores differ by 0.0000 on average and 0.0000 at most; 0 of 20 decisions (0.0%) differ.'
    """
    check_case(case)
    found = refit(case, progress=progress)
    again = found.case
    difference = np.abs(case.scores(on) - again.scores(on))
    decided = (np.asarray(one.decisions(on), dtype=np.float64) for one in (case, again))
    flipped = round(float(np.abs(np.subtract(*decided)).sum()))
    return RetrainGap(float(difference.mean()), float(difference.max()), flipped, len(difference), found.seconds, again)
