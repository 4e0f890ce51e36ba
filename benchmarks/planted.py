"""Tables with a planted cause, with a group difference alone, and with neither.

Shared by benchmarks of searches.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
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
from core.attribution.expected import Half, exploring
from core.rules.conditions import Condition, rule_text

GAP = "equal_opportunity_difference"
FAMILIES = ("logistic", "forest", "boosting")
Kind = Literal["planted", "difference", "null"]
Family = Literal["logistic", "forest", "boosting"]
NUMBERS, WORDS = ["income", "age", "tenure", "debt"], ["sex", "branch", "job"]
CHANGED = (0.02, 0.065)
"""Share of the training rows whose label a planted cause changes."""
FOUND = 0.8
"""Jaccard similarity with the planted records from which on a rule is the planted one."""
FRESH = 60_000
"""Rows drawn to know what a rule that is said to help really does."""


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
        """Share of the gap on all test rows that the planted records are responsible for.

        What goes once the model is trained without them.
        """
        before, after = (
            core.audit(one, [GAP], on="test").gaps["value"].iloc[0]
            for one in (self.case, core.unlearn(self.case, self.case.record_ids[self.records], method="refit").case)
        )
        return float((before - after) / before)


@dataclass(frozen=True)
class Shown:
    """One rule that a search showed.

    Parameters
    ----------
    rule : str
    likeness : float
        Jaccard similarity with the planted records.
    measured : float
        By how much the gap closes on the rows searched.
    expected, se : float
        What was expected on other rows, and its standard error; NaN for none.
    confirm, se_confirm : float
        By how much it closes on the confirm rows, and the standard error of that.
    helps, this_group : bool
        What was claimed.
    fresh : float
        By how much it closes on fresh rows; NaN where it is not said to help.
    """

    rule: str
    likeness: float
    measured: float
    expected: float
    se: float
    confirm: float
    se_confirm: float
    helps: bool
    this_group: bool
    fresh: float


@dataclass(frozen=True)
class Result:
    """What explaining the gap of one table gave.

    Parameters
    ----------
    family, kind : str
    seed : int
    planted : str
        The planted rule.
    closes : float
        Share of the gap that goes with the planted records; NaN where there are none.
    shown : tuple of Shown
    seconds, seconds_expected : float
        Of the first results, and of what to expect.
    """

    family: str
    kind: str
    seed: int
    planted: str
    closes: float
    shown: tuple[Shown, ...]
    seconds: float
    seconds_expected: float

    @property
    def rank(self) -> int:
        """Place of the planted rule; 0 where it is not shown."""
        return next((rank for rank, one in enumerate(self.shown, 1) if one.likeness >= FOUND), 0)

    @property
    def found(self) -> Shown | None:
        """The planted rule as shown."""
        return self.shown[self.rank - 1] if self.rank else None


def explain(planted: Planted, family: str, kind: str, seed: int, *, top_k: int = 5) -> Result:
    """Explain the gap of a table, and measure what each rule shown does on the confirm rows."""
    start = time.perf_counter()
    found = core.explain_gap(planted.case, GAP, top_k=top_k)
    middle = time.perf_counter()
    found = core.expected_gains(found)
    seconds = middle - start, time.perf_counter() - middle
    fresh = _fresh_rows(kind, seed)
    shown = tuple(_shown(planted, one, fresh) for one in found)
    closes = planted.closes if planted.conditions else float("nan")
    return Result(family, kind, seed, planted.rule, closes, shown, *seconds)


def _fresh_rows(kind: str, seed: int) -> pd.DataFrame:
    return _applications(FRESH, np.random.default_rng([777, seed]), penalty=0.8 if kind == "difference" else 0.0)


def _gap_on(case: core.Case, table: pd.DataFrame) -> float:
    """Return the gap in true positive rates on other rows."""
    good = table[table["granted"] == 1]
    served = pd.Series(case.model.predict(good[NUMBERS + WORDS]) == 1)
    shares = served.groupby(good["sex"].to_numpy()).mean()
    return float(shares.max() - shares.min())


def _shown(planted: Planted, one: core.Subset, fresh: pd.DataFrame) -> Shown:
    after = core.unlearn(planted.case, one.forget, method="refit" if one.method == "refit" else "auto").case
    rows = planted.case.rows("confirm")
    half = Half(exploring(planted.case, rows), np.arange(len(rows)))
    real = half.gain(GAP, "sex", after.scores("confirm"))
    value, error = (float("nan"), float("nan")) if real is None else (real.value, real.variance**0.5)
    se = float("nan") if one.expected is None else one.expected.se
    return Shown(
        one.rule,
        planted.likeness(one.forget),
        -one.verified,
        one.expected_gain,
        se,
        value,
        error,
        bool(one.helps),
        bool(one.this_group),
        _gap_on(planted.case, fresh) - _gap_on(after, fresh) if one.helps else float("nan"),
    )


def summary(results: Sequence[Result]) -> dict[str, float]:
    """Return counts over tables of one kind.

    Where the planted rule stands, what is claimed, and whether expectations hold.

    Returns
    -------
    dict
        ``tables``; ``first`` and ``first_or_second``: tables with the planted rule there. ``strong``: tables whose planted records close at least
        half of the gap; of these ``helps`` and ``this_group`` of the planted rule. ``any_helps``, ``any_this_group``: tables with any rule
        of which that is claimed. ``said_to_help``: rules; ``wrongly``: those of them that do not close the gap on fresh rows. ``within``:
        rules whose gain on confirm lies within 1.96 errors of the expected one; ``bias``: mean of expected less confirm; ``optimism``: of
        measured less confirm.
    """
    shown = [one for result in results for one in result.shown if np.isfinite([one.expected, one.confirm]).all()]
    strong = [one.found for one in results if one.closes >= 0.5]
    error = np.array([one.expected - one.confirm for one in shown])
    reach = np.array([1.96 * np.hypot(one.se, one.se_confirm) for one in shown])
    return {
        "tables": len(results),
        "first": sum(one.rank == 1 for one in results),
        "first_or_second": sum(one.rank in (1, 2) for one in results),
        "strong": len(strong),
        "helps": sum(one is not None and one.helps for one in strong),
        "this_group": sum(one is not None and one.this_group for one in strong),
        "any_helps": sum(any(one.helps for one in result.shown) for result in results),
        "any_this_group": sum(any(one.this_group for one in result.shown) for result in results),
        "said_to_help": sum(one.helps for result in results for one in result.shown),
        "wrongly": sum(one.helps and not one.fresh > 0.0 for result in results for one in result.shown),
        "rules": len(shown),
        "within": float((np.abs(error) <= reach).mean()) if len(shown) else float("nan"),
        "bias": float(error.mean()) if len(shown) else float("nan"),
        "optimism": float(np.mean([one.measured - one.confirm for one in shown])) if len(shown) else float("nan"),
    }


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
    """Return women of one more kind, or of two.

    With so many positive labels as to change a set share of all.
    """
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
