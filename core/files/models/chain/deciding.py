"""Deciding between orders: each step must equal what the training rows give in its place."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from core.case.learned import difference
from core.case.scoring import column_names, names_columns
from core.errors import listed, said
from core.files.models.chain.reach import share_outside


@dataclass(frozen=True)
class Likeness:
    """How a pipeline's preparation compares with the same fitted on a table.

    Parameters
    ----------
    fits : bool
        Whether the rows go through it.
    equal, other : int
        Steps that equal what the rows give, and steps that do not.
    differs : str
        The first difference, in words.
    outside : float
        Share of the model's own numbers that lie outside the prepared rows.
    """

    fits: bool
    equal: int = 0
    other: int = 0
    differs: str = ""
    outside: float = 0.0

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Orders the verdicts; the least is the best."""
        return not self.fits, self.other, -self.equal


def compared(model: Any, table: pd.DataFrame, names: Sequence[str] | None) -> Likeness:
    """Fit each step of a pipeline again on what the steps before it give, and compare.

    One fit and one pass for each step. Steps that learn from labels or draw at random are passed over.

    Parameters
    ----------
    model : object
        Fitted.
    table : DataFrame
        The rows it may have been trained on.
    names : sequence of str or None
        The columns that go in, where the model has no names.

    Returns
    -------
    Likeness
    """
    steps = model.steps[:-1] if isinstance(model, Pipeline) else []
    own = column_names(model)
    names = [str(one) for one in own] if own is not None else names
    if names is None:
        return Likeness(fits=False)
    if lacking := [name for name in names if name not in table.columns]:
        return Likeness(fits=False, differs=f"the table lacks {listed(lacking, most=3)}")
    rows: Any = table[list(names)] if names_columns(model) else table[list(names)].to_numpy()
    equal, other, first = 0, 0, ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for _, step in steps:
                differs = "" if _draws_or_needs_labels(step) else difference(step, clone(step).fit(rows))
                rows = step.transform(rows)
                equal, other, first = equal + (not differs), other + bool(differs), first or differs
            last = model.steps[-1][1] if steps else model
            last.predict(rows[:2])
            outside = share_outside(last, rows) or 0.0
        except Exception as error:  # what is in the table decides which
            return Likeness(fits=False, differs=said(error))
    return Likeness(True, equal, other, first, outside)


def _draws_or_needs_labels(step: Any) -> bool:
    unseeded = any(name.endswith("random_state") and value is None for name, value in step.get_params().items())
    kinds = [type(one).__name__ for one in (step, *step.get_params().values())]
    return unseeded or "TargetEncoder" in kinds
