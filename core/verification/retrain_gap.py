"""How far a model is from the one that training again on the retained records gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import clone

from core.case.arguments import check_count
from core.case.case import Case, check_case
from core.families.registry import own_unlearner
from core.former import formerly
from core.shown import Shown
from core.typing import Progress
from core.unlearning.refit import fit_again, refit
from core.words import count

SEED = 1_000
"""The first of the other seeds comes after it."""


@dataclass(frozen=True, repr=False)
class RetrainGap(Shown):
    """Differences of a case's model from its refit, row by row of a split.

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
    n_seeds : int
        How many further trainings with other seeds the spread is of; 0 where none were made.
    spread_mean, spread_flipped : float
        Of these, against `refit`: mean absolute difference in score, and share of decisions that differ. NaN where there are none.
    on : str
        The rows compared.
    """

    mean: float
    largest: float
    n_flipped: int
    n: int
    seconds: float
    refit: Case
    n_seeds: int = 0
    spread_mean: float = float("nan")
    spread_flipped: float = float("nan")
    on: str = "explore"

    def lines(self) -> list[str]:
        """Say by how much scores and decisions differ, and on which rows."""
        return [f"Distance to training again, on {count(self.n, f'{self.on} row')}", self.sentence]

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one row."""
        names = (
            "mean",
            "largest",
            "n_flipped",
            "flipped",
            "n",
            "on",
            "seconds",
            "n_seeds",
            "spread_mean",
            "spread_flipped",
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    @property
    def flipped(self) -> float:
        """Share of decisions that differ."""
        return self.n_flipped / self.n

    @property
    def sentence(self) -> str:
        """The figures in words."""
        return (
            f"Against training again, scores differ by {self.mean:.4f} on average and {self.largest:.4f} at most; "
            f"{self.n_flipped:,} of {self.n:,} decisions ({self.flipped:.1%}) differ.{self._spread()}{self._why()}"
        )

    def _spread(self) -> str:
        if not self.n_seeds:
            return ""
        return (
            f" For scale: trainings on the same records with other seeds ({self.n_seeds}) differ from one another by {self.spread_mean:.4f} on average "
            f"and in {self.spread_flipped:.1%} of decisions."
        )

    def _why(self) -> str:
        """Return why a model differs from its refit even where it forgot as claimed."""
        unlearner = own_unlearner(self.refit.model)
        why = unlearner.why_refit_differs(self.refit.model) if unlearner is not None else ""
        return f" {why}" if why else ""


@formerly("on", "progress")
def retrain_gap(case: Case, *, on: str = "explore", n_seeds: int = 0, progress: Progress | None = None) -> RetrainGap:
    """Train the case's model again on the records it knows, and compare scores and decisions.

    Costs one fit, and one prediction pass over the split.

    Parameters
    ----------
    case : Case
        Usually what a removal gave.
    on : {"explore", "test", "confirm"}
        Rows to compare on.
    n_seeds : int
        For models that draw at random: how many further trainings with other seeds to set beside it, so that the gap is seen against the
        spread of training itself. Models that draw nothing make none.
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
    case.check_unchanged()
    check_count("n_seeds", n_seeds)
    found = refit(case, progress=progress)
    again = found.case
    difference = np.abs(case.scores(on) - again.scores(on))
    decided = (np.asarray(one.decisions(on), dtype=np.float64) for one in (case, again))
    flipped = round(float(np.abs(np.subtract(*decided)).sum()))
    spread = _spread_of(again, on, n_seeds, progress)
    return RetrainGap(
        float(difference.mean()), float(difference.max()), flipped, len(difference), found.seconds, again, *spread, on
    )


def _spread_of(again: Case, on: str, n_seeds: int, progress: Progress | None) -> tuple[int, float, float]:
    """Return how many trainings with other seeds were made, and how they differ.

    By their mean difference from the first in score and in decisions.
    """
    names = [name for name in again.model.get_params() if name.rpartition("__")[2] == "random_state"]
    unlearner = own_unlearner(again.model)
    draws = unlearner is not None and unlearner.same_draws
    if not n_seeds or not names or not draws:
        return 0, float("nan"), float("nan")
    apart, flips = [], []
    for seed in range(1, n_seeds + 1):
        if progress is not None:
            progress((seed - 1) / n_seeds, f"Training with another seed, {seed} of {n_seeds}")
        model, _ = fit_again(again, again.retained, clone(again.model).set_params(**dict.fromkeys(names, SEED + seed)))
        other = again.replace(model, again.retained)
        apart.append(float(np.abs(other.scores(on) - again.scores(on)).mean()))
        flips.append(float(np.mean(other.decisions(on) != again.decisions(on))))
    return n_seeds, float(np.mean(apart)), float(np.mean(flips))
