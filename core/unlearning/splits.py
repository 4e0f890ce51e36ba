"""Splits that a removal kept: how many training again would not choose."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class SplitCheck:
    """How many splits are no longer the best of their node.

    Parameters
    ----------
    n_splits : int
        Splits looked at.
    n_changed : int
        Those that another split of the same rows beats, or that leave too few rows on a side.
    n_stages : int
        Stages looked at: one tree each, or one for each of more than two classes.
    of_stages : int
        Stages there are.
    by_stage : DataFrame
        Indexed by stage, from 0: splits, changed.
    seconds : float
        Wall time.
    """

    n_splits: int
    n_changed: int
    n_stages: int
    of_stages: int
    by_stage: pd.DataFrame
    seconds: float

    @property
    def sentence(self) -> str:
        """The counts in words."""
        stages = "all" if self.n_stages == self.of_stages else f"{self.n_stages:,} of {self.of_stages:,}"
        return (
            f"{self.n_changed:,} of {self.n_splits:,} splits in {stages} stages are no longer the best of their rows; "
            "training again would choose others there."
        )
