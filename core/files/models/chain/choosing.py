"""Choosing one of the orders that fit: by the training table, or else the usual one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.files.models.chain.deciding import Likeness, compared
from core.files.models.chain.orders import Order
from core.files.models.chain.preparers import Names, Preparer
from core.words import count

MOST_COMPARED = 30
_USUAL = (
    ("SimpleImputer", "MissingIndicator"),
    ("OrdinalEncoder", "OneHotEncoder", "TargetEncoder", "LabelEncoder"),
    ("ColumnTransformer",),
    ("FunctionTransformer", "PowerTransformer", "QuantileTransformer", "PolynomialFeatures", "KBinsDiscretizer"),
    ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"),
    ("Normalizer",),
    ("PCA", "SelectKBest", "VarianceThreshold"),
)
"""Kinds of steps in the order in which they usually stand."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model in one of the orders.

    Parameters
    ----------
    order : tuple of Stage
    model : object
        The fitted pipeline.
    names : tuple of str or None
        The columns that go in, where the pipeline has no names.
    """

    order: Order
    model: Any
    names: Names


def chosen(candidates: Sequence[Candidate], train: pd.DataFrame | None) -> tuple[Candidate, str]:
    """Return the candidate that fits best, and a sentence on why where there was a choice."""
    ranked = sorted(candidates, key=lambda one: _unusual(one.order))
    first = ranked[0]
    if train is None:
        return first, _untold(first, len(ranked)) if len(ranked) > 1 else ""
    verdicts = [compared(one.model, train, one.names) for one in ranked[:MOST_COMPARED]]
    best = min(range(len(verdicts)), key=lambda place: (verdicts[place].rank, place))
    ties = sum(one.rank == verdicts[best].rank for one in verdicts)
    return ranked[best], _told(ranked[best], verdicts[best], len(ranked), ties)


def _told(best: Candidate, verdict: Likeness, n: int, ties: int) -> str:
    if not best.order or (n == 1 and not verdict.fits):
        return ""
    differs = f"What prepares the rows was not fitted on these rows: {verdict.differs}." if verdict.other else ""
    if n == 1:
        return differs
    if ties > 1 or not verdict.fits:
        return _untold(best, n) if not differs else f"{_untold(best, n)} {differs}"
    if differs:
        return f"{_path(best.order)} is the likeliest of {count(n, 'order')} that fit. {differs}"
    return f"{_path(best.order)} was chosen among {count(n, 'order')} that fit: only so each equals what the training rows give."


def _untold(best: Candidate, n: int) -> str:
    return f"{count(n, 'order')} fit; {_path(best.order)}, the usual one, was taken. The table it was trained on may decide."


def _path(order: Order) -> str:
    return " before ".join(_kind(step) for stage in order for step in stage.steps)


def _kind(step: Preparer) -> str:
    return "encoders" if step.made is None else type(step.made).__name__


def _unusual(order: Order) -> int:
    """Count the pairs of steps that stand the other way round than usual."""
    ranks = [_rank(step) for stage in order for step in stage.steps]
    return sum(late < early for place, early in enumerate(ranks) for late in ranks[place + 1 :])


def _rank(step: Preparer) -> int:
    kind = "OrdinalEncoder" if step.made is None else type(step.made).__name__
    return next((place for place, kinds in enumerate(_USUAL) if kind in kinds), 3)
