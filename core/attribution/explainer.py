"""Explainers give the reasons for a model's scores, for the models of one family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from core.case.case import Case
from core.typing import Floats

CENTRED = "centred log-ratio"
"""The logarithm of a class's probability, less the mean of all classes' logarithms: what is linear where there are more than two."""


class Explained(NamedTuple):
    """SHAP values of rows towards `pos_label`.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_features)
    base : float
        What they start from.
    output : {"probability", "log-odds", "centred log-ratio"}
        What they add up to with it.
    """

    values: Floats
    base: float
    output: str


class Explainer(ABC):
    """Gives SHAP values of rows as the last step of a model takes them."""

    @abstractmethod
    def explain(
        self, case: Case, rows: Floats, background: Callable[[], Floats], report: Callable[[float, str], None]
    ) -> Explained:
        """Return the values of rows.

        Parameters
        ----------
        case : Case
        rows : ndarray, shape (n_rows, n_features)
        background : callable
            Gives the retained training rows, as the last step takes them.
        report : callable
            Called with the share done and what is being done; may raise to cancel.

        Raises
        ------
        NotSupportedError
            If the model is one of a kind that is not explained.
        """

    def steps(self, case: Case) -> float:  # noqa: ARG002
        """Return the elementary steps one record takes, where they are many.

        0 where any number of records is quick.
        """
        return 0.0
