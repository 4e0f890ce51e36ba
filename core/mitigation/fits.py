"""The models that a reduction trains, counted and timed, and what it is given once its budget is spent.

A reduction asks again and again for the classifier that does best on its rows as they are weighted and labelled now. Once the budget
is spent, it is given the one that does best among those it has had trained: from then on it looks for the best mixture of these.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from core.mitigation.base import Progress

Bools = npt.NDArray[np.bool_]
Says = Callable[[Any, Any], Bools]
"""Of a model and a table: which rows get the favourable decision."""


class Fits:
    """Shared by all copies of the estimator that a reduction is given.

    Parameters
    ----------
    progress : callable
        Called before every fit; may raise to cancel.
    expected : int
        About how many fits there will be, for the share reported.
    seconds : float or None
        Train no further model after so long.
    max_models : int or None
        Train no more than so many.
    """

    def __init__(self, progress: Progress, expected: int, seconds: float | None, max_models: int | None) -> None:
        self.progress, self.expected, self.seconds, self.max_models = progress, expected, seconds, max_models
        self.start = time.monotonic()
        self.trained: list[Any] = []
        self.cut_short = False
        self._table: Any = None
        self._said: dict[int, Bools] = {}

    def instead(self, X: Any, favorable: Bools, weight: npt.NDArray[np.float64], says: Says) -> Any:
        """Return the model to take in place of a new one, or None while the budget lasts; the first model is always trained.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
            The same table every time: what models say of it is kept.
        favorable : ndarray of bool, shape (n,)
            Labels wanted.
        weight : ndarray, shape (n,)
        says : callable
        """
        late = self.seconds is not None and time.monotonic() - self.start > self.seconds
        if not self.trained or not (late or len(self.trained) == self.max_models):
            self.progress(min(0.99, len(self.trained) / self.expected), f"Training model {len(self.trained) + 1}")
            return None
        self.progress(0.99, f"Mixing the {len(self.trained)} models trained")
        self.cut_short, self._table = True, X
        return min(self.trained, key=lambda model: float(weight @ (self.said(model, X, says) != favorable)))

    def said(self, model: Any, X: Any, says: Says) -> Bools:
        """Return what a trained model says of a table; of the one trained on it is asked but once, when the budget is spent."""
        if X is not self._table:
            return says(model, X)
        if id(model) not in self._said:
            self._said[id(model)] = says(model, X)
        return self._said[id(model)]

    def close(self) -> None:
        """Let go of the table and of what models said of it."""
        self._table, self._said = None, {}
