"""What every attributor is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from core.case.case import Case

Floats = npt.NDArray[np.float64]


class Attributor(ABC):
    """Predicts what removing training records does to a metric, for the models of one family."""

    name: str

    @abstractmethod
    def fits(self, case: Case) -> str | None:
        """Return None where the attributor serves this case, else the reason why not."""

    @abstractmethod
    def influence(self, case: Case, metric: str, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the metric for every training row, shape (n_train,); removed rows may hold anything."""

    @abstractmethod
    def scores_without(self, case: Case, positions: npt.NDArray[np.intp], on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return predicted scores of `pos_label` on the split without some training rows, and what to warn about."""
