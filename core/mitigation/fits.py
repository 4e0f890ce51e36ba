"""The models that a reduction trains, counted and timed.

With what it is given once its budget is spent.

A reduction asks again and again for the classifier that does best on its rows as they are weighted and labelled now. Once the budget
is spent, or no other model could be asked for, it is given the last one it had trained, and so learns nothing new: fairlearn itself
takes the best of all it has kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from core.typing import Bools, Progress


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
        self.over = self.cut_short = False
        self.settled: Callable[[], bool] = lambda: False
        self.when_over: Callable[[], None] = lambda: None
        self._table: Any = None
        self._said: Bools | None = None

    def instead(self, X: Any) -> Any:
        """Return the model to take in place of one trained on a table.

        None while the budget lasts; the first is always trained.
        """
        settled = bool(self.trained) and not self.over and self.settled()
        late = self.seconds is not None and time.monotonic() - self.start > self.seconds
        if not self.trained or not (self.over or settled or late or len(self.trained) == self.max_models):
            self.progress(min(0.99, len(self.trained) / self.expected), f"Training model {len(self.trained) + 1}")
            return None
        self.progress(0.99, f"Mixing the {len(self.trained)} models trained")
        if not self.over:
            self.over, self.cut_short = True, not settled
            self.when_over()
        self._table = X
        return self.trained[-1]

    def said(self, model: Any, X: Any, says: Callable[[Any, Any], Bools]) -> Bools:
        """Return what a model says of a table.

        Of the one given again and again, it is asked but once.
        """
        if X is not self._table or model is not self.trained[-1]:
            return says(model, X)
        if self._said is None:
            self._said = says(model, X)
        return self._said

    def close(self) -> None:
        """Let go of the table and of what was said of it."""
        self._table = self._said = None
