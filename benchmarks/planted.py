"""Tables with a planted cause, with a group difference but none, and with neither; shared by benchmarks of searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import core
from core.rules.conditions import Condition, rule_text

GAP = "equal_opportunity_difference"
FAMILIES = ("logistic", "forest", "boosting")
Kind = Literal["planted", "difference", "null"]
Family = Literal["logistic", "forest", "boosting"]
NUMBERS, WORDS = ["income", "age", "tenure", "debt"], ["sex", "branch", "job"]
CHANGED = (0.02, 0.065)
"""Share of the training rows whose label a planted cause changes."""


@dataclass(frozen=True, eq=False)
class Planted:
    """A case and what was planted in it.

    Parameters
    ----------
    case : Case
    conditions : tuple of Condition
        Empty where nothing was planted.
    records : ndarray of bool, shape (n_train,)
        The subgroup; all of its labels are 0.
    """

    case: core.Case
    conditions: tuple[Condition, ...]
    records: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def rule(self) -> str:
        """The subgroup in words."""
        return rule_text(self.conditions) if self.conditions else "nothing"

    def likeness(self, forget: pd.Index[Any]) -> float:
        """Return the Jaccard similarity of some records with the planted ones."""
        own = self.case.record_ids[self.records]
        return len(own.intersection(forget)) / max(len(own.union(forget)), 1)

    @property
    def closes(self) -> float:
        """Share of the gap, on all test rows, that goes once the model is trained without the planted records."""
        before, after = (
            core.audit(one, [GAP], on="test").gaps["value"].iloc[0]
            for one in (self.case, core.unlearn(self.case, self.case.record_ids[self.records], method="refit").case)
        )
        return float((before - after) / before)


def make(family: Family, kind: Kind, seed: int, rows: int = 4000) -> Planted:
    """Return a table of applications, half of it to train on, with a fitted model.

    Parameters
    ----------
    family : {"logistic", "forest", "boosting"}
    kind : {"planted", "difference", "null"}
        All positive labels of a described subgroup of women set to 0; women truly granted less, whoever they are; neither.
    seed : int
    rows : int
        Training rows; as many to test on.
    """
    draw = np.random.default_rng([seed, FAMILIES.index(family), ("planted", "difference", "null").index(kind)])
    table = _applications(2 * rows, draw, penalty=0.8 if kind == "difference" else 0.0)
    train, test = table[:rows].copy(), table[rows:].reset_index(drop=True)
    conditions, records = _subgroup(train, draw) if kind == "planted" else ((), np.zeros(rows, dtype=bool))
    train.loc[records, "granted"] = 0
    model = unfitted(family, seed).fit(train[NUMBERS + WORDS], train["granted"])
    return Planted(core.Case(model, train, test, core.Roles("granted", 1, 1, ["sex"])), conditions, records)


def unfitted(family: Family, seed: int) -> Any:
    """Return the model of a family."""
    if family == "logistic":
        columns = make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(), WORDS))
        return make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-10))
    columns = make_column_transformer((OrdinalEncoder(), WORDS), remainder="passthrough")
    if family == "forest":
        return make_pipeline(columns, RandomForestClassifier(100, min_samples_leaf=5, random_state=seed))
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=seed))


def _applications(rows: int, draw: np.random.Generator, penalty: float) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "sex": draw.choice(["f", "m"], rows, p=[0.45, 0.55]),
            "income": draw.lognormal(3.3, 0.5, rows).round(1),
            "age": draw.integers(18, 75, rows),
            "branch": draw.choice(list("neswc"), rows),
            "job": draw.choice(["clerk", "cook", "driver", "nurse", "other"], rows),
            "tenure": draw.integers(0, 20, rows),
            "debt": draw.normal(10, 4, rows),
        }
    )
    points = 0.08 * (table.income - 28) - 0.12 * (table.debt - 10) + 0.03 * (table.age - 40)
    points += 0.5 * (table.job == "clerk") - 0.4 * (table.branch == "w") - penalty * (table.sex == "f")
    table["granted"] = (points / 0.7 + draw.logistic(size=rows) > 0).astype(int)
    return table


def _subgroup(train: pd.DataFrame, draw: np.random.Generator) -> tuple[tuple[Condition, ...], Any]:
    """Return women of one more kind, or of two, with so many positive labels as to change a set share of all."""
    while True:
        others = draw.permutation([*NUMBERS, "branch", "job"])[: draw.integers(1, 3)]
        conditions = (Condition("sex", equals="f"), *(_condition(train, str(name), draw) for name in others))
        records = np.logical_and.reduce([one.holds(train) for one in conditions])
        if CHANGED[0] <= (records & (train["granted"] == 1).to_numpy()).mean() <= CHANGED[1]:
            return conditions, records


def _condition(train: pd.DataFrame, name: str, draw: np.random.Generator) -> Condition:
    if name not in NUMBERS:
        return Condition(name, equals=str(draw.choice(sorted(train[name].unique()))))
    width = draw.uniform(0.2, 0.5)
    start = draw.choice([0.0, draw.uniform(0.0, 1.0 - width), 1.0 - width])
    low, high = (round(float(train[name].quantile(share)), 1) for share in (start, start + width))
    return Condition(name, low=low if start > 0.0 else None, high=high if start + width < 1.0 else None)
