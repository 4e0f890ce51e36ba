"""Choosing one of the orders that fit: by the training table, or else the usual one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.files.models.chain.deciding import Likeness, compared
from core.files.models.chain.orders import Order
from core.files.models.chain.preparers import Names, Preparer
from core.words import count, percent

MOST_COMPARED = 30
_MUCH = 0.05
"""A larger share of a model's own numbers outside the rows is said; test rows among the training ones explain less."""
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
    said = [_told(ranked[best], verdicts[best], len(ranked), ties), _beyond(ranked[best], verdicts[best])]
    return ranked[best], " ".join(filter(None, said))


def _beyond(best: Candidate, verdict: Likeness) -> str:
    """Say where the model seems to have been fitted on other numbers than the steps give."""
    if not best.order or verdict.outside < _MUCH:
        return ""
    return (
        f"{percent(verdict.outside)} of the model's own numbers lie outside what its columns hold after {_path(best.order)}: it may have been "
        "trained without, or on other rows; leave out what it was trained without."
    )


def _told(best: Candidate, verdict: Likeness, n: int, ties: int) -> str:
    if not best.order or (n == 1 and not verdict.fits):
        return ""
    differs = f"What prepares the rows was not fitted on these rows: {verdict.differs}." if verdict.other else ""
    if n == 1:
        return differs
    if ties > 1 or not verdict.fits:
        why = f" ({verdict.differs})" if not verdict.fits and verdict.differs else ""
        return f"{_untold(best, n, f'The rows given do not decide{why}.')} {differs}".strip()
    if differs:
        return f"{_path(best.order)} is the likeliest of {count(n, 'order')} that fit. {differs}"
    return f"{_path(best.order)} was chosen among {count(n, 'order')} that fit: only so each equals what the training rows give."


def _untold(best: Candidate, n: int, why: str = "The table it was trained on may decide.") -> str:
    return f"{count(n, 'order')} fit; {_path(best.order)}, the usual one, was taken. {why}"


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
